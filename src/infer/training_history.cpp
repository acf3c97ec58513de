#include "infer/training_history.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/registry.h"

namespace vesal::infer {
namespace {

Value number(double v) { return std::isnan(v) ? Value() : Value(v); }
double number_of(const Value& v) { return v.is_none() ? std::numeric_limits<double>::quiet_NaN() : v.as_float(); }

Dict numbers(const std::map<std::string, double>& values) {
  Dict out;
  for (const auto& [name, value] : values) out[name] = number(value);
  return out;
}
std::map<std::string, double> numbers_of(const Value& value) {
  std::map<std::string, double> out;
  for (const auto& [name, v] : value.as_dict()) out[name.as_string()] = number_of(v);
  return out;
}

}  // namespace

Value to_value(const History& history) {
  List list;
  for (const EpochRecord& r : history)
    list.items.emplace_back(Dict{{"epoch", r.epoch},
                                 {"loss", number(r.loss)},
                                 {"learning_rate", number(r.learning_rate)},
                                 {"seconds", number(r.seconds)},
                                 {"metrics", numbers(r.metrics)},
                                 {"validation", numbers(r.validation)}});
  return list;
}

History history_of(const Value& value) {
  return with_context(
      "history of a training",
      [&] {
        History history;
        for (const Value& v : value.items()) {
          const Dict& d = v.as_dict();
          history.push_back({d.at("epoch").as_int(), number_of(d.at("loss")), number_of(d.at("learning_rate")), number_of(d.at("seconds")),
                             numbers_of(d.at("metrics")), numbers_of(d.at("validation"))});
        }
        return history;
      },
      ErrorKind::format);
}

}  // namespace vesal::infer
