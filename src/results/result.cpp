#include "results/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/parallel.h"
#include "base/plugin.h"
#include "base/registry.h"
#include "base/sha256.h"
#include "base/text.h"
#include "image/dicom_uid.h"
#include "image/formats.h"
#include "image/preview.h"

namespace vesal::results {
namespace {

std::map<std::string, ResultKind>& registered() {
  static std::map<std::string, ResultKind> all;
  return all;
}
/// With those of the part that is loaded late.
std::map<std::string, ResultKind>& kinds() {
  plugin::dicom().load();
  return registered();
}

struct Sums {
  std::int64_t count = 0;
  std::array<double, 3> at{};
  std::array<std::int64_t, 3> low{1 << 30, 1 << 30, 1 << 30}, high{};

  void add(std::int64_t x, std::int64_t y, std::int64_t z) {
    ++count;
    const std::array<std::int64_t, 3> voxel{x, y, z};
    for (std::size_t i = 0; i < 3; ++i) {
      at[i] += static_cast<double>(voxel[i]);
      low[i] = std::min(low[i], voxel[i]);
      high[i] = std::max(high[i], voxel[i] + 1);
    }
  }
};

/// Of every value but 0.
std::map<std::int64_t, Sums> sums_of(const Array& voxels) {
  std::map<std::int64_t, Sums> all;
  std::mutex mutex;
  parallel_for(voxels.size(2), 1, [&](std::int64_t begin, std::int64_t end) {
    std::map<std::int64_t, Sums> part;
    for (std::int64_t z = begin; z < end; ++z) {
      const Array plane = voxels.select(2, z).to(DType::i64).contiguous();
      const std::int64_t* p = plane.data<std::int64_t>();
      std::int64_t last = 0;
      Sums* sums = nullptr;
      for (std::int64_t x = 0; x < plane.size(0); ++x)
        for (std::int64_t y = 0; y < plane.size(1); ++y, ++p) {
          if (*p == 0) continue;
          if (!sums || *p != last) sums = &part[last = *p];
          sums->add(x, y, z);
        }
      if (part.size() > 4096) throw Error(ErrorKind::shape, "more than 4096 different values: not a label map");
    }
    const std::lock_guard lock(mutex);
    for (const auto& [label, sums] : part) {
      Sums& to = all[label];
      to.count += sums.count;
      for (std::size_t i = 0; i < 3; ++i) {
        to.at[i] += sums.at[i];
        to.low[i] = std::min(to.low[i], sums.low[i]);
        to.high[i] = std::max(to.high[i], sums.high[i]);
      }
    }
  });
  return all;
}

double voxel_ml(const image::Affine& a) {
  const double det = a(0, 0) * (a(1, 1) * a(2, 2) - a(1, 2) * a(2, 1)) - a(0, 1) * (a(1, 0) * a(2, 2) - a(1, 2) * a(2, 0)) +
                     a(0, 2) * (a(1, 0) * a(2, 1) - a(1, 1) * a(2, 0));
  return std::abs(det) / 1000;
}

std::string file_part(std::string name) {
  for (char& c : name)
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && static_cast<unsigned char>(c) < 128) c = '_';
  return name;
}

}  // namespace

Array Result::voxels_of(const Segment& s) const { return mask.array().select(0, mask.shape()[0] > 1 ? static_cast<int>(s.label) : 0); }

std::string Result::uid(std::string_view kind, std::string_view what) const {
  std::string text = fmt::format("vesal {} {} | {} | ", kind, what, identity);
  if (source) {
    text += source->series().series_uid;
    for (const image::DicomSlice& s : source->slices()) text += fmt::format(" {}:{}", s.sop_instance, s.frame);
  } else {
    text += input;
  }
  return image::uid_of(text);
}

const image::DicomSource& Result::dicom_source() const {
  if (source) return *source;
  std::string others;
  for (const ResultKind* kind : result_kinds())
    if (!kind->dicom) others += (others.empty() ? "" : ", ") + kind->name;
  throw Error(ErrorKind::unsupported,
              "a DICOM object can only be made of a scan that is DICOM: it refers to the scan's instances and copies its patient; of "
              "other scans there are image files and " +
                  others);
}

