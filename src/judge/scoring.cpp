#include "judge/scoring.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>

#include "base/parallel.h"
#include "image/surface_distance.h"

namespace vesal::judge {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Calls visit(const T* values, n, place) over runs of the volume, in parallel; `place` counts in C order. Slabs along x, each contiguous.
template <class Visit>
void for_each_run(const Array& volume, Visit&& visit) {
  const std::int64_t each = volume.size(0) == 0 ? 0 : volume.numel() / volume.size(0);
  visit_dtype(volume.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(volume.size(0), std::max<std::int64_t>(1, (1 << 16) / std::max<std::int64_t>(each, 1)), [&](std::int64_t begin, std::int64_t end) {
      const Array part = volume.slice(0, begin, end).contiguous();
      visit(static_cast<const T*>(part.raw()), part.numel(), begin * each);
    });
  });
}

/// A voxel's value as a label; throws Error(format).
template <class T>
std::int64_t label_of(T value) {
  if constexpr (std::is_integral_v<T>) return static_cast<std::int64_t>(value);
  else {
    const auto v = convert<double>(value);
    if (!(std::fabs(v) < 1e9) || v != std::trunc(v)) throw Error(ErrorKind::format, fmt::format("the value {} is no label: whole numbers are", v));
    return static_cast<std::int64_t>(v);
  }
}

/// Label -> what it becomes, quick for runs of equal labels.
class Lookup {
 public:
  explicit Lookup(const std::map<std::int64_t, std::int64_t>& map) : map_(map) {}
  std::int64_t operator()(std::int64_t label) {
    if (label != last_) {
      const auto found = map_.find(label);
      last_ = label;
      becomes_ = found == map_.end() ? 0 : found->second;
    }
    return becomes_;
  }

 private:
  const std::map<std::int64_t, std::int64_t>& map_;
  std::int64_t last_ = std::numeric_limits<std::int64_t>::min(), becomes_ = 0;
};

template <class Out>
Array looked_up(const Array& volume, const std::map<std::int64_t, std::int64_t>& map) {
  Array out = Array::empty(volume.shape(), dtype_of<Out>());
  Out* to = out.data<Out>();
  for_each_run(volume, [&](const auto* values, std::int64_t n, std::int64_t place) {
    Lookup lookup(map);
    for (std::int64_t i = 0; i < n; ++i) to[place + i] = static_cast<Out>(lookup(label_of(values[i])));
  });
  return out;
}

struct Counts {
  std::array<std::int64_t, 256> reference{}, predicted{}, both{};
};

Counts count(const Array& reference, const Array& predicted) {
  Counts all;
  std::mutex mutex;
  const std::uint8_t *r = reference.data<std::uint8_t>(), *p = predicted.data<std::uint8_t>();
  parallel_for(reference.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    Counts part;
    for (std::int64_t i = begin; i < end; ++i) {
      if ((r[i] | p[i]) == 0) continue;
      ++part.reference[r[i]];
      ++part.predicted[p[i]];
      if (r[i] == p[i]) ++part.both[r[i]];
    }
    const std::lock_guard lock(mutex);
    for (std::size_t c = 0; c < 256; ++c) all.reference[c] += part.reference[c], all.predicted[c] += part.predicted[c], all.both[c] += part.both[c];
  });
  return all;
}

double voxel_ml(const image::Affine& a) {
  const double det = a(0, 0) * (a(1, 1) * a(2, 2) - a(1, 2) * a(2, 1)) - a(0, 1) * (a(1, 0) * a(2, 2) - a(1, 2) * a(2, 0)) +
                     a(0, 2) * (a(1, 0) * a(2, 1) - a(1, 1) * a(2, 0));
  return std::fabs(det) / 1000;
}

}  // namespace

std::set<std::int64_t> labels_in(const Array& volume) {
  std::set<std::int64_t> all;
  std::mutex mutex;
  for_each_run(volume, [&](const auto* values, std::int64_t n, std::int64_t) {
    std::set<std::int64_t> part;
    std::int64_t last = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t label = label_of(values[i]);
      if (i > 0 && label == last) continue;
      part.insert(last = label);
      if (part.size() > 4096) throw Error(ErrorKind::format, "more than 4096 different values: not a label map");
    }
    const std::lock_guard lock(mutex);
    all.insert(part.begin(), part.end());
    if (all.size() > 4096) throw Error(ErrorKind::format, "more than 4096 different values: not a label map");
  });
  return all;
}

Array class_places(const Array& volume, const std::vector<std::int64_t>& labels) {
  if (labels.size() > 255) throw Error(ErrorKind::unsupported, std::to_string(labels.size()) + " classes: at most 255 can be judged");
  std::map<std::int64_t, std::int64_t> places;
  for (std::size_t i = 0; i < labels.size(); ++i) places[labels[i]] = static_cast<std::int64_t>(i) + 1;
  return looked_up<std::uint8_t>(volume, places);
}

Array mapped_labels(const Array& volume, const LabelMap& map) {
  LabelMap full = map;
  if (map.empty())
    for (const std::int64_t label : labels_in(volume)) full[label] = label;
  std::int64_t least = 0, most = 0;
  for (const auto& [from, to] : full) least = std::min(least, to), most = std::max(most, to);
  if (least < 0) throw Error(ErrorKind::format, "label " + std::to_string(least) + " is negative");
  if (most <= 255) return looked_up<std::uint8_t>(volume, full);
  if (most <= 65535) return looked_up<std::uint16_t>(volume, full);
  return looked_up<std::int32_t>(volume, full);
}

std::vector<ClassScore> score(const Array& reference, const Array& predicted, const image::Affine& affine,
                              const std::map<std::int64_t, std::string>& names) {
  if (reference.shape() != predicted.shape())
    throw Error(ErrorKind::geometry, "the reference has " + to_string(reference.shape()) + " voxels, the prediction " + to_string(predicted.shape()));
  std::vector<std::int64_t> labels;
  for (const auto& [label, name] : names)
    if (label != 0) labels.push_back(label);
  const Array r = class_places(reference, labels), p = class_places(predicted, labels);
  const Counts counts = count(r, p);
  const double ml = voxel_ml(affine);
  const auto mm = image::spacing_of(affine);
  const std::vector<double> spacing(mm.begin(), mm.end());
  std::vector<ClassScore> out;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t n = counts.reference[i + 1], m = counts.predicted[i + 1];
    ClassScore s;
    s.label = labels[i];
    s.name = names.at(labels[i]);
    s.dice = n + m == 0 ? kNaN : 2.0 * static_cast<double>(counts.both[i + 1]) / static_cast<double>(n + m);
    s.hd95_mm = s.assd_mm = kNaN;
    if (n > 0 && m > 0) {
      const image::SurfaceDistances d = image::surface_distances(r, p, spacing, static_cast<double>(i + 1));
      s.hd95_mm = d.hausdorff(95);
      s.assd_mm = d.average_symmetric();
    }
    s.reference_ml = static_cast<double>(n) * ml;
    s.predicted_ml = static_cast<double>(m) * ml;
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace vesal::judge
