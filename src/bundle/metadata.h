// What a bundle's metadata.json has to say, and what ids a workflow's configuration has to have (MONAI's bundle specification,
// docs/source/mb_specification.rst, and monai/bundle/properties.py).
#pragma once
#include <string>
#include <vector>

#include "base/value.h"
#include "bundle/config.h"

namespace vesal::bundle {

/// Faults of metadata, a line each ("network_data_format::inputs::image::dtype: 'float31' is no type of an array"); none if it is
/// right. Checked here against the specification: the schema that metadata name by URL is never downloaded.
std::vector<std::string> metadata_faults(const Value& metadata);

/// Ids that a workflow of this type ("train", "training", "infer", "inference", "eval", "evaluation") has to have and the config
/// lacks. Throws Error(usage) on another type.
std::vector<std::string> missing_properties(const ConfigParser& parser, const std::string& workflow_type);

/// A size in a spatial_shape: a number, "*", or an arithmetic expression of n and p such as "2**p*n".
/// Its value for given n, p and any. Throws Error(config) on anything else.
std::int64_t spatial_size(const Value& size, std::int64_t p = 1, std::int64_t n = 1, std::int64_t any = 1);

}  // namespace vesal::bundle
