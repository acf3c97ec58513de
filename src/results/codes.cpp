#include "results/codes.h"

#include <array>
#include <sstream>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"

namespace vesal::results {
namespace {

const Code kStructure{"123037004", "SCT", "Anatomical Structure"};
const Code kAltered{"49755003", "SCT", "Morphologically Altered Structure"};
const Code kLeft{"7771000", "SCT", "Left"}, kRight{"24028007", "SCT", "Right"};

std::map<std::string, Code, std::less<>>& known() {
  static std::map<std::string, Code, std::less<>> table;
  return table;
}

struct Finding {
  const char* word;
  Code code;
};
/// Words that say that something in an organ is meant, not the organ.
const std::vector<Finding>& findings() {
  static const std::vector<Finding> list{{"tumor", {"108369006", "SCT", "Neoplasm"}},    {"tumour", {"108369006", "SCT", "Neoplasm"}},
                                         {"neoplasm", {"108369006", "SCT", "Neoplasm"}}, {"cancer", {"108369006", "SCT", "Neoplasm"}},
                                         {"cyst", {"367643001", "SCT", "Cyst"}},         {"mass", {"4147007", "SCT", "Mass"}},
                                         {"nodule", {"27925004", "SCT", "Nodule"}},      {"lesion", {"52988006", "SCT", "Lesion"}},
                                         {"edema", {"79654002", "SCT", "Edema"}},        {"necrosis", {"6574001", "SCT", "Necrosis"}}};
  return list;
}

/// Plurals and adjectives as the tables have them.
std::string singular(const std::string& word) {
  static const std::map<std::string, std::string> forms{
      {"vertebrae", "vertebra"},   {"lungs", "lung"},   {"kidneys", "kidney"}, {"ribs", "rib"},      {"hepatic", "liver"},
      {"pancreatic", "pancreas"},  {"veins", "vein"},   {"vena", "vein"},      {"kideny", "kidney"}, {"primaries", ""},
      {"cartilages", "cartilage"}, {"tumors", "tumor"}, {"tumours", "tumour"}, {"cysts", "cyst"},    {"lesions", "lesion"},
      {"nodules", "nodule"},       {"glands", "gland"}, {"proper", ""}};
  const auto found = forms.find(word);
  return found == forms.end() ? word : found->second;
}

struct Name {
  std::string words;  ///< without side and finding
  Code side, finding;
  bool bare = false;  ///< nothing is left beside them
};

Name parse(std::string_view text) {
  std::string spaced = lower(std::string(text));
  for (char& c : spaced)
    if (c == '_' || c == '-' || c == '.') c = ' ';
  Name name;
  std::istringstream in(spaced);
  std::string word;
  while (in >> word) {
    word = singular(word);
    if (word == "left" || word == "right") {
      name.side = word == "left" ? kLeft : kRight;
      continue;
    }
    bool found = false;
    for (const Finding& f : findings())
      if (word == f.word) name.finding = f.code, found = true;
    if (!found && !word.empty()) name.words += (name.words.empty() ? "" : " ") + word;
  }
  name.bare = name.words.empty();
  return name;
}

const Code* find(const std::string& words) {
  const auto found = known().find(words);
  return found == known().end() ? nullptr : &found->second;
}

/// At most 16 characters, the same for the same words.
Code own_code(std::string_view name) {
  std::string meaning;
  for (const char c : name.substr(0, 64)) meaning.push_back(c >= ' ' && c <= '~' && c != '\\' ? c : '?');
  return {"V" + sha256(name).substr(0, 12), "99VESAL", meaning.empty() ? "label" : meaning};
}

Code code_in(const Value& value, const std::string& what) {
  if (!value.is_sequence() || value.items().size() != 3)
    throw Error(ErrorKind::config, what + ": want [\"code\", \"scheme\", \"meaning\"], e.g. [\"78961009\", \"SCT\", \"Spleen\"]");
  const auto part = [&](std::size_t i, std::size_t most) {
    const std::string text = value.items()[i].as_string();
    if (text.empty() || text.size() > most || text.find('\\') != std::string::npos)
      throw Error(ErrorKind::config, what + ": '" + text + "' is no 1 to " + std::to_string(most) + " characters without \\");
    return text;
  };
  return {part(0, 16), part(1, 16), part(2, 64)};
}

}  // namespace

RegisterAnatomy::RegisterAnatomy(std::initializer_list<KnownAnatomy> table) {
  for (const KnownAnatomy& row : table) {
    std::istringstream names(row.names);
    std::string name;
    while (std::getline(names, name, '|')) known()[name] = {row.code, "SCT", row.meaning};
  }
}

Anatomy anatomy_of(std::string_view text) {
  const Name name = parse(text);
  Anatomy out;
  const Code* organ = nullptr;
  Code side = name.side;
  if (!side.empty() && (organ = find(lower(side.meaning) + " " + name.words))) side = {};
  if (!organ) organ = find(name.words);
  if (name.finding.empty()) {
    out.category = kStructure;
    out.type = organ ? *organ : own_code(text);
    if (organ) out.modifier = side;
    return out;
  }
  out.category = kAltered;
  if (!organ && !name.bare) {  // "whole tumor", "enhancing tumor": a part of a finding, which the general code does not tell from others
    out.type = own_code(text);
    return out;
  }
  out.type = name.finding;
  if (organ) out.region = *organ, out.region_modifier = side;
  return out;
}

std::map<std::string, Anatomy> read_codes(const std::filesystem::path& file) {
  return with_context(file.string(), [&] {
    const Value parsed = parse_json(read_text(file, 1 << 20));
    if (!parsed.is_dict()) throw Error(ErrorKind::config, "want an object of label names");
    std::map<std::string, Anatomy> out;
    for (const auto& [name, entry] : parsed.as_dict()) {
      const std::string& label = name.as_string();
      if (!entry.is_dict() || !entry.as_dict().find("type")) throw Error(ErrorKind::config, label + ": want an object with at least \"type\"");
      Anatomy anatomy;
      anatomy.category = kStructure;
      for (const auto& [field, value] : entry.as_dict()) {
        const std::string& key = field.as_string();
        Code* code = key == "type"              ? &anatomy.type
                     : key == "category"        ? &anatomy.category
                     : key == "modifier"        ? &anatomy.modifier
                     : key == "region"          ? &anatomy.region
                     : key == "region_modifier" ? &anatomy.region_modifier
                                                : nullptr;
        if (!code) throw Error(ErrorKind::config, label + ": '" + key + "' is none of type, category, modifier, region, region_modifier");
        *code = code_in(value, label + ": " + key);
      }
      out[label] = anatomy;
    }
    return out;
  });
}

}  // namespace vesal::results
