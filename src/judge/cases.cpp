#include "judge/cases.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "judge/case_folders.h"
#include "judge/case_list.h"
#include "judge/file_names.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;

std::string file_name_fit(std::string text) {
  for (char& c : text)
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 32) c = '_';
  return text.empty() || text.starts_with(".") ? "_" + text : text;
}

/// Ids: the file's name; where two have the same, their folder's name before it; where that does not help, a number after it.
void name_cases(std::vector<LabelledCase>& cases) {
  const auto file_of = [](const LabelledCase& c) { return c.image.empty() ? c.label : c.image; };
  std::map<std::string, int> uses;
  for (LabelledCase& c : cases) {
    std::string stem = stem_of(file_of(c));
    if (stem.ends_with("_0000")) stem.resize(stem.size() - 5);
    c.id = file_name_fit(stem);
    ++uses[c.id];
  }
  for (LabelledCase& c : cases)
    if (uses[c.id] > 1) c.id = file_name_fit(fs::absolute(file_of(c)).parent_path().filename().string() + "_" + c.id);
  std::sort(cases.begin(), cases.end(), [&](const LabelledCase& a, const LabelledCase& b) {
    return std::pair(a.id, file_of(a).string()) < std::pair(b.id, file_of(b).string());
  });
  std::set<std::string> taken;
  for (LabelledCase& c : cases) {
    const std::string base = c.id;
    for (int n = 2; !taken.insert(c.id).second; ++n) c.id = base + "_" + std::to_string(n);
  }
}

CaseSet from_pair(const std::string& text) {
  CaseSet set;
  const auto comma = text.find(',');
  LabelledCase c;
  c.image = text.substr(0, comma);
  c.label = text.substr(comma + 1);
  if (c.image.empty() || c.label.empty()) throw Error(ErrorKind::usage, "'" + text + "': want IMAGE,LABEL");
  set.layout = "pair";
  set.cases.push_back(std::move(c));
  return set;
}

CaseSet from_folder(const fs::path& folder) {
  CaseSet set;
  std::error_code ignored;
  const fs::path list = folder / "dataset.json";
  if (fs::exists(list, ignored)) {
    set = with_context("reading " + list.string(), [&] { return read_case_list(list); });
    set.layout = "Decathlon";
  }
  if (set.cases.empty()) {
    set.cases = pair_folder(folder);
    set.layout = "folders";
  }
  return set;
}

CaseSet read_one(const fs::path& source) {
  std::error_code ignored;
  CaseSet set;
  if (fs::is_directory(source, ignored)) {
    set = from_folder(source);
  } else if (!fs::exists(source, ignored) && source.string().find(',') != std::string::npos) {
    set = from_pair(source.string());
  } else if (!fs::exists(source, ignored)) {
    throw Error(ErrorKind::not_found, source.string() + ": no such folder or list of cases");
  } else if (lower(source.extension().string()) == ".json") {
    set = with_context("reading " + source.string(), [&] {
      CaseSet read = read_case_list(source);
      if (read.cases.empty())
        throw Error(ErrorKind::not_found, "no labelled case in the lists 'training', 'validation' and 'testing': each wants entries {image, label}");
      return read;
    });
    set.layout = source.filename() == "dataset.json" ? "Decathlon" : "datalist";
  } else {
    throw Error(ErrorKind::usage, source.string() + ": want a folder, a .json list of cases, or a pair IMAGE,LABEL");
  }
  set.source = source;
  return set;
}

/// Letters and digits only, small.
std::string plain(const std::string& name) {
  std::string out;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 128) out += c;
  return lower(out);
}

std::optional<std::int64_t> number_in(const std::string& text) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoll(text);
}

std::optional<std::int64_t> number_of(const std::string& name, const std::map<std::int64_t, std::string>& names) {
  for (const auto& [number, known] : names)
    if (same_name(name, known)) return number;
  return std::nullopt;
}

