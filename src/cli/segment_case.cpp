#include "cli/segment_case.h"

#include <fmt/format.h>

#include <chrono>

#include "base/memory.h"
#include "base/registry.h"
#include "cli/segment_flow.h"
#include "image/formats.h"

namespace vesal::cli {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
  if (!out.files.preview.empty()) out.preview = seconds_of([&] { results::write_preview(out.files.preview, segmenter, mask, out.files.input); });
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
