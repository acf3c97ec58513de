#include "judge/case_list.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/json.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;

Error bad(const std::string& what) { return Error(ErrorKind::format, what); }

std::optional<std::int64_t> whole_number(const Value& value) {
  if (value.is_int()) return value.as_int();
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.as_string();
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// {"0": "background", "1": "spleen"}, or the other way round as nnU-Net has it; labels that stand for several (regions) are left out.
std::map<std::int64_t, std::string> names_by_number(const Value& declared, const std::string& what) {
  std::map<std::int64_t, std::string> out;
  if (!declared.is_dict()) throw bad(what + ": a dict of numbers and names is expected, not a " + declared.type_name());
  for (const auto& [key, value] : declared.as_dict()) {
    const auto from_key = whole_number(key), from_value = whole_number(value);
    if (value.is_string() && from_key) out[*from_key] = value.as_string();
    else if (key.is_string() && from_value) out[*from_value] = key.as_string();
    else if (!value.is_list()) throw bad(what + ": '" + key.str() + "': " + value.repr() + " is no number with a name");
  }
  return out;
}

/// A path of the list. Absolute ones are taken as they are: the list is the user's own.
fs::path placed(const Value& value, const fs::path& root, const std::string& what) {
  if (value.is_list() && value.items().size() > 1)
    throw Error(ErrorKind::unsupported, what + ": " + std::to_string(value.items().size()) +
                                            " files for one image: cases of several sequences cannot be read yet; stack them into one 4D file");
  if (value.is_list() && value.items().size() == 1) return placed(value.items()[0], root, what);
  if (!value.is_string() || value.as_string().empty()) throw bad(what + ": a file name is expected, not " + value.repr());
  if (value.as_string().find('\0') != std::string::npos) throw bad(what + ": a file name with a zero byte");
  const fs::path path = value.as_string();
  return path.is_absolute() ? path.lexically_normal() : inside(root, path);
}

void read_entries(const Value& list, const std::string& split, const fs::path& root, std::vector<LabelledCase>& cases) {
  if (!list.is_list()) throw bad("'" + split + "': a list is expected, not a " + list.type_name());
  std::size_t number = 0;
  for (const Value& entry : list.items()) {
    const std::string what = "'" + split + "', entry " + std::to_string(++number);
    if (entry.is_string()) continue;  // an image to be predicted, without a label
    if (!entry.is_dict()) throw bad(what + ": a dict with image and label is expected, not a " + entry.type_name());
    const Dict& dict = entry.as_dict();
    const Value *image = dict.find("image"), *label = dict.find("label");
    if (!image) throw bad(what + ": there is no 'image'");
    if (!label || label->is_none()) continue;
    LabelledCase c;
    c.image = placed(*image, root, what + ", image");
    c.label = placed(*label, root, what + ", label");
    c.split = split;
    if (const Value* fold = dict.find("fold"); fold && !fold->is_none()) {
      c.fold = whole_number(*fold);
      if (!c.fold) throw bad(what + ": fold " + fold->repr() + " is no whole number");
    }
    cases.push_back(std::move(c));
  }
}

}  // namespace

CaseSet read_case_list(const fs::path& file) {
  CaseSet set;
  const Value content = parse_json(read_text(file));
  if (!content.is_dict()) throw bad("a dict with lists of cases is expected, not a " + content.type_name());
  const Dict& dict = content.as_dict();
  const fs::path root = file.parent_path();
  for (const char* split : {"training", "train", "validation", "val", "testing", "test"})
    if (const Value* list = dict.find(split); list && list->is_list()) read_entries(*list, split, root, set.cases);
    else if (list && !list->is_none()) throw bad("'" + std::string(split) + "': a list is expected, not a " + list->type_name());
  for (LabelledCase& c : set.cases) {
    if (c.split == "train") c.split = "training";
    if (c.split == "val") c.split = "validation";
    if (c.split == "test") c.split = "testing";
  }
  if (const Value* labels = dict.find("labels")) set.labels = names_by_number(*labels, "labels");
  for (const char* key : {"modality", "channel_names"})
    if (const Value* names = dict.find(key); names && set.modality.empty()) {
      if (names->is_string()) set.modality = names->as_string();
      else if (names->is_dict() && names->as_dict().size() == 1 && names->as_dict().begin()->second.is_string())
        set.modality = names->as_dict().begin()->second.as_string();
    }
  return set;
}

}  // namespace vesal::judge
