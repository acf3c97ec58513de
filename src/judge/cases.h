// Labelled cases: pairs of scan and reference label map, found in the layouts hospitals have them in.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vesal::judge {

struct LabelledCase {
  std::string id;                      ///< unique in its set, and fit to name a file; the image's name without extensions where that is unique
  std::filesystem::path image, label;  ///< empty where a folder has only the other one
  std::string split;                   ///< what the list calls it: "training", "validation", ...; empty where nothing says
  std::optional<std::int64_t> fold;    ///< as a datalist says
};

struct CaseSet {
  std::filesystem::path source;
  std::string layout;  ///< "Decathlon", "datalist", "folders", "pair"; of several sources "several"
  std::vector<LabelledCase> cases;
  std::map<std::int64_t, std::string> labels;  ///< as dataset.json declares them, background included; empty if nothing does
  std::string modality;                        ///< as dataset.json declares it: "CT"
};

/// Cases of a folder with dataset.json (Decathlon, nnU-Net), of a MONAI datalist (a .json file with lists of {image, label}), or of folders whose
/// images and labels match by name: imagesTr/labelsTr, images/labels, NAME and NAME_label, NAME_seg, ... side by side, or a folder per case;
/// also a single pair as "IMAGE,LABEL". Relative paths in lists must stay inside the list's folder. Entries without a label are left out. Sorted by
/// id. Throws Error(not_found | format | refused | unsupported) naming the file and what was looked for. A case whose files are missing is kept: the
/// gate reports it.
CaseSet read_cases(const std::filesystem::path& source);
/// Several sources as one set; what they declare must not contradict. Throws Error(usage) without sources.
CaseSet read_cases(const std::vector<std::filesystem::path>& sources);

/// The same set with other cases: one split of it, say.
CaseSet with_cases(const CaseSet& set, std::vector<LabelledCase> cases);

/// Which reference label means which label of the bundle; all others mean background. Empty: equal numbers.
using LabelMap = std::map<std::int64_t, std::int64_t>;
/// "1", "5:1", "5:1,3:2", or names of the set and of the bundle ("liver:liver", "spleen"). A lone name that only the bundle knows keeps the bundle's
/// number. Throws Error(usage) with the names there are.
LabelMap parse_label_map(const std::string& text, const std::map<std::int64_t, std::string>& reference,
                         const std::map<std::int64_t, std::string>& bundle);
/// What the names say where both sides have them: empty if none of them match, or if all of the reference's do under the same number.
LabelMap label_map_by_names(const std::map<std::int64_t, std::string>& reference, const std::map<std::int64_t, std::string>& bundle);
/// "Spleen", "spleen " and "SPLEEN" are one name, as are "kidney_left" and "Kidney left".
bool same_name(const std::string& a, const std::string& b);

}  // namespace vesal::judge
