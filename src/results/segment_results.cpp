#include "results/segment_results.h"

#include <mutex>

#include "base/sha256.h"
#include "image/dicom_select.h"
#include "image/formats.h"
#include "image/preview.h"
#include "transforms/channels.h"

namespace vesal::results {
namespace {

std::shared_ptr<const image::DicomSource> source_of(const image::Image& mask, const std::filesystem::path& input) {
  if (auto source = image::dicom_source_of(mask)) return source;
  if (!image::holds_dicom(input)) return nullptr;
  const image::DicomRule rule(image::default_series());
  return std::make_shared<image::DicomSource>(image::choose_volume(image::read_dicom_study(input), rule).volume);
}

/// One channel of labels to look at: of several channels the last one that is set, counted from 1.
image::Image flattened(const image::Image& mask) {
  const Array& voxels = mask.array();
  if (voxels.size(0) == 1) return mask;
  Shape shape = voxels.shape();
  shape[0] = 1;
  Array out = Array::zeros(shape, DType::u8);
  std::uint8_t* to = out.data<std::uint8_t>();
  for (std::int64_t c = 0; c < std::min<std::int64_t>(voxels.size(0), 255); ++c) {
    const Array channel = voxels.select(0, c).to(DType::f32).contiguous();
    for (std::int64_t i = 0; i < channel.numel(); ++i)
      if (channel.data<float>()[i] > 0) to[i] = static_cast<std::uint8_t>(c + 1);
  }
  return mask.with(out);
}

}  // namespace

Result result_of(const infer::Segmenter& segmenter, const image::Image& mask, const std::filesystem::path& input, const ResultOptions& options) {
  const bundle::BundleFacts& facts = segmenter.facts();
  std::map<std::string, Anatomy> codes;
  if (!options.codes.empty()) codes = read_codes(options.codes);
  else if (const auto own = facts.folder / "configs" / "codes.json"; std::filesystem::exists(own)) codes = read_codes(own);
  Result result = make_result(mask, segmenter.label_names(mask.shape()[0]), facts, source_of(mask, input), codes);
  result.input = input.filename().string();
  result.software = options.software;
  result.identity += " " + (segmenter.weights().empty() ? "" : sha256_file(segmenter.weights())) + " " + options.changes;
  // Several results show the scan; it is read for the first of them.
  struct Kept {
    std::once_flag once;
    image::Image scan;
  };
  result.scan = [input, kept = std::make_shared<Kept>()] {
    std::call_once(kept->once, [&] {
      const image::Image stored = image::read_image(input);
      const image::Image scan = transforms::channel_first(stored, stored.meta.at("original_channel_dim"));
      kept->scan = scan.with(scan.array().slice(0, 0, 1));
    });
    return kept->scan;
  };
  return result;
}

void write_preview(const std::filesystem::path& file, const infer::Segmenter& segmenter, const image::Image& mask,
                   const std::filesystem::path& input) {
  const image::Image stored = image::read_image(input);
  const image::Image scan = transforms::channel_first(stored, stored.meta.at("original_channel_dim"));
  image::PreviewOptions options;
  options.caption = input.filename().string() + ", " + segmenter.facts().name;
  const bool several = mask.shape()[0] > 1;
  for (const auto& [label, name] : segmenter.label_names(mask.shape()[0])) options.names[several ? label + 1 : label] = name;
  if (segmenter.facts().not_for_diagnosis()) options.warning = image::kNotForDiagnosis;
  image::write_preview(file, scan.with(scan.array().slice(0, 0, 1)), flattened(mask), options);
}

}  // namespace vesal::results
