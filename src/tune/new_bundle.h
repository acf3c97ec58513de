// The files of a bundle that a tuning makes: configurations, metadata, documents, the list of its data.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "tune/plan.h"

namespace vesal::tune {

/// The bundle's name and version as the options or the base say.
std::string new_name(const BaseBundle& base, const TuningOptions& options);
std::string new_version(const BaseBundle& base, const TuningOptions& options);

/// inference.json with as many output channels as there are classes; without classes the base's file as it is, but for the weights' name.
/// Throws Error(unsupported) when a step of the postprocessing cannot follow.
void write_inference_config(const BaseBundle& base, const TuningOptions& options, const std::filesystem::path& folder);
/// training/datalist.json: the files that are trained on, by absolute path.
void write_datalist(const TuningOptions& options, const std::filesystem::path& folder);
/// LICENSE and whatever else of the base goes along unchanged.
void copy_documents(const BaseBundle& base, const std::filesystem::path& folder);
/// metadata.json and docs/README.md, at the end.
void write_metadata(const BaseBundle& base, const TuningOptions& options, const TuningResult& result, const std::filesystem::path& folder);
void write_readme(const BaseBundle& base, const TuningOptions& options, const RecipePlan& plan, const StartWeights& start, const TuningResult& result,
                  const std::filesystem::path& folder);

}  // namespace vesal::tune
