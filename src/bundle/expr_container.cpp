// Methods of lists, tuples and dicts.
#include <algorithm>
#include <map>

#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

using Args = CallArgs;
using Method = Value (*)(const Value& self, const Args& args);

const Value& arg(const Args& args, std::size_t i) {
  if (i >= args.positional.size()) fail("a method got too few arguments");
  return args.positional[i];
}

/// Putting objects into containers again and again builds towers that nothing can walk or free: each costs a part of the budget,
/// and what is put in must itself be shallow. Numbers, text and arrays go in freely.
void check_stored(const Value& v) {
  const Deeper level;
  spend();
  if (v.is_object() && !v.object<image::Image>()) spend(100'000);
  if (v.is_sequence())
    for (const Value& item : v.items()) check_stored(item);
  if (v.is_dict())
    for (const auto& [key, value] : v.as_dict()) check_stored(value);
}

std::int64_t index_of(const Value& self, const Value& wanted) {
  const auto& items = self.items();
  for (std::size_t i = 0; i < items.size(); ++i)
    if (truth(compare("==", items[i], wanted))) return static_cast<std::int64_t>(i);
  return -1;
}

const std::map<std::string, Method, std::less<>> kSequence{
    {"index",
     [](const Value& self, const Args& a) {
       const std::int64_t i = index_of(self, arg(a, 0));
       if (i < 0) fail(arg(a, 0).repr() + " is not in the list");
       return Value(i);
     }},
    {"count",
     [](const Value& self, const Args& a) {
       std::int64_t n = 0;
       for (const Value& v : self.items()) n += truth(compare("==", v, arg(a, 0)));
       return Value(n);
     }},
};

const std::map<std::string, Method, std::less<>> kList{
    {"append",
     [](const Value& self, const Args& a) {
       check_stored(arg(a, 0));
       Value(self).mutable_items().push_back(arg(a, 0));
       return Value();
     }},
    {"extend",
     [](const Value& self, const Args& a) {
       const std::vector<Value> more = drain(arg(a, 0));
       for (const Value& v : more) check_stored(v);
       auto& items = Value(self).mutable_items();
       items.insert(items.end(), more.begin(), more.end());
       return Value();
     }},
    {"insert",
     [](const Value& self, const Args& a) {
       check_stored(arg(a, 1));
       auto& items = Value(self).mutable_items();
       const auto n = static_cast<std::int64_t>(items.size());
       const std::int64_t raw = arg(a, 0).as_int(), i = std::clamp<std::int64_t>(raw < 0 ? raw + n : raw, 0, n);
       spend(n / 16);
       items.insert(items.begin() + i, arg(a, 1));
       return Value();
     }},
    {"pop",
     [](const Value& self, const Args& a) {
       auto& items = Value(self).mutable_items();
       const auto n = static_cast<std::int64_t>(items.size());
       std::int64_t i = a.positional.empty() ? n - 1 : a.positional[0].as_int();
       if (i < 0 && !a.positional.empty()) i += n;
       if (i < 0 || i >= n) fail("pop from a place outside of the list");
       const Value v = items[static_cast<std::size_t>(i)];
       spend((n - i) / 16);
       items.erase(items.begin() + i);
       return v;
     }},
    {"remove",
     [](const Value& self, const Args& a) {
       const std::int64_t i = index_of(self, arg(a, 0));
       if (i < 0) fail(arg(a, 0).repr() + " is not in the list");
       auto& items = Value(self).mutable_items();
       items.erase(items.begin() + i);
       return Value();
     }},
    {"reverse",
     [](const Value& self, const Args&) {
       auto& items = Value(self).mutable_items();
       spend(static_cast<std::int64_t>(items.size()));
       std::reverse(items.begin(), items.end());
       return Value();
     }},
    {"sort",
     [](const Value& self, const Args& a) {
       const Value* sorted = allowed::find("sorted");
       Args all{{self}, a.named};
       Value(self).mutable_items() = std::vector<Value>(call_value(*sorted, all).items());
       return Value();
     }},
    {"clear",
     [](const Value& self, const Args&) {
       Value(self).mutable_items().clear();
       return Value();
     }},
    {"copy", [](const Value& self, const Args&) { return Value(List{self.items()}); }},
};

List pairs(const Value& self, bool keys, bool values) {
  List list;
  for (const auto& [k, v] : self.as_dict()) {
    spend();
    list.items.push_back(keys && values ? Value(Tuple{{k, v}}) : keys ? k : v);
  }
  return list;
}

void update(const Value& self, const Args& a) {
  Dict& dict = Value(self).mutable_dict();
  auto put = [&](const Value& key, const Value& value) {
    check_hashable(key);
    check_stored(value);
    dict[key] = value;
  };
  for (const Value& more : a.positional) {
    if (more.is_dict()) {
      for (const auto& [k, v] : Dict(more.as_dict())) put(k, v);
    } else {
      for (const Value& pair : drain(more)) put(item(pair, 0), item(pair, 1));
    }
  }
  for (const auto& [k, v] : a.named) put(k, v);
}

const std::map<std::string, Method, std::less<>> kDict{
    {"keys", [](const Value& self, const Args&) { return Value(pairs(self, true, false)); }},
    {"values", [](const Value& self, const Args&) { return Value(pairs(self, false, true)); }},
    {"items", [](const Value& self, const Args&) { return Value(pairs(self, true, true)); }},
    {"get",
     [](const Value& self, const Args& a) {
       const Value* v = self.as_dict().find(arg(a, 0));
       if (v) return *v;
       if (a.positional.size() > 1) return a.positional[1];
       return Value();
     }},
    {"copy", [](const Value& self, const Args&) { return Value(Dict(self.as_dict())); }},
    {"update",
     [](const Value& self, const Args& a) {
       update(self, a);
       return Value();
     }},
    {"setdefault",
     [](const Value& self, const Args& a) {
       check_hashable(arg(a, 0));
       Dict& dict = Value(self).mutable_dict();
       if (const Value* v = dict.find(arg(a, 0))) return *v;
       const Value v = a.positional.size() > 1 ? a.positional[1] : Value();
       check_stored(v);
       return dict[arg(a, 0)] = v;
     }},
    {"pop",
     [](const Value& self, const Args& a) {
       Dict& dict = Value(self).mutable_dict();
       if (const Value* v = dict.find(arg(a, 0))) {
         const Value taken = *v;
         spend(static_cast<std::int64_t>(dict.size()));
         dict.erase(arg(a, 0));
         return taken;
       }
       if (a.positional.size() < 2) fail("no key " + arg(a, 0).repr());
       return a.positional[1];
     }},
};

std::optional<Value> method(const std::map<std::string, Method, std::less<>>& table, const Value& self, const std::string& type,
                            const std::string& name) {
  const auto it = table.find(name);
  if (it == table.end()) return std::nullopt;
  return make_function(type + "." + name, [self, f = it->second](const CallArgs& args) { return f(self, args); });
}

}  // namespace

std::optional<Value> list_method(const Value& list, const std::string& name) {
  if (list.is_list())
    if (auto m = method(kList, list, "list", name)) return m;
  return method(kSequence, list, list.type_name(), name);
}

std::optional<Value> dict_method(const Value& dict, const std::string& name) { return method(kDict, dict, "dict", name); }

}  // namespace vesal::bundle::expr
