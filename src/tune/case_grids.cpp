#include "tune/case_grids.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/log.h"
#include "base/registry.h"
#include "image/formats.h"
#include "image/gzip.h"
#include "image/nifti_header.h"

namespace vesal::tune {
namespace {

struct Header {
  Shape shape;
  image::Affine affine;
};

Header header_of(const std::filesystem::path& path) {
  {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    const std::vector<std::byte> head = image::is_gzip(bytes)
                                            ? image::gunzip_head(bytes, image::kNiftiHeaderBytes)
                                            : std::vector<std::byte>(bytes.begin(), bytes.begin() + std::min(bytes.size(), image::kNiftiHeaderBytes));
    if (image::looks_like_nifti(head)) {
      const image::NiftiHeader nifti = image::parse_nifti_header(head);
      return {nifti.shape, image::affine_of(nifti)};
    }
  }
  const image::Image scan = image::read_image(path);
  return {scan.shape(), scan.affine};
}

/// Reorders the axes as Orientationd will: left-right, back-front, foot-head, or as its axcodes say.
void reorient(CaseGrid& grid, const image::Affine& affine, const std::string& axcodes) {
  const image::Orientation from = image::orientation_of(affine), to = image::parse_axcodes(axcodes);
  const CaseGrid before = grid;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      if (from.axis[j] == to.axis[i]) grid.extents[i] = before.extents[j], grid.spacing[i] = before.spacing[j];
}

CaseGrid grid_of(const Header& header, const InferenceSteps& steps, int dims) {
  CaseGrid grid;
  const auto spacing = image::spacing_of(header.affine);
  for (int i = 0; i < dims; ++i) {
    grid.extents.push_back(i < static_cast<int>(header.shape.size()) ? static_cast<double>(header.shape[i]) : 1);
    grid.spacing.push_back(spacing[i]);
  }
  for (const Dict& step : steps.preprocessing) {
    const std::string name = step.at("_target_").as_string();
    const auto numbers = [&](const char* key) {
      const Value* v = step.find(key);
      auto list = v && (v->is_number() || v->is_sequence()) ? cast<std::vector<std::optional<double>>>(*v) : std::vector<std::optional<double>>{};
      if (list.size() == 1) list.resize(static_cast<std::size_t>(dims), list[0]);
      list.resize(static_cast<std::size_t>(dims));
      return list;
    };
    if (const Value* codes = step.find("axcodes"); name == "Orientationd" && dims == 3 && codes && codes->is_string())
      reorient(grid, header.affine, codes->as_string());
    if (name == "Spacingd") {
      const auto wanted = numbers("pixdim");
      for (int i = 0; i < dims; ++i) {
        if (!wanted[i] || !(*wanted[i] > 0)) continue;
        grid.extents[i] = std::round((grid.extents[i] - 1) * grid.spacing[i] / *wanted[i]) + 1;
        grid.spacing[i] = *wanted[i];
      }
    }
    if (name == "Resized" || name == "ResizeWithPadOrCropd") {
      const auto wanted = numbers("spatial_size");
      for (int i = 0; i < dims; ++i)
        if (wanted[i] && *wanted[i] > 0) grid.extents[i] = *wanted[i];
    }
  }
  return grid;
}

}  // namespace

std::vector<CaseGrid> case_grids(const judge::CaseSet& cases, const InferenceSteps& steps, int spatial_dims, std::size_t most) {
  std::vector<CaseGrid> grids;
  const std::size_t n = cases.cases.size(), step = std::max<std::size_t>(1, (n + most - 1) / most);
  for (std::size_t i = 0; i < n; i += step) {
    try {
      grids.push_back(grid_of(header_of(cases.cases[i].image), steps, spatial_dims));
    } catch (const Error& e) { log::debug("{}: {}", cases.cases[i].image.filename().string(), e.what()); }
  }
  return grids;
}

}  // namespace vesal::tune