std::string listed(const std::map<std::int64_t, std::string>& names) {
  std::string text;
  for (const auto& [number, name] : names)
    if (number != 0) text += (text.empty() ? "" : ", ") + std::to_string(number) + " " + name;
  return text.empty() ? "none" : text;
}

/// A number or name as one of `names`; where there are none any number is one.
std::int64_t label_in(const std::string& text, const std::map<std::int64_t, std::string>& names, const std::string& whose) {
  const auto number = number_in(text);
  if (number && *number != 0 && (names.empty() || names.contains(*number))) return *number;
  if (const auto named = number_of(text, names); named && *named != 0) return *named;
  if (number && *number == 0) throw Error(ErrorKind::usage, "label 0 is the background and cannot be mapped");
  throw Error(ErrorKind::usage, "'" + text + "' is no label of " + whose + ", which has " + listed(names));
}

}  // namespace

CaseSet read_cases(const fs::path& source) { return read_cases(std::vector<fs::path>{source}); }

CaseSet read_cases(const std::vector<fs::path>& sources) {
  if (sources.empty()) throw Error(ErrorKind::usage, "no folder or list of cases given");
  CaseSet all = read_one(sources[0]);
  for (std::size_t i = 1; i < sources.size(); ++i) {
    CaseSet next = read_one(sources[i]);
    all.layout = "several";
    all.cases.insert(all.cases.end(), next.cases.begin(), next.cases.end());
    if (all.modality.empty()) all.modality = next.modality;
    for (const auto& [number, name] : next.labels)
      if (const auto [known, fresh] = all.labels.emplace(number, name); !fresh && !same_name(known->second, name))
        throw Error(ErrorKind::usage, sources[0].string() + " calls label " + std::to_string(number) + " '" + known->second + "', " +
                                          sources[i].string() + " '" + name + "': they cannot be one set");
  }
  if (sources.size() > 1) all.source += " and " + std::to_string(sources.size() - 1) + " more";
  name_cases(all.cases);
  return all;
}

CaseSet with_cases(const CaseSet& set, std::vector<LabelledCase> cases) {
  CaseSet out = set;
  out.cases = std::move(cases);
  return out;
}

bool same_name(const std::string& a, const std::string& b) { return !plain(a).empty() && plain(a) == plain(b); }

LabelMap parse_label_map(const std::string& text, const std::map<std::int64_t, std::string>& reference,
                         const std::map<std::int64_t, std::string>& bundle) {
  LabelMap map;
  std::string rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string entry = rest.substr(0, comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    const auto colon = entry.find(':');
    const std::string from = entry.substr(0, colon), to = colon == std::string::npos ? from : entry.substr(colon + 1);
    if (from.empty() || to.empty()) throw Error(ErrorKind::usage, "'" + text + "': want labels as 1, 5:1 or liver:liver, separated by commas");
    const std::int64_t target = label_in(to, bundle, "the bundle");
    // A name that the reference does not have, since nothing names its labels: the bundle's number then.
    const bool unnamed = colon == std::string::npos && reference.empty() && !number_in(from);
    const std::int64_t source = unnamed ? target : label_in(from, reference, "the reference");
    if (const auto [old, fresh] = map.emplace(source, target); !fresh && old->second != target)
      throw Error(ErrorKind::usage, "label " + std::to_string(source) + " of the reference is mapped to both " + std::to_string(old->second) +
                                        " and " + std::to_string(target));
  }
  return map;
}

LabelMap label_map_by_names(const std::map<std::int64_t, std::string>& reference, const std::map<std::int64_t, std::string>& bundle) {
  LabelMap map;
  bool plain_numbers = true;
  for (const auto& [number, name] : reference) {
    if (number == 0) continue;
    const auto target = number_of(name, bundle);
    if (target && *target != 0) map[number] = *target;
    plain_numbers = plain_numbers && target == number;
  }
  return plain_numbers ? LabelMap{} : map;
}

}  // namespace vesal::judge
