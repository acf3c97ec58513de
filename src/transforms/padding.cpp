#include "transforms/padding.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace vesal::transforms {
namespace {

/// The voxel of [0, n) that stands at position i outside of it.
std::int64_t source_index(std::int64_t i, std::int64_t n, PadMode::Kind kind) {
  const auto modulo = [](std::int64_t a, std::int64_t m) { return (a % m + m) % m; };
  switch (kind) {
    case PadMode::Kind::wrap: return modulo(i, n);
    case PadMode::Kind::reflect: {
      if (n == 1) return 0;
      const std::int64_t k = modulo(i, 2 * (n - 1));
      return k < n ? k : 2 * (n - 1) - k;
    }
    case PadMode::Kind::symmetric: {
      const std::int64_t k = modulo(i, 2 * n);
      return k < n ? k : 2 * n - 1 - k;
    }
    default: return std::clamp<std::int64_t>(i, 0, n - 1);
  }
}

/// The smallest, largest or mean value along an axis, which is gone from the result.
Array statistic(const Array& voxels, int axis, PadMode::Kind kind) {
  Array out = voxels.select(axis, 0).to(DType::f64).clone();
  double* to = out.data<double>();
  const std::int64_t n = voxels.size(axis);
  for (std::int64_t i = 1; i < n; ++i) {
    const Array next = voxels.select(axis, i).to(DType::f64).contiguous();
    const double* from = next.data<double>();
    for (std::int64_t k = 0; k < out.numel(); ++k) {
      if (kind == PadMode::Kind::mean) to[k] += from[k];
      else to[k] = kind == PadMode::Kind::minimum ? std::min(to[k], from[k]) : std::max(to[k], from[k]);
    }
  }
  if (kind != PadMode::Kind::mean) return out;
  for (std::int64_t k = 0; k < out.numel(); ++k) {
    to[k] /= static_cast<double>(n);
    if (!is_floating(voxels.dtype())) to[k] = std::nearbyint(to[k]);
  }
  return out;
}

}  // namespace

PadMode pad_mode(const std::string& mode, const Dict& kwargs) {
  using Kind = PadMode::Kind;
  static const std::map<std::string, Kind> kinds{
      {"constant", Kind::constant}, {"edge", Kind::edge},     {"replicate", Kind::edge},  {"reflect", Kind::reflect}, {"symmetric", Kind::symmetric},
      {"wrap", Kind::wrap},         {"circular", Kind::wrap}, {"minimum", Kind::minimum}, {"maximum", Kind::maximum}, {"mean", Kind::mean}};
  const auto kind = kinds.find(mode);
  if (kind == kinds.end())
    throw Error(ErrorKind::config,
                "padding mode '" + mode + "': constant, edge, replicate, reflect, symmetric, wrap, circular, minimum, maximum or mean wanted");
  PadMode m{kind->second, 0};
  for (const auto& [name, value] : kwargs) {
    if (name != Value("value") && name != Value("constant_values")) throw Error(ErrorKind::config, "padding has no argument " + name.repr());
    m.value = value.as_float();
  }
  return m;
}

Array pad(const Array& voxels, const Shape& before, const Shape& after, const PadMode& mode) {
  Shape shape = voxels.shape();
  bool any = false;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (mode.kind != PadMode::Kind::constant && shape[i + 1] == 0) throw Error(ErrorKind::shape, "cannot pad an axis without voxels from its own");
    any = any || before[i] != 0 || after[i] != 0;
    shape[i + 1] += before[i] + after[i];
  }
  if (!any) return voxels;
  const bool constant = mode.kind == PadMode::Kind::constant;
  Array out = constant ? Array::full(shape, voxels.dtype(), mode.value) : Array::empty(shape, voxels.dtype());
  Array inner = out;
  for (std::size_t i = 0; i < before.size(); ++i)
    inner = inner.slice(static_cast<int>(i) + 1, before[i], before[i] + voxels.size(static_cast<int>(i) + 1));
  inner.copy_from(voxels);
  if (constant) return out;
  // Axis by axis, each from voxels that are already there.
  for (std::size_t i = 0; i < before.size(); ++i) {
    const int axis = static_cast<int>(i) + 1;
    const std::int64_t n = voxels.size(axis);
    Array filled = out;
    for (std::size_t k = i + 1; k < before.size(); ++k)
      filled = filled.slice(static_cast<int>(k) + 1, before[k], before[k] + voxels.size(static_cast<int>(k) + 1));
    const bool one_value = mode.kind >= PadMode::Kind::minimum && (before[i] > 0 || after[i] > 0);
    const Array value = one_value ? statistic(filled.slice(axis, before[i], before[i] + n), axis, mode.kind) : Array();
    const auto fill = [&](std::int64_t p) {
      filled.select(axis, p + before[i]).copy_from(one_value ? value : filled.select(axis, source_index(p, n, mode.kind) + before[i]));
    };
    for (std::int64_t p = -before[i]; p < 0; ++p) fill(p);
    for (std::int64_t p = n; p < n + after[i]; ++p) fill(p);
  }
  return out;
}

Image pad_or_crop(const Image& image, const Shape& begin, const Shape& end, const PadMode& mode, const std::string& name) {
  const Shape shape = spatial_shape(image);
  Shape before, after;
  Array part = image.array();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t from = std::clamp<std::int64_t>(begin[i], 0, shape[i]), to = std::clamp<std::int64_t>(end[i], from, shape[i]);
    part = part.slice(static_cast<int>(i) + 1, from, to);
    before.push_back(std::max<std::int64_t>(0, from - begin[i]));
    after.push_back(std::max<std::int64_t>(0, end[i] - to));
  }
  return with_window(image, pad(part, before, after, mode), begin, name);
}

}  // namespace vesal::transforms
