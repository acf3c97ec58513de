// vesal demo: the whole way in one command, on a scan whose answer is known.
#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "bundle/bundle_folder.h"
#include "cli/command.h"
#include "cli/segment_case.h"
#include "image/formats.h"
#include "image/phantom.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kSpleen = 1;  // in phantom_labels()

struct Options {
  fs::path folder = "out/demo";
  std::string bundle = "spleen_ct_phantom", device = "auto";
  std::uint64_t seed = 5004;  // a spleen of usual size; the bundle was trained on seeds below 5000
};

struct Agreement {
  std::int64_t found = 0, truth = 0, both = 0;
  double dice() const { return found + truth == 0 ? 1 : 2.0 * static_cast<double>(both) / static_cast<double>(found + truth); }
};

Agreement compare(const Array& found, const Array& truth, std::int64_t label) {
  if (found.shape() != truth.shape())
    throw Error(ErrorKind::internal, "the mask has " + to_string(found.shape()) + " voxels, the truth " + to_string(truth.shape()));
  const Array a = found.to(DType::i64).contiguous(), b = truth.contiguous();
  Agreement out;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const bool is_found = a.data<std::int64_t>()[i] == label, is_there = b.data<std::uint8_t>()[i] != 0;
    out.found += is_found, out.truth += is_there, out.both += is_found && is_there;
  }
  return out;
}

/// The phantom's CT and spleen as files; the ground truth [x, y, z] is returned.
image::Image make_case(std::uint64_t seed, const fs::path& scan, const fs::path& truth) {
  image::Phantom phantom = image::make_phantom(seed);
  Array labels = phantom.labels.array();
  std::uint8_t* p = labels.data<std::uint8_t>();
  for (std::int64_t i = 0; i < labels.numel(); ++i) p[i] = p[i] == kSpleen;
  image::write_image(scan, phantom.ct, {.dtype = DType::i16});
  image::write_image(truth, phantom.labels, {.dtype = DType::u8});
  return phantom.labels;
}

/// Which label of the bundle's masks is the spleen.
std::int64_t spleen_label(const infer::Segmenter& segmenter) {
  for (const auto& [label, name] : segmenter.label_names(1))
    if (name == "spleen") return label;
  return 1;
}

int run(const Options& o) {
  const fs::path folder = bundle::find_bundle(o.bundle, bundle::bundle_roots());
  const infer::Segmenter segmenter({.bundle = folder, .device = o.device, .overrides = {}});
  const SegmentCase files{o.folder / "ct.nii.gz", o.folder / "mask.nii.gz", o.folder / "overlay.png"};
  const fs::path truth_file = o.folder / "truth.nii.gz", report_file = o.folder / "report.json";
  const image::Image truth = make_case(o.seed, files.input, truth_file);
  const SegmentOutcome outcome = segment_case(segmenter, files);
  if (outcome.error) throw *outcome.error;

  const Agreement agreement = compare(image::read_image(files.output).array(), truth.array(), spleen_label(segmenter));
  const auto mm = outcome.spacing;
  const double ml = mm[0] * mm[1] * mm[2] / 1000;
  const double found_ml = static_cast<double>(agreement.found) * ml, truth_ml = static_cast<double>(agreement.truth) * ml;
  Dict report = to_report(outcome);
  report["bundle"] = bundle_report(segmenter);
  report["seed"] = o.seed;
  report["truth"] = truth_file.string();
  report["dice"] = agreement.dice();
  report["spleen_ml"] = found_ml;
  report["true_spleen_ml"] = truth_ml;
  write_file(report_file, to_json(report) + "\n");

  clear_progress_line();
  if (globals().json) {
    fmt::print("{}\n", to_json(report));
    return 0;
  }
  fmt::print("A phantom CT with a known spleen (seed {}, no patient), {} x {} x {} voxels of {:.2f} x {:.2f} x {:.2f} mm\n", o.seed, outcome.shape[1],
             outcome.shape[2], outcome.shape[3], mm[0], mm[1], mm[2]);
  fmt::print("bundle     {} {}\n", segmenter.facts().name, segmenter.facts().version);
  fmt::print("Dice       {:.3f}\n", agreement.dice());
  fmt::print("volume     {:.1f} ml found, {:.1f} ml true\n", found_ml, truth_ml);
  fmt::print("seconds    read {:.2f}, preprocess {:.2f}, network {:.2f}, postprocess {:.2f}, write {:.2f}\n", outcome.times.read,
             outcome.times.preprocess, outcome.times.network, outcome.times.postprocess, outcome.write);
  fmt::print("memory     {}\n", peak_memory_text());
  fmt::print("files      {}: ct.nii.gz, truth.nii.gz, mask.nii.gz, report.json; look at {}\n", o.folder.string(), files.preview.string());
  if (segmenter.facts().not_for_diagnosis()) fmt::print("{}\n", segmenter.facts().intended_use);
  return 0;
}

const RegisterCommand command({
    "demo",
    "Make a phantom CT with a known spleen, segment it, compare",
    "  vesal demo\n  vesal demo -o /tmp/demo --seed 5001\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("-o,--output", o->folder, "Folder for the scan, the truth, the mask, the picture and the report")->capture_default_str();
      app.add_option("--bundle", o->bundle, "Name or folder of a bundle that finds spleens")->capture_default_str();
      app.add_option("--device", o->device, "auto, cpu or cuda:N")->capture_default_str();
      app.add_option("--seed", o->seed, "Of the phantom; the built-in bundle never saw those from 5000 on")->capture_default_str();
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
