#include "judge/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <limits>

#include "base/cancel.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "image/formats.h"
#include "image/voxels.h"
#include "judge/file_names.h"
#include "judge/grids.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;
using Names = std::map<std::int64_t, std::string>;

/// Below this much free memory the next scan is not read while this one is worked on.
constexpr std::uint64_t kRoomToReadAhead = 4ull << 30;

/// The reference on disk, as stored.
image::Image read_reference(const LabelledCase& c) {
  if (c.label.empty()) throw Error(ErrorKind::not_found, "there is no label for " + c.image.filename().string());
  if (c.image.empty()) throw Error(ErrorKind::not_found, "there is no scan for " + c.label.filename().string());
  return image::read_image(c.label);
}

/// What a case needs from disk: read by another thread while the network works on the case before.
struct Loaded {
  infer::PreparedScan scan;
  image::Image reference;
};

Loaded load(const infer::Segmenter& segmenter, const LabelledCase& c) {
  Loaded out;
  out.reference = read_reference(c);
  out.scan = segmenter.prepare(c.image);
  return out;
}

/// Which classes count: those the map names, else the bundle's.
Names judged_names(const Names& bundle, const LabelMap& map) {
  Names names;
  for (const auto& [label, name] : bundle)
    if (label != 0) names[label] = name;
  if (map.empty()) return names;
  Names chosen;
  for (const auto& [from, to] : map) chosen[to] = names.contains(to) ? names[to] : "label " + std::to_string(to);
  return chosen;
}

class Court {
 public:
  Court(Names names, const EvaluateOptions& options, Evaluation& out) : names_(std::move(names)), options_(options), out_(out) {}

  /// `mask` [1, x, y, z] or [x, y, z] on the scan's grid.
  void score_case(CaseScore& c, const image::Image& mask, const image::Image& reference) {
    if (mask.array().dim() == 4 && mask.array().size(0) > 1)
      throw Error(ErrorKind::unsupported, "the bundle gives " + std::to_string(mask.array().size(0)) +
                                              " channels that may overlap: such masks cannot be judged against a map of labels yet");
    const Array predicted = volume_of(mask);
    c.shape = predicted.shape();
    c.spacing_mm = image::spacing_of(mask.affine);
    const Array stored = volume_of(reference);
    const auto turned = on_grid(stored, reference.affine, predicted.shape(), mask.affine);
    if (!turned)
      throw Error(ErrorKind::geometry, c.source.label.filename().string() + ": the label's grid is not the scan's (" + to_string(stored.shape()) +
                                           " against " + to_string(predicted.shape()) + " voxels, corners " +
                                           std::to_string(corner_distance(stored.shape(), reference.affine, mask.affine)) +
                                           " mm apart); `vesal dataset check` says how to repair it");
    with_context(c.source.label.filename().string(), [&] { compare(c, predicted, mask.affine, *turned); });
    if (!options_.keep_masks.empty()) {
      c.mask = options_.keep_masks / (c.source.id + ".nii.gz");
      image::write_image(c.mask, mask);
    }
  }

 private:
  void compare(CaseScore& c, const Array& predicted, const image::Affine& affine, const Array& stored) {
    const std::set<std::int64_t> present = labels_in(stored);
    const Array reference = mapped_labels(stored, options_.label_map);
    Names names = names_;
    if (names.empty()) {  // nothing says what the classes are
      for (const Array& volume : {reference, predicted})
        for (const std::int64_t label : labels_in(volume))
          if (label != 0) names[label] = "label " + std::to_string(label);
    }
    for (const std::int64_t label : present)
      if (label != 0 && (options_.label_map.empty() ? !names.contains(label) : !options_.label_map.contains(label))) out_.ignored.insert(label);
    c.classes = score(reference, predicted, affine, names);
    if (options_.seen) {
      const image::Image p(predicted, affine), r(reference, affine);
      options_.seen(c, p, r);
    }
  }

  const Names names_;
  const EvaluateOptions& options_;
  Evaluation& out_;
};

/// Runs `work` for a case; its error becomes the case's.
template <class Work>
void attempt(CaseScore& c, Work&& work) {
  const auto fail = [&](ErrorKind kind, const std::string& what) {
    c.error = what;
    c.error_kind = error_codes(kind).name;
    c.classes.clear();
  };
  try {
    work();
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    fail(e.kind(), e.what());
  } catch (const std::bad_alloc&) { fail(ErrorKind::memory, "out of memory"); }
}

/// Classes that no reference holds and that nothing declares are not what these cases were labelled for.
void set_aside_unseen(Evaluation& out, const CaseSet& set, const EvaluateOptions& options) {
  std::set<std::int64_t> seen;
  Names all;
  for (const CaseScore& c : out.cases)
    for (const ClassScore& s : c.classes) {
      all[s.label] = s.name;
      if (s.reference_ml > 0) seen.insert(s.label);
    }
  for (const auto& [from, to] : options.label_map) seen.insert(to);
  if (options.label_map.empty())
    for (const auto& [label, name] : set.labels) seen.insert(label);
  for (const auto& [label, name] : all)
    if (!seen.contains(label)) out.set_aside[label] = name;
  for (CaseScore& c : out.cases) std::erase_if(c.classes, [&](const ClassScore& s) { return out.set_aside.contains(s.label); });
}

void summarize(Evaluation& out) {
  std::map<std::int64_t, ClassSummary> classes;
  std::map<std::int64_t, std::array<std::vector<double>, 3>> values;
  for (const CaseScore& c : out.cases)
    for (const ClassScore& s : c.classes) {
      classes[s.label].label = s.label;
      classes[s.label].name = s.name;
      values[s.label][0].push_back(s.dice);
      values[s.label][1].push_back(s.hd95_mm);
      values[s.label][2].push_back(s.assd_mm);
    }
  for (auto& [label, summary] : classes) {
    summary.dice = bootstrap_mean(values[label][0]);
    summary.hd95_mm = bootstrap_mean(values[label][1]);
    summary.assd_mm = bootstrap_mean(values[label][2]);
    out.classes.push_back(summary);
  }
  out.dice = bootstrap_mean(out.dices());
}

