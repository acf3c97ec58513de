#include "cli/component_spec.h"

#include <filesystem>

#include "base/json.h"
#include "bundle/config.h"
#include "bundle/expr_eval.h"

namespace vesal::cli {

Value component_spec(const std::string& text) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(text, ignored)) return bundle::ConfigParser::load_config_file(text);
  if (text.find('{') == std::string::npos) return Dict{{"_target_", text}};
  try {
    return parse_json(text);
  } catch (const Error& e) {
    if (const auto literal = bundle::expr::literal(text)) return *literal;
    throw Error(ErrorKind::usage, "the component is neither JSON nor a Python dict: " + std::string(e.what()));
  }
}

}  // namespace vesal::cli
