// Labelled cases: pairs of scan and reference label map, found in the layouts hospitals have them in.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vesal::judge {

struct LabelledCase {
  std::string id;  ///< unique in its set; the image's name without extensions where that is unique
  std::filesystem::path image, label;
  std::string split;  ///< what the list calls it: "training", "validation", ...; empty where nothing says
};

struct CaseSet {
  std::filesystem::path source;
  std::string layout;  ///< "Decathlon", "datalist" or "folders"
  std::vector<LabelledCase> cases;
  std::map<std::int64_t, std::string> labels;  ///< as dataset.json declares them; empty if nothing does
  std::string modality;                        ///< as dataset.json declares it
};

/// Cases of a folder with dataset.json (Decathlon), of a MONAI datalist (a .json file with lists of {image, label}), or of folders whose
/// images and labels match by name: imagesTr/labelsTr, images/labels, or NAME and NAME_label, NAME_seg, ... side by side; also a single pair as
/// "IMAGE,LABEL". Paths in lists must stay inside the folder unless they are absolute. Sorted by id.
/// Throws Error(not_found | format) naming the file and what was looked for. A case whose files are missing is kept: the gate reports it.
CaseSet read_cases(const std::filesystem::path& source);

/// Which reference label means which label of the bundle; all others mean background. Empty: equal numbers.
using LabelMap = std::map<std::int64_t, std::int64_t>;
/// "1", "5:1", "5:1,3:2", or names of the set and of the bundle ("liver:liver", "spleen"). Throws Error(usage).
LabelMap parse_label_map(const std::string& text, const std::map<std::int64_t, std::string>& reference,
                         const std::map<std::int64_t, std::string>& bundle);

}  // namespace vesal::judge
