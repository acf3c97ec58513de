#include "judge/case_folders.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "judge/file_names.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;

/// What comes after a scan's name in its label's, or is the whole of it.
constexpr std::array kLabelWords{"labels", "label", "segmentation", "seg", "mask", "masks", "gt", "organs", "annotation"};

std::vector<fs::path> inside_of(const fs::path& folder, bool folders) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const bool wanted =
        folders ? entry.is_directory() && !entry.path().filename().string().starts_with(".") : entry.is_regular_file() && is_image_name(entry.path());
    if (wanted) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string without_channel(const std::string& stem) { return stem.ends_with("_0000") ? stem.substr(0, stem.size() - 5) : stem; }

/// The scan's name in a label's: "ct" of "ct_label", "" of "label"; nothing if it is no label's name.
std::optional<std::string> owner_of(const std::string& stem) {
  const std::string low = lower(stem);
  for (const char* word : kLabelWords) {
    if (low == word) return "";
    const std::string end = word;
    if (low.size() > end.size() + 1 && low.ends_with(end) &&
        std::string_view("_-. ").find(low[low.size() - end.size() - 1]) != std::string_view::npos)
      return stem.substr(0, stem.size() - end.size() - 1);
  }
  return std::nullopt;
}

/// "Tr" of "imagesTr", "" of "Images"; nothing if the name does not begin so.
std::optional<std::string> rest_after(const std::string& name, std::initializer_list<const char*> words) {
  for (const std::string word : words)
    if (lower(name).starts_with(word)) return name.substr(word.size());
  return std::nullopt;
}

std::string split_of(const std::string& rest) {
  const std::string low = lower(rest);
  const auto has = [&](const char* word) { return low.find(word) != std::string::npos; };
  return has("tr") ? "training" : has("val") ? "validation" : has("ts") || has("test") ? "testing" : "";
}

void pair_by_name(const fs::path& images, const fs::path& labels, const std::string& split, std::vector<LabelledCase>& cases) {
  std::map<std::string, fs::path> label_of;
  for (const fs::path& label : inside_of(labels, false)) { label_of[stem_of(label)] = label; }
  for (const fs::path& image : inside_of(images, false)) {
    const std::string stem = stem_of(image);
    if (const auto tail = stem.find_last_of('_');
        tail != std::string::npos && stem.size() - tail == 5 && stem.substr(tail) != "_0000" &&
        stem.find_first_not_of("0123456789", tail + 1) == std::string::npos &&
        fs::exists(images / (stem.substr(0, tail) + "_0000" + image.filename().string().substr(stem.size()))))
      throw Error(ErrorKind::unsupported, image.string() + ": a further sequence of one case: cases of several sequences cannot be read yet");
    std::vector<std::string> names{stem, without_channel(stem)};
    for (const char* word : kLabelWords)
      for (const char* joint : {"_", "-", "."}) names.push_back(without_channel(stem) + joint + word);
    LabelledCase c;
    c.image = image;
    c.split = split;
    for (const std::string& name : names)
      if (const auto found = label_of.find(name); found != label_of.end()) {
        c.label = found->second;
        label_of.erase(found);
        break;
      }
    cases.push_back(std::move(c));
  }
  for (const auto& [name, label] : label_of) {
    LabelledCase c;
    c.label = label;
    c.split = split;
    cases.push_back(std::move(c));
  }
}

/// NAME and NAME_label in one folder; one image and one file called label (seg, mask, ...) in it too.
void pair_side_by_side(const fs::path& folder, std::vector<LabelledCase>& cases) {
  std::map<std::string, fs::path> images;
  std::vector<std::pair<std::string, fs::path>> labels;
  for (const fs::path& file : inside_of(folder, false)) {
    const std::string stem = stem_of(file);
    if (const auto owner = owner_of(stem)) labels.emplace_back(*owner, file);
    else images[without_channel(stem)] = file;
  }
  if (labels.empty()) return;
  const bool single = images.size() == 1 && labels.size() == 1;
  for (const auto& [owner, label] : labels) {
    LabelledCase c;
    c.label = label;
    const auto image = single && owner.empty() ? images.begin() : images.find(without_channel(owner));
    if (image != images.end()) {
      c.image = image->second;
      images.erase(image);
    }
    cases.push_back(std::move(c));
  }
  for (const auto& [name, image] : images) {
    LabelledCase c;
    c.image = image;
    cases.push_back(std::move(c));
  }
}

/// The folder of labels that goes with images called so; of several the likelier word: masks may be predictions.
std::optional<fs::path> labels_beside(const std::vector<fs::path>& folders, const std::string& rest) {
  for (const char* word : {"labels", "label", "segmentations", "segs", "seg", "masks", "mask"})
    for (const fs::path& folder : folders)
      if (lower(folder.filename().string()) == word + lower(rest)) return folder;
  return std::nullopt;
}

}  // namespace

std::vector<LabelledCase> pair_folder(const fs::path& folder) {
  std::vector<LabelledCase> cases;
  const std::vector<fs::path> folders = inside_of(folder, true);
  for (const fs::path& images : folders)
    if (const auto rest = rest_after(images.filename().string(), {"images", "image", "scans", "volumes"}))
      if (const auto labels = labels_beside(folders, *rest)) pair_by_name(images, *labels, split_of(*rest), cases);
  if (cases.empty()) pair_side_by_side(folder, cases);
  if (cases.empty())
    for (const fs::path& one : folders) pair_side_by_side(one, cases);
  const bool any = std::any_of(cases.begin(), cases.end(), [](const LabelledCase& c) { return !c.image.empty() && !c.label.empty(); });
  if (!any)
    throw Error(ErrorKind::not_found, folder.string() +
                                          ": no scan with a label: looked for dataset.json, for imagesTr and labelsTr (images and labels), for "
                                          "NAME.nii.gz with NAME_label, NAME_seg or NAME_mask beside it, here and in the folders below");
  return cases;
}

}  // namespace vesal::judge
