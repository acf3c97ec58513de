#include "cli/segment_case.h"

#include <fmt/format.h>

#include <chrono>

#include "base/memory.h"
#include "base/registry.h"
#include "cli/segment_flow.h"
#include "image/formats.h"
#include "image/preview.h"
#include "transforms/channels.h"

namespace vesal::cli {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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

/// The scan is read again: it was let go of before the network ran.
void write_preview(const infer::Segmenter& segmenter, const SegmentCase& files, const image::Image& mask) {
  const image::Image stored = image::read_image(files.input);
  const image::Image scan = transforms::channel_first(stored, stored.meta.at("original_channel_dim"));
  image::PreviewOptions options;
  options.caption = files.input.filename().string() + ", " + segmenter.facts().name;
  const bool several = mask.shape()[0] > 1;
  for (const auto& [label, name] : segmenter.label_names(mask.shape()[0])) options.names[several ? label + 1 : label] = name;
  if (segmenter.facts().not_for_diagnosis()) options.warning = image::kNotForDiagnosis;
  image::write_preview(files.preview, scan.with(scan.array().slice(0, 0, 1)), flattened(mask), options);
}

void write_results(const infer::Segmenter& segmenter, const image::Image& mask, const SegmentCase& files) {
  if (files.results.empty()) return;
  const results::Result result = results::result_of(segmenter, mask, files.input, files.how);
  for (const CaseResult& r : files.results) results::write_result(*r.kind, r.file, result);
}

Dict forecast_report(const infer::Forecast& f) {
  const auto number = [](std::uint64_t bytes) { return Value(static_cast<std::int64_t>(bytes)); };
  return Dict{{"peak_memory_bytes", number(f.peak)},
              {"seconds", f.seconds},
              {"windows", f.windows},
              {"windows_to_run", f.to_run},
              {"batch", f.batch},
              {"bytes", Dict{{"before", number(f.before)},
                             {"network", number(f.network)},
                             {"sums_and_labels", number(f.held)},
                             {"postprocessing", number(f.work)},
                             {"next_scan", number(f.ahead)}}}};
}

}  // namespace

std::string SegmentCase::outputs_text() const {
  std::string text = output.string();
  for (const CaseResult& r : results) text += (text.empty() ? "" : ", ") + r.file.string();
  return text;
}

void write_case(const infer::Segmenter& segmenter, const image::Image& mask, SegmentOutcome& out) {
  out.shape = mask.shape();
  out.spacing = image::spacing_of(mask.affine);
  out.type = mask.dtype();
  out.labels = infer::label_amounts(mask, segmenter.label_names(out.shape[0]));
  out.write = seconds_of([&] {
    if (!out.files.output.empty()) image::write_image(out.files.output, mask);
    write_results(segmenter, mask, out.files);
  });
  if (!out.files.preview.empty()) out.preview = seconds_of([&] { write_preview(segmenter, out.files, mask); });
}

SegmentOutcome segment_case(const infer::Segmenter& segmenter, const SegmentCase& files) {
  SegmentOutcome out;
  segment_cases(segmenter, {files}, [&](const SegmentOutcome& outcome) { out = outcome; });
  return out;
}

Dict to_report(const SegmentOutcome& o) {
  Dict report{{"input", o.files.input.string()}};
  if (o.error) {
    const ErrorCodes& codes = error_codes(o.error->kind());
    report["error"] = o.error->what();
    report["kind"] = codes.name;
    report["exit_code"] = codes.exit_code;
    return report;
  }
  List outputs;
  if (!o.files.output.empty()) report["output"] = o.files.output.string(), outputs.items.emplace_back(o.files.output.string());
  for (const CaseResult& r : o.files.results) outputs.items.emplace_back(r.file.string());
  report["outputs"] = outputs;
  if (!o.files.preview.empty()) report["preview"] = o.files.preview.string();
  List shape, spacing, labels;
  for (const std::int64_t n : o.shape) shape.items.emplace_back(n);
  for (const double mm : o.spacing) spacing.items.emplace_back(mm);
  for (const infer::LabelAmount& l : o.labels)
    labels.items.push_back(Dict{{"label", l.label}, {"name", l.name.empty() ? Value() : Value(l.name)}, {"voxels", l.voxels}, {"ml", l.ml}});
  report["shape"] = shape;
  report["spacing_mm"] = spacing;
  report["dtype"] = name_of(o.type);
  report["labels"] = labels;
  report["seconds"] = Dict{{"read", o.times.read},       {"preprocess", o.times.preprocess},
                           {"network", o.times.network}, {"postprocess", o.times.postprocess},
                           {"write", o.write},           {"preview", o.preview}};
  report["peak_memory_bytes"] = peak_memory();
  if (o.forecast) report["forecast"] = forecast_report(*o.forecast);
  return report;
}

Dict bundle_report(const infer::Segmenter& segmenter) {
  const bundle::BundleFacts& facts = segmenter.facts();
  return Dict{{"name", facts.name},
              {"version", facts.version},
              {"folder", facts.folder.string()},
              {"task", facts.task},
              {"intended_use", facts.intended_use},
              {"not_for_diagnosis", facts.not_for_diagnosis()},
              {"weights", segmenter.weights().string()}};
}

std::string peak_memory_text() { return fmt::format("peak memory {:.0f} MB", static_cast<double>(peak_memory()) / 1e6); }

std::string describe(const SegmentOutcome& o) {
  std::string text = fmt::format("{} -> {}\n", o.files.input.string(), o.files.outputs_text());
  for (const infer::LabelAmount& l : o.labels)
    text += fmt::format("  {:<24} {:>10.2f} ml {:>12} voxels\n", l.name.empty() ? fmt::format("label {}", l.label) : l.name, l.ml, l.voxels);
  if (o.labels.empty()) text += "  no labels\n";
  text += fmt::format("  read {:.2f} s, preprocess {:.2f}, network {:.2f}, postprocess {:.2f}, write {:.2f}; {}\n", o.times.read, o.times.preprocess,
                      o.times.network, o.times.postprocess, o.write, peak_memory_text());
  if (!o.files.preview.empty()) text += fmt::format("  picture: {}\n", o.files.preview.string());
  return text;
}

}  // namespace vesal::cli
