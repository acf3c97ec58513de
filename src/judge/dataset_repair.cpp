#include "judge/dataset_repair.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <set>

#include "base/cancel.h"
#include "base/file.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "image/formats.h"
#include "judge/file_names.h"
#include "judge/grids.h"
#include "judge/scoring.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;
using image::Affine;

const char* words(Fix fix) {
  switch (fix) {
    case Fix::none: break;
    case Fix::take_grid: return "the label got the scan's header";
    case Fix::resample: return "label resampled onto the scan's grid";
    case Fix::round: return "label values rounded";
    case Fix::map_labels: return "labels outside the declared set became background";
    case Fix::millimetres: return "headers converted to millimetres";
    case Fix::mirror_x: return "left and right exchanged in the headers";
    case Fix::mirror_y: return "front and back exchanged in the headers";
    case Fix::turn_z: return "headers turned by half a turn about the long axis";
    case Fix::hounsfield: return "1024 subtracted";
    case Fix::drop: return "left out";
  }
  return "";
}

/// What happens to one case: why it is left out, or what is done.
struct Plan {
  std::set<Fix> fixes;
  std::string left_out;
};

Plan plan_of(const LabelledCase& c, const std::vector<Finding>& findings) {
  Plan plan;
  for (const Finding& f : findings) {
    if (f.case_id != c.id || f.severity != Severity::error || (f.file != c.image && f.file != c.label)) continue;
    if (f.fix == Fix::none || f.fix == Fix::drop) plan.left_out = f.message;
    plan.fixes.insert(f.fix);
  }
  return plan;
}

/// The label at the nearest voxel of each of the scan's; 0 outside.
Array resampled(const Array& label, const Affine& affine, const Shape& shape, const Affine& wanted) {
  const Array from = label.contiguous();
  Array out = Array::zeros(shape, from.dtype());
  const Affine map = image::inverse(affine) * wanted;
  visit_dtype(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* source = static_cast<const T*>(from.raw());
    T* target = static_cast<T*>(out.raw());
    parallel_for(shape[0], 4, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t x = begin; x < end; ++x)
        for (std::int64_t y = 0; y < shape[1]; ++y)
          for (std::int64_t z = 0; z < shape[2]; ++z) {
            const auto p = image::apply(map, {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
            std::int64_t at = 0;
            bool inside = true;
            for (std::size_t i = 0; i < 3; ++i) {
              const double nearest = std::floor(p[i] + 0.5);
              inside = inside && nearest >= 0 && nearest < static_cast<double>(from.shape()[i]);
              if (inside) at = at * from.shape()[i] + static_cast<std::int64_t>(nearest);
            }
            if (inside) target[(x * shape[1] + y) * shape[2] + z] = source[at];
          }
    });
  });
  return out;
}

Array rounded(const Array& volume) {
  Array values = volume.to(DType::f64).clone();
  for (std::int64_t i = 0; i < values.numel(); ++i) values.data<double>()[i] = std::round(values.data<double>()[i]);
  return values;
}

/// What the header fixes do to an affine.
Affine corrected(const Affine& affine, const std::set<Fix>& fixes, double to_mm) {
  Affine before;
  if (fixes.contains(Fix::millimetres)) before = Affine::scale(to_mm, to_mm, to_mm) * before;
  if (fixes.contains(Fix::mirror_x) || fixes.contains(Fix::turn_z)) before = Affine::scale(-1, 1, 1) * before;
  if (fixes.contains(Fix::mirror_y) || fixes.contains(Fix::turn_z)) before = Affine::scale(1, -1, 1) * before;
  return before * affine;
}

double millimetres_per_unit(const image::Image& image) {
  const Value* units = image.meta.find("xyzt_units");
  if (!units || !units->is_int()) return 1;
  return (units->as_int() & 7) == 1 ? 1000 : (units->as_int() & 7) == 3 ? 0.001 : 1;
}

class Workshop {
 public:
  Workshop(const GateOptions& options, fs::path folder, const CaseSet& set) : map_(options.label_map), folder_(std::move(folder)) {
    declared_ = options.declared.empty() ? set.labels : options.declared;
    declared_.erase(0);
  }

  /// Writes one case; paths relative to the folder.
  std::pair<std::string, std::string> write(const LabelledCase& c, const std::set<Fix>& fixes) {
    const bool header =
        fixes.contains(Fix::mirror_x) || fixes.contains(Fix::mirror_y) || fixes.contains(Fix::turn_z) || fixes.contains(Fix::millimetres);
    const bool touches_image = header || fixes.contains(Fix::hounsfield);
    const bool touches_label = header || !map_.empty() || fixes.contains(Fix::take_grid) || fixes.contains(Fix::resample) ||
                               fixes.contains(Fix::round) || fixes.contains(Fix::map_labels);
    const std::string image = "imagesTr/" + c.id + (touches_image ? ".nii.gz" : ending(c.image));
    const std::string label = "labelsTr/" + c.id + (touches_label ? ".nii.gz" : ending(c.label));
    if (!touches_image) copy(c.image, folder_ / image);
    if (!touches_label) copy(c.label, folder_ / label);
    if (touches_image || touches_label) {
      image::Image scan = image::read_image(c.image);
      const double to_mm = millimetres_per_unit(scan);
      const Affine place = corrected(scan.affine, fixes, to_mm);
      if (touches_label) write_label(c, scan, place, fixes, to_mm, folder_ / label);
      if (touches_image) write_scan(scan, place, fixes, folder_ / image);
    }
    return {image, label};
  }

 private:
  static std::string ending(const fs::path& file) { return file.filename().string().substr(stem_of(file).size()); }

