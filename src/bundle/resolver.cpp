#include "bundle/resolver.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "bundle/expr_eval.h"
#include "bundle/expr_runtime.h"

namespace vesal::bundle {
namespace {

constexpr std::size_t kMaxWaiting = 500;

/// Names of one expression: the imports of the config, and the values its references stand for.
class Names : public expr::Environment {
 public:
  Names(std::shared_ptr<const std::map<std::string, std::string>> imports, std::map<std::string, Value> references)
      : imports_(std::move(imports)), references_(std::move(references)) {}
  std::optional<Value> name(const std::string& name) const override {
    const auto it = imports_->find(name);
    if (it == imports_->end()) return std::nullopt;
    return expr::lookup(it->second);
  }
  Value reference(const std::string& id) const override { return references_.at(id); }

 private:
  std::shared_ptr<const std::map<std::string, std::string>> imports_;
  std::map<std::string, Value> references_;
};

bool has_described(const Value& v, int depth = 0) {
  if (depth > 20) return true;
  if (v.object<Described>()) return true;
  if (v.is_sequence()) return std::any_of(v.items().begin(), v.items().end(), [&](const Value& i) { return has_described(i, depth + 1); });
  if (v.is_dict())
    for (const auto& [key, value] : v.as_dict())
      if (has_described(value, depth + 1)) return true;
  return false;
}

bool is_flag_set(const Value& v) {
  if (!v.is_string()) return expr::truth(v);
  std::string s = v.as_string();
  std::erase_if(s, [](char c) { return std::isspace(static_cast<unsigned char>(c)); });
  return lower(s) == "true";
}

}  // namespace

const Value* navigate(const Value& config, const std::string& id) {
  const Value* at = &config;
  if (id.empty()) return at;
  for (const std::string& key : split_id(id)) {
    const Value* next = nullptr;
    if (at->is_dict()) {
      next = at->as_dict().find(key);
      if (!next)
        for (const auto& [k, v] : at->as_dict())
          if (!k.is_string() && k.str() == key) next = &v;
    } else if (at->is_list() && !key.empty() && key.size() < 10 &&
               std::all_of(key.begin() + (key[0] == '-' && key.size() > 1), key.end(), [](unsigned char c) { return std::isdigit(c); })) {
      const auto n = static_cast<std::int64_t>(at->items().size());
      const std::int64_t raw = std::stoll(key), i = raw < 0 ? raw + n : raw;
      if (i >= 0 && i < n) next = &at->items()[static_cast<std::size_t>(i)];
    }
    if (!next) return nullptr;
    at = next;
  }
  return at;
}

bool is_component(const Value& v) { return v.is_dict() && v.as_dict().contains("_target_"); }
bool is_expression(const Value& v) { return v.is_string() && v.as_string().starts_with('$'); }

std::optional<Value> Described::attribute(std::string_view name) {
  for (const char* keeps : {"to", "cuda", "cpu", "eval", "train", "half", "float"})
    if (name == keeps) {
      const Value self = shared_from_this();
      return make_function(std::string(name), [self](const CallArgs&) { return self; });
    }
  throw Error(ErrorKind::unsupported, "needs the object itself");
}

Value undescribed(const Value& v) {
  if (const auto d = v.object<Described>()) return undescribed(d->shown);
  if (v.is_sequence()) {
    std::vector<Value> items;
    for (const Value& item : v.items()) items.push_back(undescribed(item));
    return v.is_list() ? Value(List{std::move(items)}) : Value(Tuple{std::move(items)});
  }
  if (!v.is_dict()) return v;
  Dict dict;
  for (const auto& [key, value] : v.as_dict()) dict[key] = undescribed(value);
  return dict;
}

Resolver::Resolver(const ConfigParser& parser)
    : parser_(parser), config_(resolve_macros(parser.config_, parser.folder_)), imports_(std::make_shared<std::map<std::string, std::string>>()) {
  collect_imports(config_);
}

void Resolver::collect_imports(const Value& config) {
  if (config.is_list())
    for (const Value& item : config.items()) collect_imports(item);
  if (config.is_dict())
    for (const auto& [key, value] : config.as_dict()) collect_imports(value);
  if (!is_expression(config)) return;
  const std::string& text = config.as_string();
  if (text.find("import") == std::string::npos) return;
  if (const auto import = expr::parse_import(std::string_view(text).substr(1))) {
    if (import->more) log::warning("'{}': only the first name is imported", text);
    (*imports_)[import->alias] = import->path;
  }
}

void Resolver::forget(const std::string& id) {
  std::erase_if(resolved_, [&](const auto& entry) { return entry.first.second == id; });
}

std::string Resolver::where(const std::string& id) const {
  const auto file = parser_.file_of(id);
  return (file.empty() ? "" : file.string() + ": ") + (id.empty() ? "the config" : "'" + id + "'");
}

Value Resolver::value_of(const std::string& id, const ParseOptions& options) {
  const Mode before = mode_;
  mode_ = {options.instantiate, options.eval_expr, options.keep_going};
  located_ = false;
  const std::size_t depth = waiting_.size();
  try {
    Value v = resolve(id, "");
    mode_ = before;
    return options.instantiate ? v : undescribed(v);
  } catch (...) {
    mode_ = before;
    waiting_.resize(depth);
    throw;
  }
}

Value Resolver::resolve(const std::string& id, const std::string& needed_by) {
  const auto key = std::pair(mode_, id);
  if (const auto it = resolved_.find(key); it != resolved_.end()) return it->second;
  if (std::find(waiting_.begin(), waiting_.end(), id) != waiting_.end()) {
    std::string cycle;
    for (auto it = std::find(waiting_.begin(), waiting_.end(), id); it != waiting_.end(); ++it) cycle += "@" + *it + " -> ";
    throw Error(ErrorKind::config, "references go in a circle: " + cycle + "@" + id);
  }
  if (waiting_.size() >= kMaxWaiting) throw Error(ErrorKind::refused, "a chain of more than " + std::to_string(kMaxWaiting) + " references");
  const Value* config = navigate(config_, id);
  if (!config) {
    const std::string told = needed_by.empty() ? "no id '" + id + "' in the config" : "@" + id + " is not in the config";
    std::vector<std::string> known;
    if (config_.is_dict())
      for (const auto& [k, v] : config_.as_dict()) known.push_back(k.str());
    throw Error(ErrorKind::not_found, told + suggestion(id, known));
  }
  waiting_.push_back(id);
  try {
    Value v = build(id, *config);
    waiting_.pop_back();
    return resolved_[key] = v;
  } catch (Error& e) {
    if (!located_) {
      located_ = true;
      e.wrap(where(id) + (is_expression(*config) ? ": " + config->as_string().substr(0, 300) : ""));
    }
    waiting_.pop_back();
    throw;
  }
}

Value Resolver::build(const std::string& id, const Value& config) {
  if (is_expression(config)) return mode_.evaluate ? expression(id, config.as_string()) : config;
  if (is_component(config)) return component(id, config.as_dict());
  if (config.is_string()) {
    const std::string& text = config.as_string();
    // "@id" as a whole; an "@" inside other text means nothing.
    const bool reference = text.size() > 1 && text[0] == '@' && std::all_of(text.begin() + 1, text.end(), [](unsigned char c) {
                             return std::isalnum(c) || c == '_' || c == ':' || c >= 0x80;
                           });
    return reference ? resolve(text.substr(1), id) : config;
  }
  return config.is_list() || config.is_dict() ? members(id, config) : config;
}

Value Resolver::child(const std::string& id, const Value& config) {
  if (!mode_.keep_going) return is_component(config) || is_expression(config) ? resolve(id, "") : build(id, config);
  const std::size_t depth = waiting_.size();
  try {
    return is_component(config) || is_expression(config) ? resolve(id, "") : build(id, config);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    waiting_.resize(depth);
    located_ = false;
    return Dict{{"_error_", e.what()}};
  }
}

Value Resolver::members(const std::string& id, const Value& config) {
  auto below = [&](const std::string& key) { return id.empty() ? key : id + "::" + key; };
  if (config.is_list()) {
    List list;
    for (std::size_t i = 0; i < config.items().size(); ++i) {
      Value v = child(below(std::to_string(i)), config.items()[i]);
      if (!(v.is_none() && is_component(config.items()[i]))) list.items.push_back(std::move(v));  // a disabled component is left out
    }
    return list;
  }
  Dict dict;
  for (const auto& [key, value] : config.as_dict()) {
    Value v = child(below(key.str()), value);
    if (!(v.is_none() && is_component(value))) dict[key] = std::move(v);
  }
  return dict;
}

Value Resolver::component(const std::string& id, const Dict& config) {
  if (!mode_.instantiate) return std::make_shared<Described>(members(id, config));
  if (const Value* disabled = config.find("_disabled_"))
    if (is_flag_set(child(id + "::_disabled_", *disabled))) return {};
  CallArgs args;
  Value target;
  std::string mode = "default";
  for (const auto& [key, value] : config) {
    const std::string name = key.str();
    if (name == "_disabled_" || name == "_desc_" || name == "_debug_") continue;
    Value v = child(id + "::" + name, value);
    if (name == "_target_") target = std::move(v);
    else if (name == "_mode_") mode = v.as_string();
    else if (name != "_requires_" && !(v.is_none() && is_component(value))) args.named.emplace_back(name, std::move(v));
  }
  return construct_target(id, target, mode, std::move(args));
}

Value Resolver::construct_target(const std::string&, const Value& target, const std::string& mode, CallArgs args) {
  if (mode != "default" && mode != "callable" && mode != "debug")
    throw Error(ErrorKind::config, "_mode_ '" + mode + "' is none of default, callable, debug");
  if (mode == "debug") log::warning("_mode_ debug has no debugger here; the component is made as by default");
  Value callee = target;
  std::string name = target.type_name();
  if (target.is_string()) {
    name = target.as_string();
    if (const Component* component = components::find(name)) {
      callee = expr::component_value(*component);
    } else {
      callee = expr::lookup(name);
      if (const auto module = callee.object<expr::Module>()) {
        if (!module->known() && (name.starts_with("scripts.") || name == "scripts")) expr::check_known(callee);
        components::get(name);  // throws, naming what there is
      }
    }
  }
  if (!callee.is_object()) return callee;
  if (mode != "callable") return with_context(callee.object<Function>() ? name : "constructing", [&] { return call_value(callee, args); });
  if (args.named.empty()) return callee;
  return make_function(name, [callee, args](const CallArgs& more) {
    CallArgs all = args;
    all.positional = more.positional;
    for (const auto& entry : more.named) {
      std::erase_if(all.named, [&](const auto& a) { return a.first == entry.first; });
      all.named.push_back(entry);
    }
    return call_value(callee, all);
  });
}

Value Resolver::expression(const std::string& id, const std::string& text) {
  const std::string_view source = std::string_view(text).substr(1);
  if (const auto import = expr::parse_import(source)) return expr::lookup(import->path);
  const expr::NodePtr tree = expr::parse(source);
  std::map<std::string, Value> values;
  bool described = false;
  for (const std::string& reference : expr::references(tree)) {
    values[reference] = resolve(reference, id);
    described = described || (!mode_.instantiate && has_described(values[reference]));
  }
  try {
    return expr::evaluate(tree, std::make_shared<Names>(imports_, std::move(values)));
  } catch (const Error& e) {
    if (!described || e.kind() == ErrorKind::refused || e.kind() == ErrorKind::cancelled) throw;
    return std::make_shared<Described>(text);  // it needs an object that is not made
  }
}

}  // namespace vesal::bundle
