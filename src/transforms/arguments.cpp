#include "transforms/arguments.h"

namespace vesal::transforms {

std::optional<DType> dtype_argument(const Value& value) {
  if (value.is_none()) return std::nullopt;
  if (value.is_dtype()) return value.as_dtype();
  std::string name = value.is_string() ? value.as_string() : "";
  if (auto function = value.object<Function>()) name = function->name();
  const auto type = dtype_from_name(name);
  if (!type) throw Error(ErrorKind::config, value.repr() + " is no dtype");
  return type;
}

std::optional<DType> dtype_argument(const Args& args, const std::string& name) {
  return with_context(args.component() + ": " + name, [&] { return dtype_argument(args[name]); });
}

}  // namespace vesal::transforms