  static void copy(const fs::path& from, const fs::path& to) {
    std::error_code problem;
    fs::create_directories(to.parent_path());
    fs::copy_file(from, to, problem);
    if (problem) throw Error(ErrorKind::io, "copying " + from.string() + " to " + to.string() + ": " + problem.message());
  }

  static void write_scan(const image::Image& scan, const Affine& place, const std::set<Fix>& fixes, const fs::path& to) {
    Array voxels = volume_of(scan);
    if (fixes.contains(Fix::hounsfield)) {
      const bool whole = !is_floating(voxels.dtype());
      voxels = voxels.to(DType::f32).clone();
      for (std::int64_t i = 0; i < voxels.numel(); ++i) voxels.data<float>()[i] -= 1024;
      if (whole) voxels = voxels.to(DType::i16);
    } else if (voxels.dtype() == DType::f64) {
      voxels = voxels.to(DType::f32);
    }
    image::write_image(to, image::Image(voxels, place));
  }

  void write_label(const LabelledCase& c, const image::Image& scan, const Affine& place, const std::set<Fix>& fixes, double to_mm,
                   const fs::path& to) {
    const image::Image label = image::read_image(c.label);
    Array volume = volume_of(label);
    Affine affine = corrected(label.affine, fixes, to_mm);
    if (fixes.contains(Fix::resample)) volume = resampled(volume, label.affine, volume_of(scan).shape(), scan.affine);
    if (fixes.contains(Fix::resample) || fixes.contains(Fix::take_grid)) affine = place;
    if (fixes.contains(Fix::round)) volume = rounded(volume);
    LabelMap map = map_;
    if (map.empty() && fixes.contains(Fix::map_labels))
      for (const auto& [number, name] : declared_) map[number] = number;
    image::write_image(to, image::Image(mapped_labels(volume, map), affine));
  }

  const LabelMap map_;
  const fs::path folder_;
  std::map<std::int64_t, std::string> declared_;
};

/// dataset.json's labels: after the map, the declared names.
Dict label_names(const CaseSet& training, const GateOptions& options) {
  std::map<std::int64_t, std::string> names = options.declared;
  if (names.empty() && options.label_map.empty()) names = training.labels;
  if (names.empty())
    for (const auto& [from, to] : options.label_map) {
      const auto name = training.labels.find(from);
      names.emplace(to, name == training.labels.end() ? "label " + std::to_string(to) : name->second);
    }
  names[0] = "background";
  Dict out;
  for (const auto& [number, name] : names) out[std::to_string(number)] = name;
  return out;
}

List texts(const std::vector<std::string>& list) {
  List out;
  for (const std::string& t : list) out.items.emplace_back(t);
  return out;
}

}  // namespace

Repaired repair_dataset(const CaseSet& training, const CaseSet& validation, const GateOptions& options, const std::vector<Finding>& findings,
                        const fs::path& out) {
  std::error_code ignored;
  if (fs::exists(out, ignored) && (!fs::is_directory(out, ignored) || !fs::is_empty(out, ignored)))
    throw Error(ErrorKind::usage, out.string() + " is there already: the repaired copy wants a new folder");
  const fs::path whole = fs::absolute(out).lexically_normal();
  const fs::path target = whole.has_filename() ? whole : whole.parent_path();
  const fs::path work = target.parent_path() / (".part-" + std::to_string(::getpid()) + "-" + target.filename().string());
  Repaired result;
  result.folder = out;
  try {
    fs::create_directories(work);
    Workshop workshop(options, work, training);
    std::map<bool, List> lists;
    std::set<std::string> taken;
    Progress progress("repairing", static_cast<std::int64_t>(training.cases.size() + validation.cases.size()));
    for (const bool is_validation : {false, true})
      for (const LabelledCase& given : (is_validation ? validation : training).cases) {
        check_cancelled();
        const Plan plan = plan_of(given, findings);
        progress.advance();
        if (!plan.left_out.empty()) {
          result.left_out.push_back(given.id + ": " + plan.left_out);
          continue;
        }
        LabelledCase c = given;
        for (int n = 2; !taken.insert(c.id).second; ++n) c.id = given.id + "_" + std::to_string(n);
        const auto [image, label] = with_context("repairing " + given.id, [&] { return workshop.write(c, plan.fixes); });
        for (const Fix fix : plan.fixes) result.done.push_back(given.id + ": " + words(fix));
        lists[is_validation].items.push_back(Dict{{"image", "./" + image}, {"label", "./" + label}});
        ++(is_validation ? result.validation : result.training);
      }
    const std::string modality = options.modality.empty() ? training.modality : options.modality;
    Dict list{{"name", target.filename().string()},
              {"description", "checked and repaired by vesal, from " + training.source.filename().string()},
              {"tensorImageSize", "3D"},
              {"modality", Dict{{"0", modality.empty() ? "unknown" : modality}}},
              {"labels", label_names(training, options)},
              {"numTraining", result.training},
              {"training", lists[false]}};
    if (!validation.cases.empty()) list["validation"] = lists[true];
    write_file(work / "dataset.json", to_json(list) + "\n");
    write_file(work / "repairs.json",
               to_json(Dict{{"findings", to_value(findings)}, {"repaired", texts(result.done)}, {"left_out", texts(result.left_out)}}) + "\n");
    if (fs::exists(target)) fs::remove(target);
    fs::rename(work, target);
  } catch (const fs::filesystem_error& e) {
    fs::remove_all(work, ignored);
    throw Error(ErrorKind::io, "writing " + out.string() + ": " + e.code().message());
  } catch (...) {
    fs::remove_all(work, ignored);
    throw;
  }
  return result;
}

}  // namespace vesal::judge
