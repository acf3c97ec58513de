// What commands over labelled data share: the classes of a bundle, and which labels mean them.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "bundle/bundle_folder.h"
#include "judge/cases.h"

namespace vesal::cli {

/// Names of the labels in a bundle's masks, without background.
std::map<std::int64_t, std::string> bundle_classes(const bundle::BundleFacts& facts);

/// The map that the user gives (--labels), else what the names of both sides say.
judge::LabelMap label_map_for(const std::string& given, const judge::CaseSet& set, const std::map<std::int64_t, std::string>& classes);

}  // namespace vesal::cli