Result make_result(image::Image mask, const std::map<std::int64_t, std::string>& names, const bundle::BundleFacts& facts,
                   std::shared_ptr<const image::DicomSource> source, const std::map<std::string, Anatomy>& codes) {
  const Shape shape = mask.shape();
  if (shape.size() != 4 || is_floating(mask.dtype()))
    throw Error(ErrorKind::shape,
                "results are made of whole numbers [C, x, y, z], this mask is " + std::string(name_of(mask.dtype())) + " " + to_string(shape));
  if (source &&
      (Shape(shape.begin() + 1, shape.end()) != source->volume().shape() || image::max_difference(mask.affine, source->volume().affine()) > 1e-3))
    throw Error(ErrorKind::geometry, "the mask does not lie on the grid of the DICOM series");
  if (source)
    for (const image::DicomSlice& s : source->slices())
      if (!image::is_uid(s.sop_instance))
        throw Error(ErrorKind::unsupported, s.file.name() + " has no SOP Instance UID: no object could refer to it");
  Result out;
  std::map<std::int64_t, Sums> sums;
  const bool several = shape[0] > 1;
  if (several) {
    for (std::int64_t c = 0; c < shape[0]; ++c) {
      Sums& channel = sums[c];
      for (const auto& [value, s] : sums_of(mask.array().select(0, static_cast<int>(c)))) {
        if (value != 1) throw Error(ErrorKind::shape, "several channels are written as 0 and 1, this one holds " + std::to_string(value));
        channel = s;
      }
    }
  } else {
    sums = sums_of(mask.array().select(0, 0));
    for (const auto& [label, name] : names)
      if (label != 0) sums[label];
  }
  for (const auto& [label, s] : sums) {
    Segment segment;
    segment.label = label;
    const auto name = names.find(label);
    segment.name = name == names.end() || name->second.empty() ? fmt::format("label {}", label) : name->second;
    auto code = codes.find(segment.name);
    if (code == codes.end()) code = codes.find(std::to_string(label));
    segment.anatomy = code == codes.end() ? anatomy_of(segment.name) : code->second;
    segment.colour = image::label_colour(several ? label + 1 : label);
    segment.voxels = s.count;
    segment.ml = static_cast<double>(s.count) * voxel_ml(mask.affine);
    std::array<double, 3> at = s.at;
    for (double& v : at) v /= static_cast<double>(std::max<std::int64_t>(1, s.count));
    if (s.count > 0) segment.centroid = image::apply(mask.affine, at), segment.low = s.low, segment.high = s.high;
    out.classes.push_back(segment);
    if (s.count > 0) out.segments.push_back(segment);
  }
  if (out.classes.empty()) throw Error(ErrorKind::unsupported, "the mask is empty and the bundle names no class: there is nothing to write");
  if (out.segments.empty()) out.segments.push_back(out.classes[0]);
  out.mask = std::move(mask);
  out.source = std::move(source);
  out.software = "vesal";
  out.bundle = facts.name;
  out.version = facts.version;
  out.task = facts.task;
  if (facts.not_for_diagnosis()) out.warning = facts.intended_use.empty() ? "Not for diagnosis" : facts.intended_use;
  out.identity = out.bundle + " " + out.version;
  return out;
}

RegisterResult::RegisterResult(ResultKind kind) {
  const std::string name = kind.name;
  registered().emplace(name, std::move(kind));
}

std::vector<const ResultKind*> result_kinds() {
  std::vector<const ResultKind*> all;
  for (const auto& [name, kind] : kinds()) all.push_back(&kind);
  return all;
}

const ResultKind* kind_of(const std::filesystem::path& file) {
  if (image::can_write(file) || !file.has_extension()) return nullptr;
  const std::string name = lower(file.filename().string());
  const ResultKind* best = nullptr;
  std::size_t longest = 0;
  for (const auto& [key, kind] : kinds())
    for (const std::string& ending : kind.endings)
      if (name.size() > ending.size() && name.ends_with(ending) && ending.size() > longest) best = &kind, longest = ending.size();
  return best;
}

const ResultKind& result_kind(const std::string& name) {
  const auto found = kinds().find(name);
  if (found != kinds().end()) return found->second;
  std::vector<std::string> names;
  std::string list;
  for (const auto& [key, kind] : kinds()) names.push_back(key), list += (list.empty() ? "" : ", ") + key;
  throw Error(ErrorKind::usage, "no kind of result '" + name + "'" + suggestion(name, names) + "; there are " + list);
}

std::vector<std::filesystem::path> write_result(const ResultKind& kind, const std::filesystem::path& file, const Result& result) {
  if (kind.dicom) result.dicom_source();
  return with_context("writing " + file.string(), [&] {
    const std::string name = file.filename().string(), mark = "{name}";
    const auto at = name.find(mark);
    if (at == std::string::npos) {
      kind.write(file, result);
      return std::vector{file};
    }
    std::vector<std::filesystem::path> files;
    for (const Segment& s : result.segments) {
      Result one = result;
      one.segments = {s};
      const auto to = file.parent_path() / (name.substr(0, at) + file_part(s.name) + name.substr(at + mark.size()));
      if (std::find(files.begin(), files.end(), to) != files.end()) throw Error(ErrorKind::usage, "two classes would both become " + to.string());
      kind.write(to, one);
      files.push_back(to);
    }
    return files;
  });
}

void compare(const Result& result, const Segment& segment, const Found& found) {
  const auto spacing = image::spacing_of(result.mask.affine);
  const double voxel = spacing[0] * spacing[1] * spacing[2] / 1000;
  const bool tilted = result.source && result.source->volume().tilted;
  const double allowed = (0.5 + 1e-6 * static_cast<double>(segment.voxels)) * voxel + (tilted ? 0.1 * segment.ml + voxel : 0);
  if (std::fabs(found.ml - segment.ml) > allowed)
    throw Error(ErrorKind::geometry,
                fmt::format("{}: {:.4f} ml when read back, the mask has {:.4f} ml; nothing was written", segment.name, found.ml, segment.ml));
  if (segment.voxels == 0) return;
  for (std::size_t i = 0; i < 3; ++i) {
    // The extent of a voxel along this world axis.
    double extent = 0;
    for (int k = 0; k < 3; ++k) extent += std::fabs(result.mask.affine(static_cast<int>(i), k));
    const double off = found.centroid[i] - segment.centroid[i];
    if (std::fabs(off) > (tilted ? 1.0 : 0.5) * extent)
      throw Error(ErrorKind::geometry,
                  fmt::format("{}: its centre lies {:.2f} mm off along {} when read back; nothing was written", segment.name, off, "xyz"[i]));
  }
}

}  // namespace vesal::results
