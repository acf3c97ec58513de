#include "base/json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace vesal {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kMaxDepth = 200, kMaxWritten = 1000;

/// Builds a Value from parser events; duplicate keys: the last one wins, as in Python.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Value result;
  std::string failure;

  bool null() override { return put(Value()); }
  bool boolean(bool v) override { return put(v); }
  bool number_integer(number_integer_t v) override { return put(v); }
  bool number_unsigned(number_unsigned_t v) override {
    if (v > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) return put(static_cast<double>(v));
    return put(static_cast<std::int64_t>(v));
  }
  bool number_float(number_float_t v, const string_t&) override { return put(v); }
  bool string(string_t& v) override { return put(Value(v)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value(Dict{})); }
  bool key(string_t& v) override {
    keys_.back() = v;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Value(List{})); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    failure = e.what();
    return false;
  }

 private:
  bool put(Value v) {
    if (stack_.empty()) result = std::move(v);
    else if (stack_.back().is_list()) stack_.back().mutable_items().push_back(std::move(v));
    else stack_.back().mutable_dict()[keys_.back()] = std::move(v);
    return true;
  }
  bool open(Value container) {
    if (stack_.size() >= kMaxDepth) {
      failure = "nested deeper than " + std::to_string(kMaxDepth);
      return false;
    }
    put(container);
    stack_.push_back(std::move(container));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    stack_.pop_back();
    keys_.pop_back();
    return true;
  }
  std::vector<Value> stack_;
  std::vector<std::string> keys_;
};

Json convert_value(const Value& v, int depth = 0) {
  if (depth > kMaxWritten) throw Error(ErrorKind::format, "values nested deeper than " + std::to_string(kMaxWritten) + " as JSON");
  if (v.is_none()) return nullptr;
  if (v.is_bool()) return v.as_bool();
  if (v.is_int()) return v.as_int();
  if (v.is_float()) return std::isfinite(v.as_float()) ? Json(v.as_float()) : Json(v.repr());
  if (v.is_string()) return v.as_string();
  if (v.is_sequence()) {
    Json list = Json::array();
    for (const Value& item : v.items()) list.push_back(convert_value(item, depth + 1));
    return list;
  }
  if (v.is_dict()) {
    Json dict = Json::object();
    for (const auto& [key, value] : v.as_dict()) dict[key.str()] = convert_value(value, depth + 1);
    return dict;
  }
  return v.repr();
}

}  // namespace

Value parse_json(std::string_view text) {
  Builder builder;
  if (!Json::sax_parse(text, &builder)) {
    std::string why = builder.failure;
    if (const auto bracket = why.find("] "); bracket != std::string::npos) why = why.substr(bracket + 2);
    throw Error(ErrorKind::format, "not JSON: " + why);
  }
  return builder.result;
}

std::string to_json(const Value& value, int indent) { return convert_value(value).dump(indent, ' ', false, Json::error_handler_t::replace); }

}  // namespace vesal
