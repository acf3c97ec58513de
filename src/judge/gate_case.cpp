#include "judge/gate_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

#include "base/parallel.h"
#include "image/formats.h"
#include "image/statistics.h"
#include "judge/grids.h"
#include "judge/scoring.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;

/// SplitMix64's last step: every bit of the result hangs on every bit of x.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// Sums over voxels, so that any number of threads gives the same.
void hash_voxels(const Array& volume, CaseFacts& facts) {
  std::atomic<std::uint64_t> in_order{0}, unordered{0};
  const std::int64_t each = volume.numel() / std::max<std::int64_t>(volume.size(0), 1);
  visit_dtype(volume.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(volume.size(0), 4, [&](std::int64_t begin, std::int64_t end) {
      const Array part = volume.slice(0, begin, end).contiguous();
      const T* values = static_cast<const T*>(part.raw());
      std::uint64_t a = 0, b = 0;
      for (std::int64_t i = 0; i < part.numel(); ++i) {
        const std::uint64_t value = mixed(std::bit_cast<std::uint64_t>(convert<double>(values[i]) + 0.0) + 0x9E3779B97F4A7C15ull);
        a += mixed(value + static_cast<std::uint64_t>(begin * each + i));
        b += value;
      }
      in_order += a;
      unordered += b;
    });
  });
  // The extents belong to it: in their order, and sorted.
  Shape sorted = volume.shape();
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < 3; ++i) {
    facts.in_order = mixed(facts.in_order ^ static_cast<std::uint64_t>(volume.shape()[i]));
    facts.unordered = mixed(facts.unordered ^ static_cast<std::uint64_t>(sorted[i]));
  }
  facts.in_order += in_order;
  facts.unordered += unordered;
  facts.hashed = true;
}

std::optional<Opened> open(const fs::path& file, const char* what, CaseFacts& facts) {
  try {
    Opened out{image::read_image(file), {}};
    try {
      out.volume = volume_of(out.image);
    } catch (const Error&) {
      add(facts, Severity::error, "file", file,
          fmt::format("the {} has {} voxels: one volume of three axes is expected", what, to_string(out.image.shape())),
          "take the volume that is meant out of it");
      return std::nullopt;
    }
    return out;
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    std::error_code ignored;
    const bool missing = !fs::exists(file, ignored);
    add(facts, Severity::error, "file", file,
        missing ? fmt::format("the {} is not there", what) : fmt::format("the {} cannot be read: {}", what, e.what()),
        missing ? "correct the list, or bring the file" : "copy the file anew from where it came", Fix::drop);
  }
  return std::nullopt;
}

}  // namespace

void add(CaseFacts& facts, Severity severity, const char* rule, const fs::path& file, std::string message, std::string repair, Fix fix) {
  facts.findings.push_back({severity, rule, facts.source.id, file, std::move(message), std::move(repair), fix});
}

CaseFacts look_at(const LabelledCase& c, const GateContext& context) {
  CaseFacts facts;
  facts.source = c;
  if (c.image.empty() || c.label.empty()) {
    add(facts, Severity::error, "pair", c.image.empty() ? c.label : c.image,
        c.image.empty() ? "a label without a scan of the same name" : "a scan without a label of the same name",
        "name both alike, bring the missing one, or take this one away", Fix::drop);
    return facts;
  }
  const auto scan = open(c.image, "scan", facts), label = open(c.label, "label", facts);
  if (scan) {
    check_header(*scan, facts);
    check_values(*scan, context, facts);
    hash_voxels(scan->volume, facts);
  }
  if (!label) return facts;
  const auto mapped = check_labels(label->volume, context, facts);
  if (!scan) return facts;
  const auto placed = check_grid(*scan, *label, facts);
  if (mapped && placed) {
    // The same turn for the mapped labels.
    const auto on_scan = on_grid(*mapped, label->image.affine, scan->volume.shape(), scan->image.affine);
    check_anatomy(*scan, on_scan ? *on_scan : *mapped, context, facts);
  }
  return facts;
}

