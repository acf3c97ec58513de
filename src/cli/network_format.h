// What a bundle's metadata says about the input and output of its network (network_data_format).
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bundle/config.h"

namespace vesal::cli {

/// Values for the letters in a spatial shape such as ["2**p*n", "*", 96].
struct ShapeLetters {
  std::int64_t p = 1, n = 1, any = 1;
};

struct NetworkFormat {
  std::string input, output;  ///< their names, "image" and "pred"
  std::int64_t input_channels = 0, output_channels = 0;
  std::vector<Value> spatial_shape;  ///< integers, "*" or expressions of p and n
  DType input_dtype = DType::f32, output_dtype = DType::f32;

  /// [1, C, spatial...]; throws Error(config) naming the entry that is no extent.
  Shape input_shape(const ShapeLetters& letters) const;
};

/// "image" and "pred", or the first input and output if there are none of these names. Throws Error(config) naming what is missing.
NetworkFormat network_format(const bundle::ConfigParser& parser);

/// The config files as JSON texts by the name of the file with .json, and the metadata as metadata.json: what MONAI puts into a .ts file.
std::map<std::string, std::string> export_documents(const std::vector<std::filesystem::path>& config_files, const bundle::ConfigParser& parser);

}  // namespace vesal::cli
