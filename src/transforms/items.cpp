// Items of a dictionary chosen, copied, deleted, joined and unpacked: SelectItemsd, CopyItemsd, DeleteItemsd, ConcatItemsd,
// FlattenSubKeysd (monai.transforms), and Identity.
#include <regex>

#include "base/log.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

using Keys = std::vector<std::string>;

/// A dictionary transform that is one function of the item.
class ItemTransform : public Transform {
 public:
  using Work = std::function<Dict(Dict item)>;
  ItemTransform(std::string name, Work work) : name_(std::move(name)), work_(std::move(work)) {}
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    return with_context(name_, [&] { return work_(data.as_dict()); });
  }

 private:
  std::string name_;
  Work work_;
};

void add(const std::string& base, const std::string& summary, std::vector<Param> params, std::function<ItemTransform::Work(const Args&)> make) {
  const std::string name = base + "d";
  components::add(
      {"transform", name, {base + "D", base + "Dict"}, summary, std::move(params), [name, make = std::move(make)](const Args& args) -> Value {
         return std::make_shared<ItemTransform>(name, make(args));
       }});
}

/// A copy that later transforms may change without the original noticing.
Value deep_copy(const Value& v) {
  if (v.is_array()) return v.as_array().clone();
  if (v.is_list() || v.is_tuple()) {
    std::vector<Value> items;
    for (const Value& item : v.items()) items.push_back(deep_copy(item));
    return v.is_list() ? Value(List{std::move(items)}) : Value(Tuple{std::move(items)});
  }
  if (!v.is_dict()) return v;  // images are never changed in place
  Dict out;
  for (const auto& [key, value] : v.as_dict()) out[key] = deep_copy(value);
  return out;
}

Dict copied(Dict item, const Keys& keys, const Keys& names, bool allow_missing) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& key = keys[i % keys.size()];
    if (present_keys(item, {key}, allow_missing, "CopyItemsd").empty()) continue;
    if (item.contains(names[i])) throw Error(ErrorKind::config, "the item has '" + names[i] + "' already");
    item[names[i]] = deep_copy(Value(item.at(key)));
  }
  return item;
}

ItemTransform::Work copy_work(const Args& args) {
  const Keys keys = args.get<Keys>("keys");
  const auto times = args.get<std::int64_t>("times");
  if (times < 1) throw Error(ErrorKind::config, args.component() + ": times must be positive");
  Keys names;
  if (!args.is_none("names")) names = args.get<Keys>("names");
  else
    for (const std::string& key : keys)
      for (std::int64_t i = 0; i < times; ++i) names.push_back(key + "_" + std::to_string(i));
  if (static_cast<std::int64_t>(names.size()) != static_cast<std::int64_t>(keys.size()) * times)
    throw Error(ErrorKind::config, args.component() + ": " + std::to_string(names.size()) + " names for " + std::to_string(keys.size()) + " keys, " +
                                       std::to_string(times) + " times");
  return [keys, names, allow = args.get<bool>("allow_missing_keys")](Dict item) { return copied(std::move(item), keys, names, allow); };
}

/// Without the entries that `key` names; a path of keys goes into dictionaries.
Dict without(const Dict& item, const std::string& key, const std::string& separator, bool pattern) {
  const auto cut = separator.empty() ? std::string::npos : key.find(separator);
  Dict out;
  if (cut != std::string::npos) {
    const std::string first = key.substr(0, cut);
    out = item;
    out[first] = without(item.at(first).as_dict(), key.substr(cut + separator.size()), separator, pattern);
    return out;
  }
  const std::regex expression(pattern ? key : "");
  for (const auto& [name, value] : item)
    if (pattern ? !std::regex_search(name.str(), expression) : !(name == Value(key))) out[name] = value;
  return out;
}

ItemTransform::Work delete_work(const Args& args) {
  const Keys keys = args.get<Keys>("keys");
  auto patterns = args.get<std::vector<bool>>("use_re");
  if (patterns.size() == 1) patterns.resize(keys.size(), patterns[0]);
  if (patterns.size() != keys.size()) throw Error(ErrorKind::config, args.component() + ": use_re wants one entry or one per key");
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (patterns[i])
      with_context(
          args.component(), [&] { return std::regex(keys[i]); }, ErrorKind::config);
  return [keys, patterns, separator = args.get<std::string>("sep")](Dict item) {
    for (std::size_t i = 0; i < keys.size(); ++i) item = without(item, keys[i], separator, patterns[i]);
    return item;
  };
}

