#include "server/job_files.h"

#include <zlib.h>

#include <cmath>
#include <cstring>

#include "image/dicom_select.h"
#include "image/formats.h"
#include "results/segment_results.h"
#include "server/route.h"
#include "transforms/channels.h"

namespace vesal::server {
namespace fs = std::filesystem;
namespace {

/// One file is made at a time: two would need twice the memory, and the second caller may find it made.
std::mutex making;

template <class Make>
fs::path made_once(const fs::path& file, Make&& make) {
  const std::lock_guard lock(making);
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) make(file);
  return file;
}

std::string series_rule(const JobRow& job) { return job.series.empty() ? "" : "series=" + job.series; }

image::Image mask_of(const fs::path& file) {
  const image::Image stored = image::read_image(file);
  return transforms::channel_first(stored, stored.meta.at("original_channel_dim"));
}

/// What the header of a NIfTI-1 file declares is compared before anything of that size is allocated.
void check_header(const fs::path& file, const Shape& wanted) {
  constexpr int kHeader = 348;
  unsigned char head[kHeader] = {};
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), gzclose);
  std::int32_t size = 0;
  std::int16_t dim[8] = {}, bits = 0;
  if (!in || gzread(in.get(), head, kHeader) != kHeader) throw Error(ErrorKind::format, "the mask is no NIfTI file");
  std::memcpy(&size, head, sizeof size);
  std::memcpy(dim, head + 40, sizeof dim);
  std::memcpy(&bits, head + 72, sizeof bits);
  if (size != kHeader) throw Error(ErrorKind::format, "the mask is no NIfTI-1 file of little-endian order");
  for (std::size_t axis = 0; axis < 7; ++axis) {
    const std::int64_t n = axis < static_cast<std::size_t>(std::clamp<int>(dim[0], 0, 7)) ? dim[axis + 1] : 1;
    if (n != (axis < wanted.size() ? wanted[axis] : 1)) throw Error(ErrorKind::geometry, "the mask has other extents than the scan");
  }
  if (bits < 8 || bits > 64) throw Error(ErrorKind::format, "the mask's voxels are no numbers of 8 to 64 bits");
}

}  // namespace

JobFiles::JobFiles(Services& services, std::int64_t user, const std::string& job, bool own)
    : services_(services), job_(services.jobs.row(user, job, own)), folder_(services.jobs.folder(job)) {
  if (job_.state != "done") throw HttpError(409, "conflict", "the job is not done", Dict{{"state", job_.state}});
}

fs::path JobFiles::input() const { return services_.uploads.scan_of(job_.upload); }

fs::path JobFiles::scan() {
  const fs::path sent = input();
  if (sent.string().ends_with(".nii.gz")) return sent;
  return made_once(folder_ / "scan.nii.gz", [&](const fs::path& file) {
    const image::SeriesScope series(series_rule(job_));
    image::write_image(file, image::read_image(sent), {.level = 1});
  });
}

fs::path JobFiles::preview() {
  return made_once(folder_ / "preview.png", [&](const fs::path& file) {
    const image::SeriesScope series(series_rule(job_));
    results::write_preview(file, *services_.models.segmenter(job_.model), mask_of(mask()), input());
  });
}

fs::path JobFiles::result(const std::string& name) {
  const results::ResultKind& kind = results::result_kind(name);
  if (kind.per_class) throw Error(ErrorKind::usage, "'" + name + "' is a file for each class; take another kind");
  return made_once(folder_ / (name + kind.endings.front()), [&](const fs::path& file) {
    const image::SeriesScope series(series_rule(job_));
    const auto segmenter = services_.models.segmenter(job_.model);
    results::ResultOptions options;
    options.software = services_.settings.software;
    const results::Result result = results::result_of(*segmenter, mask_of(mask()), input(), options);
    results::write_result(kind, file, result);
  });
}

void JobFiles::correct(const fs::path& sent) {
  const std::lock_guard lock(making);
  const image::Image before = image::read_image(mask());
  check_header(sent, before.shape());
  const image::Image given = image::read_image(sent);
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 4; ++column)
      if (!(std::abs(given.affine(row, column) - before.affine(row, column)) <= 1e-3))
        throw Error(ErrorKind::geometry, "the mask does not lie on the scan's grid");
  const Array numbers = given.array().to(DType::f32).contiguous();
  Array labels = Array::zeros(numbers.shape(), DType::u8);
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    const float value = numbers.data<float>()[i];
    if (!(value >= 0 && value <= 255 && value == std::floor(value))) throw Error(ErrorKind::shape, "labels are whole numbers from 0 to 255");
    labels.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(value);
  }
  image::write_image(correction(), before.with(labels));
}

}  // namespace vesal::server