double total(const infer::StageTimes& t) { return t.read + t.preprocess + t.network + t.postprocess; }

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Throws Error(usage) if a kept mask would take the place of one of the files that are judged.
void check_kept(const CaseSet& set, const fs::path& folder) {
  if (folder.empty()) return;
  std::set<fs::path> sources;
  std::error_code ignored;
  for (const LabelledCase& c : set.cases)
    for (const fs::path& file : {c.image, c.label}) sources.insert(fs::weakly_canonical(file, ignored));
  for (const LabelledCase& c : set.cases)
    if (const fs::path kept = folder / (c.id + ".nii.gz"); sources.contains(fs::weakly_canonical(kept, ignored)))
      throw Error(ErrorKind::usage, kept.string() + " is one of the cases and would be overwritten; keep the masks in another folder");
}

Evaluation begin(const CaseSet& set, const EvaluateOptions& options) {
  check_kept(set, options.keep_masks);
  Evaluation out;
  out.data = set.source.string();
  out.layout = set.layout;
  out.label_map = options.label_map;
  for (const LabelledCase& c : set.cases) {
    CaseScore score;
    score.source = c;
    out.cases.push_back(std::move(score));
  }
  return out;
}

/// The mask of a case in a folder: called as the case, or as its image or label are.
fs::path mask_of(const std::map<std::string, fs::path>& masks, const LabelledCase& c, const fs::path& folder) {
  for (const std::string& name : {c.id, stem_of(c.image), stem_of(c.label)})
    if (const auto found = masks.find(name); found != masks.end()) return found->second;
  throw Error(ErrorKind::not_found, "no mask called " + c.id + " in " + folder.string());
}

}  // namespace

double CaseScore::dice() const {
  double sum = 0;
  std::size_t count = 0;
  for (const ClassScore& s : classes)
    if (!std::isnan(s.dice)) sum += s.dice, ++count;
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

std::vector<double> Evaluation::dices() const {
  std::vector<double> out;
  for (const CaseScore& c : cases) out.push_back(c.dice());
  return out;
}

std::size_t Evaluation::failed() const {
  return static_cast<std::size_t>(std::count_if(cases.begin(), cases.end(), [](const CaseScore& c) { return !c.error.empty(); }));
}

Evaluation evaluate(const infer::Segmenter& segmenter, const CaseSet& set, const EvaluateOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Evaluation out = begin(set, options);
  out.bundle = segmenter.facts().name;
  out.version = segmenter.facts().version;
  out.folder = segmenter.facts().folder;
  out.intended_use = segmenter.facts().intended_use;
  out.weights = segmenter.weights();
  out.weights_sha256 = sha256_file(segmenter.weights());
  Court court(judged_names(segmenter.label_names(1), options.label_map), options, out);
  {
    Progress progress("judging", static_cast<std::int64_t>(out.cases.size()));
    std::future<Loaded> ahead;
    for (std::size_t i = 0; i < out.cases.size(); ++i) {
      check_cancelled();
      CaseScore& c = out.cases[i];
      attempt(c, [&] {
        Loaded now = ahead.valid() ? ahead.get() : load(segmenter, c.source);
        if (i + 1 < out.cases.size() && image::available_memory() > kRoomToReadAhead) {
          const LabelledCase* next = &out.cases[i + 1].source;
          ahead = std::async(std::launch::async, [&segmenter, next] { return load(segmenter, *next); });
        }
        const infer::Segmentation result = segmenter.finish(std::move(now.scan));
        c.seconds = total(result.times);
        court.score_case(c, result.mask, now.reference);
      });
      progress.advance();
    }
  }
  set_aside_unseen(out, set, options);
  summarize(out);
  out.seconds = seconds_since(start);
  return out;
}

Evaluation evaluate_masks(const fs::path& folder, const Names& names, const CaseSet& set, const EvaluateOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Evaluation out = begin(set, options);
  out.bundle = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  out.folder = folder;
  std::map<std::string, fs::path> masks;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem))
    if (entry.is_regular_file() && is_image_name(entry.path())) masks[stem_of(entry.path())] = entry.path();
  if (problem) throw Error(ErrorKind::not_found, folder.string() + ": " + problem.message());
  Court court(judged_names(names, options.label_map), options, out);
  {
    Progress progress("judging", static_cast<std::int64_t>(out.cases.size()));
    for (CaseScore& c : out.cases) {
      check_cancelled();
      attempt(c, [&] {
        const image::Image reference = read_reference(c.source);
        court.score_case(c, image::read_image(mask_of(masks, c.source, folder)), reference);
      });
      progress.advance();
    }
  }
  set_aside_unseen(out, set, options);
  summarize(out);
  out.seconds = seconds_since(start);
  return out;
}

Verdict judge(const Evaluation& evaluation, double gate, std::size_t least) {
  const Interval& dice = evaluation.dice;
  if (dice.count < std::max<std::size_t>(least, 2)) return Verdict::too_few;
  if (dice.low >= gate) return Verdict::use;
  return dice.high < gate ? Verdict::fine_tune : Verdict::too_few;
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::use: return "use";
    case Verdict::fine_tune: return "fine-tune";
    case Verdict::too_few: break;
  }
  return "too-few";
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::use: return 0;
    case Verdict::fine_tune: return 20;
    case Verdict::too_few: break;
  }
  return 21;
}

}  // namespace vesal::judge