ItemTransform::Work concat_work(const Args& args) {
  return [keys = args.get<Keys>("keys"), name = args.get<std::string>("name"), dim = args.get<int>("dim"),
          allow = args.get<bool>("allow_missing_keys")](Dict item) {
    std::vector<Array> parts;
    Value first;
    for (const std::string& key : present_keys(item, keys, allow, "ConcatItemsd")) {
      const Value& value = item.at(key);
      if (parts.empty()) first = value;
      parts.push_back(image::array_of(value));
      if (parts.back().dtype() != parts[0].dtype())
        throw Error(ErrorKind::shape,
                    "'" + key + "' is " + std::string(name_of(parts.back().dtype())) + ", the first is " + std::string(name_of(parts[0].dtype())));
    }
    if (parts.empty()) return item;
    Array joined = concatenate(parts, dim);
    const auto image = first.object<Image>();
    item[name] = image ? image::to_value(image->with(std::move(joined))) : Value(std::move(joined));
    return item;
  };
}

ItemTransform::Work flatten_work(const Args& args) {
  return [keys = args.get<Keys>("keys"), sub_keys = args.get<std::optional<Keys>>("sub_keys"), remove = args.get<bool>("delete_keys"),
          prefix = args.get<std::optional<std::string>>("prefix")](Dict item) {
    for (const std::string& key : keys) {
      const Dict inner = item.at(key).as_dict();
      std::vector<Value> names;
      if (sub_keys) names.assign(sub_keys->begin(), sub_keys->end());
      else
        for (const auto& entry : inner) names.push_back(entry.first);
      for (const Value& name : names) {
        const Value top = prefix && !prefix->empty() ? Value(*prefix + "_" + name.str()) : name;
        if (item.contains(top)) throw Error(ErrorKind::config, "the item has " + top.repr() + " already; another prefix avoids that");
        item[top] = inner.at(name);
      }
      if (remove) item.erase(key);
    }
    return item;
  };
}

class Identity : public Transform {
 public:
  std::string type_name() const override { return "Identity"; }
  Value apply(const Value& data) const override { return data; }
};

const RegisterTransform identity({
    .name = "Identity",
    .summary = "Leaves the data as they are",
    .params = {},
    .per_key = {},
    .make = [](const Args&) -> TransformPtr { return std::make_shared<Identity>(); },
});

const bool registered = [] {
  const Param keys = required("keys", "keys of the items"), missing = optional("allow_missing_keys", false, "skip keys the item does not have");
  add("SelectItems", "Keep only some items (dictionary form)", {keys, missing}, [](const Args& args) -> ItemTransform::Work {
    return [keys = args.get<Keys>("keys"), allow = args.get<bool>("allow_missing_keys")](const Dict& item) {
      Dict out;
      for (const std::string& key : present_keys(item, keys, allow, "SelectItemsd")) out[key] = item.at(key);
      return out;
    };
  });
  add("CopyItems", "Copy items under other names (dictionary form)",
      {keys, optional("times", 1, "copies of each"), optional("names", Value(), "of the copies, all keys' first ones first; KEY_INDEX if none"),
       missing},
      copy_work);
  add("DeleteItems", "Drop items (dictionary form)",
      {required("keys", "keys to drop; A.B names B in the dictionary A"), optional("sep", ".", "between the keys of nested dictionaries"),
       optional("use_re", false, "the last part is a regular expression, one or one per key")},
      delete_work);
  add("ConcatItems", "Join arrays (dictionary form)",
      {keys, required("name", "key of the result, which has the first one's metadata"), optional("dim", 0, "axis to join along"), missing},
      concat_work);
  add("FlattenSubKeys", "Move the entries of dictionaries one level up (dictionary form)",
      {keys, optional("sub_keys", Value(), "entries to move; all if none"), optional("delete_keys", true, "drop the dictionaries"),
       optional("prefix", Value(), "PREFIX_ in front of the moved keys")},
      flatten_work);
  return true;
}();

}  // namespace
}  // namespace vesal::transforms
