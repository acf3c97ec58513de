// monai.handlers.from_engine(keys, first): a callable that takes values out of a batch or output.
#include "base/registry.h"

namespace vesal::infer {
namespace {

Value pick(const Value& data, const std::vector<std::string>& keys, bool first) {
  Tuple columns;
  for (const std::string& key : keys) {
    if (data.is_dict()) {
      columns.items.push_back(data.as_dict().at(key));
      continue;
    }
    List column;
    for (const Value& item : data.items()) column.items.push_back(item.as_dict().at(key));
    if (column.items.empty()) throw Error(ErrorKind::shape, "from_engine: no items");
    columns.items.push_back(first ? column.items[0] : Value(column));
  }
  return columns.items.size() == 1 && !data.is_dict() ? columns.items[0] : Value(columns);
}

const Allow from_engine("monai.handlers.from_engine", [](const CallArgs& call) -> Value {
  const Args args = bind("from_engine", {required("keys", "one key or several"), optional("first", false, "only of the first item")}, call);
  const auto keys = args.get<std::vector<std::string>>("keys");
  const bool first = args.get<bool>("first");
  return make_function("from_engine", [keys, first](const CallArgs& inner) -> Value {
    return pick(bind("from_engine", {required("data", "engine.state.batch or .output")}, inner)["data"], keys, first);
  });
});

}  // namespace
}  // namespace vesal::infer
