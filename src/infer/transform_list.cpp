#include "infer/transform_list.h"

#include <algorithm>

#include "base/registry.h"
#include "transforms/compose.h"

namespace vesal::infer {

std::vector<Value> flat_transforms(const Value& transforms) {
  std::vector<Value> flat;
  for (const Value& t : transforms::compose(transforms)->transforms()) {
    if (!t.object<transforms::Compose>()) {
      flat.push_back(t);
      continue;
    }
    for (Value& inner : flat_transforms(t)) flat.push_back(std::move(inner));
  }
  return flat;
}

bool is_named(const Value& transform, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), transform.type_name()) != names.end();
}

bool is_saver(const Value& transform) { return is_named(transform, {"SaveImage", "SaveImaged"}); }

void for_each_described(const Value& described, const std::function<void(const std::string&, const Dict&)>& visit) {
  if (described.is_sequence()) {
    for (const Value& v : described.items()) for_each_described(v, visit);
    return;
  }
  const Value* target = described.is_dict() ? described.as_dict().find("_target_") : nullptr;
  if (!target || !target->is_string()) return;
  const std::string& full = target->as_string();
  const Component* known = components::find(full);
  const std::string name = known ? known->name : full.substr(full.rfind('.') + 1);
  if (name != "Compose") return visit(name, described.as_dict());
  if (const Value* inner = described.as_dict().find("transforms")) for_each_described(*inner, visit);
}

std::vector<std::string> keys_of(const Dict& arguments) {
  const Value* keys = arguments.find("keys");
  return keys && (keys->is_string() || keys->is_sequence()) ? cast<std::vector<std::string>>(*keys) : std::vector<std::string>{};
}

std::vector<std::string> loaded_keys(const Value& described) {
  std::vector<std::string> loaded;
  for_each_described(described, [&](const std::string& name, const Dict& arguments) {
    if (name == "LoadImaged")
      for (std::string& key : keys_of(arguments)) loaded.push_back(std::move(key));
  });
  return loaded;
}

}  // namespace vesal::infer
