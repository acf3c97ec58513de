#include "tune/new_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "tune/durable.h"
#include "tune/stage.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLeastReference = 3, kFewReference = 10;

/// A folder for labels in the bundle's numbers while the bundle is judged; the registry makes its own.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "vesal-labels-XXXXXX").string();
    if (!mkdtemp(name.data())) throw Error(ErrorKind::io, "no temporary folder in " + fs::temp_directory_path().string());
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<judge::Finding> gate(const InitOptions& o) {
  judge::GateOptions options;
  options.declared = o.classes;
  if (o.pool.cases.empty()) {
    options.label_map = o.reference_map;
    return judge::check_dataset(o.reference, {}, options);
  }
  options.label_map = o.pool_map.empty() ? o.reference_map : o.pool_map;
  return judge::check_dataset(o.pool, o.reference, options);
}

}  // namespace

InitResult init_model(const Registry& registry, const InitOptions& o, const Program& program) {
  check_name(o.name, "model");
  const auto known = registry.models();
  if (std::find(known.begin(), known.end(), o.name) != known.end())
    throw Error(ErrorKind::usage, "the registry " + registry.folder().string() + " has a model " + o.name + " already");
  if (o.reference.cases.size() < kLeastReference)
    throw Error(ErrorKind::usage, fmt::format("{}: {} reference cases; at least {} are needed, and {} make a decision worth something",
                                              o.reference.source.string(), o.reference.cases.size(), kLeastReference, kFewReference));
  if (o.reference.cases.size() < kFewReference)
    log::warning("{} reference cases: so few tell large changes only; {} or more are better", o.reference.cases.size(), kFewReference);

  InitResult out;
  out.findings = gate(o);
  if (!judge::passes(out.findings)) return out;

  NewModel what;
  what.name = o.name;
  what.bundle = o.bundle;
  what.reference = hash_cases(o.reference);
  what.pool = hash_cases(o.pool);
  what.reference_map = o.reference_map;
  what.pool_map = o.pool_map;
  const Scratch scratch;
  std::vector<HashedCase> judged = what.reference;
  map_labels(judged, o.reference_map, scratch.path());
  const KeyedScores scores = judge_bundle(o.bundle, judged, {}, o.device, program);
  what.scores = to_value(scores);
  what.summary["reference_dice"] = Dict{{"dice", scores.interval.mean}, {"low", scores.interval.low}, {"high", scores.interval.high}};
  out.dice = scores.interval.mean;
  out.model = registry.create(what, program);
  return out;
}

}  // namespace vesal::tune
