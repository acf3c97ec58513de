#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "image/dicom_select.h"

namespace vesal::image {
namespace {

struct TextKey {
  const char* name;
  std::string (*value)(const DicomVolume&);
};
const TextKey kTexts[] = {
    {"modality", [](const DicomVolume& v) { return v.series.modality; }},
    {"description", [](const DicomVolume& v) { return v.series.description; }},
    {"protocol", [](const DicomVolume& v) { return v.series.protocol; }},
    {"body", [](const DicomVolume& v) { return v.series.body_part; }},
    {"number", [](const DicomVolume& v) { return v.series.number; }},
    {"series", [](const DicomVolume& v) { return v.series.series_uid; }},
    {"study", [](const DicomVolume& v) { return v.series.study_uid; }},
    {"accession", [](const DicomVolume& v) { return v.series.accession; }},
    {"date", [](const DicomVolume& v) { return v.series.study_date; }},
    {"orientation", [](const DicomVolume& v) { return v.plane(); }},
    {"part", [](const DicomVolume& v) { return v.part; }},
};

struct NumberKey {
  const char* name;
  double (*value)(const DicomVolume&);
};
const NumberKey kNumbers[] = {
    {"slices", [](const DicomVolume& v) { return static_cast<double>(v.slices.size()); }},
    {"spacing", [](const DicomVolume& v) { return v.step_along_normal(); }},
    {"thickness", [](const DicomVolume& v) { return v.slices.front().thickness.value_or(NAN); }},
    {"rows", [](const DicomVolume& v) { return static_cast<double>(v.slices.front().format.rows); }},
    {"columns", [](const DicomVolume& v) { return static_cast<double>(v.slices.front().format.columns); }},
};

template <class Keys>
auto find(const Keys& keys, const std::string& name) {
  return std::find_if(std::begin(keys), std::end(keys), [&](const auto& k) { return name == k.name; });
}

std::string trimmed(const std::string& s) {
  const auto begin = s.find_first_not_of(" \t"), end = s.find_last_not_of(" \t");
  return begin == std::string::npos ? "" : s.substr(begin, end - begin + 1);
}

/// At `mark`, but not within double quotes, which are taken off where they stand around a whole part's value.
std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == mark && !quoted) out.emplace_back();
    else out.back() += c;
  }
  return out;
}

[[noreturn]] void bad(const std::string& what) { throw Error(ErrorKind::usage, "series rule: " + what); }

std::string known_keys() {
  std::string list;
  for (const TextKey& k : kTexts) list += std::string(list.empty() ? "" : ", ") + k.name;
  for (const NumberKey& k : kNumbers) list += std::string(", ") + k.name;
  return list;
}

}  // namespace

DicomRule::DicomRule(const std::string& text) : text_(text) {
  if (trimmed(text).empty()) return;
  // A bare UID, as MONAI's readers name a series.
  if (text.find_first_not_of("0123456789.") == std::string::npos) {
    conditions_.push_back({.key = "series", .op = "=", .words = {text}, .pattern = {}});
    return;
  }
  for (const std::string& part : split(text, ',')) {
    const auto begin = part.find_first_of("=!<>~");
    if (begin == std::string::npos) bad("'" + trimmed(part) + "': want KEY=VALUE, KEY~REGEX or KEY>=NUMBER");
    const auto end = std::min(part.find_first_not_of("=!<>~", begin), part.size());
    Condition c;
    c.key = lower(trimmed(part.substr(0, begin)));
    c.op = part.substr(begin, end - begin);
    std::string value = trimmed(part.substr(end));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const bool is_text = find(kTexts, c.key) != std::end(kTexts);
    if (!is_text && find(kNumbers, c.key) == std::end(kNumbers)) bad("unknown key '" + c.key + "' (there are " + known_keys() + ")");
    const auto allowed = is_text ? std::vector<std::string>{"=", "!=", "~", "!~"} : std::vector<std::string>{"=", "!=", "<", "<=", ">", ">="};
    if (std::find(allowed.begin(), allowed.end(), c.op) == allowed.end()) bad(c.key + " cannot be compared by '" + c.op + "'");
    if (c.op.ends_with('~')) {
      constexpr std::size_t kLongest = 256;
      if (value.size() > kLongest) bad("a regular expression of more than 256 characters");
      try {
        c.pattern = std::regex(value, std::regex::icase | std::regex::ECMAScript);
      } catch (const std::regex_error& e) { bad(c.key + "~" + value + ": " + e.what()); }
    } else if (is_text) {
      for (const std::string& word : split(value, '|')) c.words.push_back(lower(trimmed(word)));
    } else {
      char* rest = nullptr;
      c.number = std::strtod(value.c_str(), &rest);
      if (value.empty() || *rest != '\0') bad(c.key + c.op + value + ": a number is wanted");
    }
    conditions_.push_back(std::move(c));
  }
}

bool DicomRule::holds(const Condition& c, const DicomVolume& volume) {
  if (const auto* key = find(kTexts, c.key); key != std::end(kTexts)) {
    const std::string value = key->value(volume).substr(0, 1024);
    if (c.op.ends_with('~')) return std::regex_search(value, c.pattern) == (c.op == "~");
    return (std::find(c.words.begin(), c.words.end(), lower(value)) != c.words.end()) == (c.op == "=");
  }
  constexpr double kSame = 1e-3;
  const double value = find(kNumbers, c.key)->value(volume);
  const bool same = std::fabs(value - c.number) < kSame;
  if (c.op == "=") return same;
  if (c.op == "!=") return !same;
  if (c.op == "<") return value < c.number && !same;
  if (c.op == "<=") return value < c.number || same;
  if (c.op == ">") return value > c.number && !same;
  return value > c.number || same;
}

bool DicomRule::matches(const DicomVolume& volume) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& c) { return holds(c, volume); });
}

}  // namespace vesal::image