void check_values(const Opened& scan, const GateContext& context, CaseFacts& facts) {
  const fs::path& file = facts.source.image;
  const image::Statistics s = image::statistics_of(scan.volume, {1, 50, 99});
  if (s.not_finite > 0)
    add(facts, Severity::error, "values", file,
        fmt::format("{} voxels are NaN or infinite: training would end with a loss that is NaN", s.not_finite),
        "find out which program wrote them; export the scan anew");
  if (s.not_finite == scan.volume.numel()) return;
  if (s.min == s.max) {
    add(facts, Severity::error, "values", file, fmt::format("every voxel is {}: there is no picture in it", s.min), "export the scan anew",
        Fix::drop);
    return;
  }
  facts.ct = context.ct.value_or(s.min < -500);
  if (!facts.ct) return;
  const double low = s.percentiles[0], median = s.percentiles[1], high = s.percentiles[2];
  const auto report = [&](Severity severity, const std::string& what, const std::string& repair, Fix fix = Fix::none) {
    if (severity == Severity::error) facts.ct = false;  // bones cannot be told by such values
    add(facts, severity, "intensity", file, fmt::format("{} (1 % {:.6g}, median {:.6g}, 99 % {:.6g})", what, low, median, high), repair, fix);
  };
  if (s.max - s.min <= 20)
    report(Severity::error, "the values are no Hounsfield units: they look normalised", "export the scan as the scanner gave it");
  else if (s.min >= 0 && s.max <= 255)
    report(Severity::error, "the values are no Hounsfield units: they look like a picture of 8 bits", "export the scan as the scanner gave it");
  else if (s.min > -100 && high > 900)
    report(Severity::error, "there is no air: Hounsfield units with 1024 added", "subtract 1024: the rescale intercept was left out",
           Fix::hounsfield);
  else if (s.min > -300)
    report(Severity::warning, "there is no air: the values are cut off or are no Hounsfield units", "export the scan as the scanner gave it");
  else if (median > 3000 || high > 10000 || low < -5000)
    report(Severity::warning, "hardly Hounsfield units: a wrong rescale slope, or the modality is not CT", "compare with the DICOM series");
}

std::optional<Array> check_labels(const Array& label, const GateContext& context, CaseFacts& facts) {
  const fs::path& file = facts.source.label;
  std::set<std::int64_t> present;
  Array whole = label;
  try {
    present = labels_in(label);
  } catch (const Error& e) {
    // Rounding noise of a float file, or interpolation between labels?
    Array values = label.to(DType::f64).clone();
    double worst = 0;
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      const double v = values.data<double>()[i];
      worst = std::isfinite(v) ? std::max(worst, std::fabs(v - std::round(v))) : 1;
    }
    const bool noise = worst < 0.01;
    add(facts, Severity::error, "labels", file, e.what(),
        noise ? "round to whole numbers" : "the label was interpolated, or is no label map: export it with nearest-neighbour resampling",
        noise ? Fix::round : Fix::none);
    if (!noise) return std::nullopt;
    for (std::int64_t i = 0; i < values.numel(); ++i) values.data<double>()[i] = std::round(values.data<double>()[i]);
    whole = values;
    present = labels_in(whole);
  }
  if (!present.empty() && *present.begin() < 0) {
    add(facts, Severity::error, "labels", file, fmt::format("label {} is negative", *present.begin()), "labels are 0 for background and 1, 2, ...",
        Fix::map_labels);
    return std::nullopt;
  }
  std::string undeclared;
  for (const std::int64_t label_number : present) {
    if (label_number == 0) continue;
    if (!context.map.empty()) {
      if (const auto to = context.map.find(label_number); to != context.map.end()) facts.classes.insert(to->second);
    } else if (context.declared.empty() || context.declared.contains(label_number)) {
      facts.classes.insert(label_number);
    } else {
      undeclared += (undeclared.empty() ? "" : ", ") + std::to_string(label_number);
    }
  }
  if (!undeclared.empty()) {
    std::string declared;
    for (const auto& [number, name] : context.declared) declared += fmt::format("{}{} {}", declared.empty() ? "" : ", ", number, name);
    add(facts, Severity::error, "labels", file, fmt::format("labels {} are not declared ({} are)", undeclared, declared),
        "say what they mean with --label-map, which takes all others as background", Fix::map_labels);
  }
  if (facts.classes.empty())
    add(facts, Severity::warning, "empty", file, "nothing is labelled", "right if there is nothing to find in this scan; else the label is missing");
  LabelMap map = context.map;
  if (map.empty())
    for (const std::int64_t c : facts.classes) map[c] = c;
  if (map.empty()) map[0] = 0;
  return mapped_labels(whole, map);
}

}  // namespace vesal::judge
