#include "dicom/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "base/error.h"

namespace vesal::dicom {
namespace {

const Value& empty_mapping() {
  static const Value empty{Dict{}};
  return empty;
}

/// A number and its unit; the unit must be one of `units`, and gives the factor.
std::optional<double> measured(const std::string& text, const std::vector<std::pair<const char*, double>>& units) {
  std::size_t used = 0;
  double number = 0;
  try {
    number = std::stod(text, &used);
  } catch (const std::exception&) { return std::nullopt; }
  std::string unit = text.substr(used);
  unit.erase(0, unit.find_first_not_of(' ') == std::string::npos ? unit.size() : unit.find_first_not_of(' '));
  for (const auto& [name, factor] : units)
    if (unit == name) return number * factor;
  return std::nullopt;
}

}  // namespace

Settings::Settings(const Value& value, std::string where) : value_(&value), where_(std::move(where)) {
  if (value.is_none()) value_ = &empty_mapping();
  else if (!value.is_dict()) throw Error(ErrorKind::config, where_ + ": a mapping (key: value) is wanted, not " + value.type_name());
}

bool Settings::has(const std::string& key) const { return value_->as_dict().contains(key); }

const Value* Settings::find(const std::string& key) {
  asked_.insert(key);
  return value_->as_dict().find(key);
}

void Settings::fail(const std::string& key, const std::string& why) const { throw Error(ErrorKind::config, where_ + ": " + key + ": " + why); }

std::string Settings::text(const std::string& key) {
  const std::string found = text(key, "");
  if (found.empty()) fail(key, "is missing");
  return found;
}

std::string Settings::text(const std::string& key, const std::string& otherwise) {
  const Value* value = find(key);
  if (!value || value->is_none()) return otherwise;
  if (value->is_int()) return std::to_string(value->as_int());
  if (!value->is_string()) fail(key, "a text is wanted, not " + value->repr());
  return value->as_string();
}

std::vector<std::string> Settings::texts(const std::string& key) {
  const Value* value = find(key);
  std::vector<std::string> out;
  if (!value || value->is_none()) return out;
  if (value->is_string()) return {value->as_string()};
  if (!value->is_list()) fail(key, "a list of texts is wanted, not " + value->repr());
  for (const Value& item : value->items()) {
    if (!item.is_string()) fail(key, "a list of texts is wanted; " + item.repr() + " is none");
    out.push_back(item.as_string());
  }
  return out;
}

std::int64_t Settings::integer(const std::string& key, std::int64_t otherwise, std::int64_t low, std::int64_t high) {
  const Value* value = find(key);
  if (!value || value->is_none()) return otherwise;
  if (!value->is_int() || value->as_int() < low || value->as_int() > high)
    fail(key, fmt::format("a whole number from {} to {} is wanted, not {}", low, high, value->repr()));
  return value->as_int();
}

bool Settings::flag(const std::string& key, bool otherwise) {
  const Value* value = find(key);
  if (!value || value->is_none()) return otherwise;
  if (!value->is_bool()) fail(key, "true or false is wanted, not " + value->repr());
  return value->as_bool();
}

std::chrono::milliseconds Settings::duration(const std::string& key, std::chrono::milliseconds otherwise) {
  const Value* value = find(key);
  if (!value || value->is_none()) return otherwise;
  const std::optional<double> ms = value->is_string()
                                       ? measured(value->as_string(), {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}, {"", 1e3}})
                                   : value->is_int() || value->is_float() ? std::optional<double>(value->as_float() * 1e3)
                                                                          : std::nullopt;
  if (!ms || !(*ms >= 0) || *ms > 3.2e11) fail(key, "a duration is wanted (30s, 5m, 2h, 7d), not " + value->repr());
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::llround(*ms)));
}

std::uint64_t Settings::bytes(const std::string& key, std::uint64_t otherwise) {
  const Value* value = find(key);
  if (!value || value->is_none()) return otherwise;
  const std::optional<double> n = value->is_string()
                                      ? measured(value->as_string(), {{"B", 1}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"", 1}})
                                  : value->is_int() ? std::optional<double>(value->as_float())
                                                    : std::nullopt;
  if (!n || !(*n >= 0) || *n > 1e15) fail(key, "an amount is wanted (64KB, 500MB, 20GB), not " + value->repr());
  return static_cast<std::uint64_t>(std::llround(*n));
}

Settings Settings::section(const std::string& key) {
  const Value* value = find(key);
  return Settings(value ? *value : empty_mapping(), where_ + ": " + key);
}

std::vector<Settings> Settings::sections(const std::string& key) {
  const Value* value = find(key);
  std::vector<Settings> out;
  if (!value || value->is_none()) return out;
  if (!value->is_list()) fail(key, "a list is wanted (lines that begin with '- '), not " + value->type_name());
  for (std::size_t i = 0; i < value->items().size(); ++i) out.emplace_back(value->items()[i], fmt::format("{}: {} {}", where_, key, i + 1));
  return out;
}

std::vector<std::string> Settings::keys() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : value_->as_dict()) out.push_back(key.str());
  return out;
}

void Settings::done() const {
  for (const auto& [key, value] : value_->as_dict())
    if (!key.is_string() || !asked_.contains(key.str()))
      throw Error(ErrorKind::config, fmt::format("{}: '{}' is no key here; there are {}", where_, key.str(), fmt::join(asked_, ", ")));
}

}  // namespace vesal::dicom
