// Lists of cases in JSON: Decathlon's dataset.json, nnU-Net's, MONAI's datalists.
#pragma once
#include "base/value.h"
#include "judge/cases.h"

namespace vesal::judge {

/// Cases and declarations of a list; `set.cases` stays empty where there are only declarations (nnU-Net).
CaseSet read_case_list(const std::filesystem::path& file);

}  // namespace vesal::judge
