// json, copy, functools, datetime, logging: what configurations use of them.
#include <ctime>

#include "base/json.h"
#include "base/log.h"
#include "bundle/allow.h"
#include "bundle/expr_runtime.h"
#include "bundle/resolver.h"

namespace vesal::bundle {
namespace {

/// datetime.datetime.now()
class Moment : public Object {
 public:
  explicit Moment(std::tm when) : when_(when) {}
  std::string type_name() const override { return "datetime"; }
  std::string repr() const override { return text("%Y-%m-%d %H:%M:%S"); }
  std::optional<Value> attribute(std::string_view name) override {
    if (name == "strftime")
      return make_function("strftime", [self = *this](const CallArgs& args) {
        return Value(self.text(bind("strftime", {required("format", "as in C")}, args)["format"].as_string()));
      });
    if (name == "isoformat") return make_function("isoformat", [self = *this](const CallArgs&) { return Value(self.text("%Y-%m-%dT%H:%M:%S")); });
    for (const auto& [part, value] : {std::pair{"year", when_.tm_year + 1900},
                                      {"month", when_.tm_mon + 1},
                                      {"day", when_.tm_mday},
                                      {"hour", when_.tm_hour},
                                      {"minute", when_.tm_min},
                                      {"second", when_.tm_sec}})
      if (name == part) return Value(value);
    return std::nullopt;
  }

 private:
  std::string text(const std::string& format) const {
    if (format.size() > 4096) expr::fail("a longer format than 4096 characters");
    std::string out(format.size() * 64 + 1, '\0');
    out.resize(std::strftime(out.data(), out.size(), format.c_str(), &when_));
    return out;
  }
  std::tm when_;
};

Value now(const CallArgs&) {
  const std::time_t t = std::time(nullptr);
  std::tm when{};
  localtime_r(&t, &when);
  return std::make_shared<Moment>(when);
}

Value partial(const CallArgs& args) {
  if (args.positional.empty()) expr::fail("functools.partial needs a function");
  CallArgs bound = args;
  const Value callee = bound.positional[0];
  bound.positional.erase(bound.positional.begin());
  expr::check_known(callee);
  return make_function("functools.partial", [callee, bound](const CallArgs& more) {
    CallArgs all = bound;
    all.positional.insert(all.positional.end(), more.positional.begin(), more.positional.end());
    for (const auto& entry : more.named) {
      std::erase_if(all.named, [&](const auto& a) { return a.first == entry.first; });
      all.named.push_back(entry);
    }
    return expr::call(callee, all);
  });
}

template <log::Level level>
Value say(const CallArgs& args) {
  log::write(level, args.positional.empty() ? "" : args.positional[0].str());
  return {};
}

/// A logger that configurations set the level of; vesal's own options decide what is shown.
class Logger : public Object {
 public:
  std::string type_name() const override { return "Logger"; }
  std::optional<Value> attribute(std::string_view name) override {
    if (name == "setLevel" || name == "addHandler" || name == "debug")
      return make_function(std::string(name), [](const CallArgs&) { return Value(); });
    if (name == "info") return make_function("info", say<log::Level::info>);
    if (name == "warning") return make_function("warning", say<log::Level::warning>);
    if (name == "error") return make_function("error", say<log::Level::error>);
    return std::nullopt;
  }
};

const AllowFunctions functions{
    {"functools.partial", partial},
    {"datetime.datetime.now", now},
    {"logging.info", say<log::Level::info>},
    {"logging.warning", say<log::Level::warning>},
    {"logging.error", say<log::Level::error>},
    {"logging.debug", say<log::Level::debug>},
    {"logging.getLogger", [](const CallArgs&) { return Value(std::make_shared<Logger>()); }},
};
const AllowBound loads("json.loads", {required("s", "JSON text")}, [](const Args& a) { return parse_json(a.get<std::string>("s")); });
const AllowBound dumps("json.dumps", {required("obj", "a value"), optional("indent", nullptr, "spaces")},
                       [](const Args& a) { return Value(to_json(a["obj"], a.is_none("indent") ? -1 : a.get<int>("indent"))); });
// Objects (transforms, networks) stay shared: configurations copy lists of transforms in order to change the list.
const AllowBound copies({"copy.deepcopy", "copy.copy"}, {required("x", "a value")}, [](const Args& a) { return deep_copy(a["x"]); });
const Allow levels[]{{"logging.DEBUG", 10}, {"logging.INFO", 20}, {"logging.WARNING", 30}, {"logging.ERROR", 40}, {"logging.CRITICAL", 50}};

}  // namespace
}  // namespace vesal::bundle
