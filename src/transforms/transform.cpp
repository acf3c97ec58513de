#include "transforms/transform.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/cancel.h"

namespace vesal::transforms {
namespace {

/// Applies one array transform per key.
class MapTransform : public Transform {
 public:
  MapTransform(std::string name, std::vector<std::string> keys, bool allow_missing, std::vector<TransformPtr> each)
      : name_(std::move(name)), keys_(std::move(keys)), allow_missing_(allow_missing), each_(std::move(each)) {}
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      Value* value = item.find(keys_[i]);
      if (!value) {
        present_keys(item, {keys_[i]}, allow_missing_, name_);
        continue;
      }
      *value = with_context(name_ + " of '" + keys_[i] + "'", [&] { return each_[i]->apply(*value); });
    }
    return item;
  }

 private:
  std::string name_;
  std::vector<std::string> keys_;
  bool allow_missing_;
  std::vector<TransformPtr> each_;
};

Value make_map_transform(const TransformSpec& spec, const Args& args) {
  const auto keys = args.get<std::vector<std::string>>("keys");
  std::vector<TransformPtr> each;
  for (std::size_t i = 0; i < keys.size(); ++i) each.push_back(spec.make(args_of_key(args, spec.per_key, i)));
  return std::make_shared<MapTransform>(spec.name + "d", keys, args.get<bool>("allow_missing_keys"), std::move(each));
}

std::vector<Param> dict_params_of(const TransformSpec& spec) {
  std::vector<Param> params{required("keys", "keys of the items to transform")}, last;
  for (const Param& p : spec.params) (p.name == "lazy" || p.rest ? last : params).push_back(p);
  params.insert(params.end(), spec.dict_params.begin(), spec.dict_params.end());
  const auto place = [&](const Param& p) { return std::find(spec.dict_order.begin(), spec.dict_order.end(), p.name); };
  std::stable_sort(params.begin() + 1, params.end(), [&](const Param& a, const Param& b) { return place(a) < place(b); });
  params.push_back(optional("allow_missing_keys", false, "skip keys the item does not have"));
  params.insert(params.end(), last.begin(), last.end());
  return params;
}

}  // namespace

Value Transform::call(const CallArgs& args) {
  if (args.positional.empty()) throw Error(ErrorKind::config, type_name() + " wants the data to transform");
  return apply(args.positional[0]);
}

namespace {
std::atomic<std::uint64_t> randomizables = 0;
thread_local Random* scope_random = nullptr;
}  // namespace

Randomizable::Randomizable() : number_(randomizables++) {}

void Randomizable::set_seed(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  seed_ = seed;
  applied_ = 0;
}

Random Randomizable::next_stream() const {
  if (scope_random) return Random(scope_random->next());
  const std::lock_guard lock(mutex_);
  return Random(mix_seed(seed_ ? *seed_ : mix_seed(global_seed(), number_), applied_++));
}

RandomScope::RandomScope(std::uint64_t seed) : random_(seed), outer_(std::exchange(scope_random, &random_)) {}
RandomScope::~RandomScope() { scope_random = outer_; }

Value apply(const Value& transform, const Value& data) {
  check_cancelled();
  if (auto known = transform.object<Transform>()) return known->apply(data);
  return call_value(transform, {{data}, {}});
}

RegisterTransform::RegisterTransform(TransformSpec spec) {
  std::vector<Param> array_params = spec.params;
  // The dictionary-only arguments keep their defaults in the array form's Args, so that make() can read them.
  Component array{"transform", spec.name, {}, spec.summary, array_params, nullptr};
  array.make = [spec](const Args& args) -> Value {
    Dict all = args.all();
    for (const Param& p : spec.dict_params)
      if (p.fallback && !all.contains(p.name)) all[p.name] = *p.fallback;
    return spec.make(Args(spec.name, std::move(all)));
  };
  components::add(std::move(array));

  components::add({"transform",
                   spec.name + "d",
                   {spec.name + "D", spec.name + "Dict"},
                   spec.summary + " (dictionary form)",
                   dict_params_of(spec),
                   [spec](const Args& args) -> Value { return spec.make_dict ? Value(spec.make_dict(args)) : make_map_transform(spec, args); }});
}

Args args_of_key(const Args& args, const std::vector<std::string>& per_key, std::size_t i) {
  const std::size_t keys = args.get<std::vector<std::string>>("keys").size();
  Dict own = args.all();
  for (const std::string& name : per_key) {
    const Value v = own.at(name);
    if (!v.is_sequence()) continue;
    if (v.items().size() != keys)
      throw Error(ErrorKind::config,
                  args.component() + ": " + name + " has " + std::to_string(v.items().size()) + " entries for " + std::to_string(keys) + " keys");
    own[name] = v.items()[i];
  }
  return Args(args.component(), std::move(own));
}

std::vector<std::string> present_keys(const Dict& item, const std::vector<std::string>& keys, bool allow_missing, const std::string& transform) {
  std::vector<std::string> found;
  for (const std::string& key : keys) {
    if (item.contains(key)) found.push_back(key);
    else if (!allow_missing) with_context(transform, [&] { (void)item.at(key); });
  }
  return found;
}

}  // namespace vesal::transforms
