// Expressions: any text may come, only vesal::Error may leave, and nothing outside of the process is touched.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bundle/config.h"
#include "bundle/expr_eval.h"

namespace {

/// Modules are known under their names, and @x is a small dict, as in a config.
class Names : public vesal::bundle::expr::Environment {
 public:
  std::optional<vesal::Value> name(const std::string&) const override { return std::nullopt; }
  vesal::Value reference(const std::string&) const override {
    using namespace vesal;
    return Dict{{"image", List{{1, 2, 3}}}, {"label", "text"}, {"array", Array::from({1.0F, 2.0F, 3.0F, 4.0F}, {2, 2})}};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vesal;
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Folders are the one thing an expression can make: not while fuzzing.
  if (text.find("mkdir") != std::string_view::npos || text.find("makedirs") != std::string_view::npos) return 0;
  try {
    const auto tree = bundle::expr::parse(text);
    (void)bundle::expr::references(tree);
    (void)bundle::expr::evaluate(tree, std::make_shared<Names>()).repr();
  } catch (const Error&) {}
  try {
    (void)bundle::expr::parse_import(text);
    (void)bundle::expr::literal(std::string(text));
  } catch (const Error&) {}
  return 0;
}
