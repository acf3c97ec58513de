#include "transforms/compose.h"

#include <random>

namespace vesal::transforms {
namespace {

std::string name_of_callable(const Value& callable) {
  if (auto function = callable.object<Function>()) return function->name();
  return callable.type_name();
}

Value apply_one(const Value& transform, const Value& data, int map_items, bool unpack_items) {
  if (data.is_sequence() && map_items > 0) {
    List out;
    for (const Value& item : data.items()) out.items.push_back(apply_one(transform, item, map_items - 1, unpack_items));
    return out;
  }
  if (unpack_items && data.is_tuple() && !transform.object<Transform>()) return call_value(transform, {data.items(), {}});
  return transforms::apply(transform, data);
}

std::vector<Value> flattened(const std::vector<Value>& transforms) {
  std::vector<Value> flat;
  for (const Value& t : transforms) {
    if (auto inner = t.object<Compose>()) {
      for (Value& v : flattened(inner->transforms())) flat.push_back(std::move(v));
    } else {
      flat.push_back(t);
    }
  }
  return flat;
}

std::vector<Value> callables(const Value& transforms) {
  std::vector<Value> list;
  if (transforms.is_none()) return list;
  if (!transforms.is_sequence()) {
    list.push_back(transforms);
  } else {
    for (const Value& t : transforms.items())
      if (!t.is_none()) list.push_back(t);
  }
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!list[i].is_object())
      throw Error(ErrorKind::config, "transforms[" + std::to_string(i) + "] is no transform but " + list[i].type_name() + " " + list[i].repr());
  return list;
}

const Register registered({
    .kind = "transform",
    .name = "Compose",
    .aliases = {},
    .summary = "Transforms and other callables, one after the other",
    .params = {optional("transforms", nullptr, "the callables, in order"),
               optional("map_items", true, "levels of lists whose items are transformed one by one"),
               optional("unpack_items", false, "hand a tuple on as separate arguments"),
               optional("log_stats", false, "accepted, errors always name the transform"),
               optional("lazy", false, "accepted, resampling is never deferred between transforms"),
               optional("overrides", nullptr, "accepted, only for lazy")},
    .make = [](const Args& args) -> Value {
      return std::make_shared<Compose>(with_context("Compose", [&] { return callables(args["transforms"]); }), args.get<int>("map_items"),
                                       args.get<bool>("unpack_items"));
    },
});

}  // namespace

Value Compose::consume(Value current) const {
  for (std::size_t i = 0; i < transforms_.size(); ++i) {
    if (transforms_[i].object<Transform>()) current = apply_one(transforms_[i], current, map_items_, unpack_items_);
    else
      current = with_context("transforms[" + std::to_string(i) + "] " + name_of_callable(transforms_[i]),
                             [&] { return apply_one(transforms_[i], current, map_items_, unpack_items_); });
  }
  return current;
}

void Compose::set_seed(std::uint64_t seed) {
  std::mt19937_64 draw(seed);
  for (const Value& t : transforms_)
    if (auto random = std::dynamic_pointer_cast<Randomizable>(t.is_object() ? t.as_object() : nullptr)) random->set_seed(draw());
}

std::optional<Value> Compose::attribute(std::string_view name) {
  if (name == "transforms") return Value(Tuple{transforms_});
  if (name == "map_items") return Value(map_items_);
  if (name == "unpack_items") return Value(unpack_items_);
  auto self = std::static_pointer_cast<Compose>(shared_from_this());
  if (name == "flatten")
    return make_function("flatten", [self](const CallArgs&) -> Value {
      return std::make_shared<Compose>(flattened(self->transforms_), self->map_items_, self->unpack_items_);
    });
  if (name == "set_random_state")
    return make_function("set_random_state", [self](const CallArgs& args) -> Value {
      const Args bound = bind("set_random_state", {optional("seed", nullptr, ""), optional("state", nullptr, "")}, args);
      self->set_seed(bound.is_none("seed") ? std::random_device{}() : bound.get<std::uint64_t>("seed"));
      return self;
    });
  return std::nullopt;
}

std::optional<Value> Compose::index(const Value& key) {
  const auto n = static_cast<std::int64_t>(transforms_.size());
  const std::int64_t i = key.as_int() < 0 ? key.as_int() + n : key.as_int();
  if (i < 0 || i >= n) throw Error(ErrorKind::config, "Compose has " + std::to_string(n) + " transforms, index " + std::to_string(key.as_int()));
  return transforms_[static_cast<std::size_t>(i)];
}

std::shared_ptr<Compose> compose(const Value& transforms) {
  if (auto already = transforms.object<Compose>()) return already;
  return std::make_shared<Compose>(callables(transforms));
}

}  // namespace vesal::transforms
