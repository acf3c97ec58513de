// Folders whose images and labels belong together by their names.
#pragma once
#include "judge/cases.h"

namespace vesal::judge {

/// Pairs in imagesTr/labelsTr, images/labels, ..., side by side, or in a folder per case. An image without a label, or the reverse, is a case with
/// an empty path. Ids are left empty. Throws Error(not_found) if there is no pair.
std::vector<LabelledCase> pair_folder(const std::filesystem::path& folder);

}  // namespace vesal::judge
