// vesal phantom: labelled CT phantoms on disk, in the Decathlon's layout.
#include "image/phantom.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/registry.h"
#include "cli/command.h"
#include "image/formats.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path folder;
  int count = 1;
  std::uint64_t seed = 0;
  std::string labels = "all";
  std::vector<double> spacing;
  std::string orientation;
  double slab = 0;
  double noise = 0, contrast = 1, hu_shift = 0;
};

/// The number of `label` among the names, -1 for all; throws Error(usage).
int wanted_label(const std::string& label) {
  if (label == "all") return -1;
  std::vector<std::string> names;
  for (const auto& [number, name] : image::phantom_labels()) {
    if (name == label) return number;
    names.push_back(name);
  }
  throw Error(ErrorKind::usage, "--labels " + label + ": no such organ" + suggestion(label, names));
}

void keep_only(Array& labels, int number) {
  std::uint8_t* p = labels.data<std::uint8_t>();
  for (std::int64_t i = 0; i < labels.numel(); ++i) p[i] = p[i] == number;
}

std::int64_t count_of(const Array& labels, int number) {
  const std::uint8_t* p = labels.data<std::uint8_t>();
  return std::count(p, p + labels.numel(), static_cast<std::uint8_t>(number));
}

int run(const Options& o) {
  const int only = wanted_label(o.labels);
  image::PhantomOptions shape;
  if (!o.spacing.empty()) shape.spacing = {o.spacing[0], o.spacing[1], o.spacing[2]};
  shape.orientation = o.orientation;
  shape.slab_mm = o.slab;
  shape.noise_hu = o.noise;
  shape.contrast = o.contrast;
  shape.hu_shift = o.hu_shift;

  List training;
  Progress progress("phantoms", o.count);
  for (int i = 0; i < o.count; ++i) {
    const std::uint64_t seed = o.seed + static_cast<std::uint64_t>(i);
    image::Phantom phantom = image::make_phantom(seed, shape);
    Array labels = phantom.labels.array();
    const auto voxel = image::spacing_of(phantom.ct.affine);
    const double spleen_ml = static_cast<double>(count_of(labels, 1)) * voxel[0] * voxel[1] * voxel[2] / 1000;
    if (only >= 0) keep_only(labels, only);
    const std::string name = fmt::format("phantom_{:04}.nii.gz", seed);
    image::write_image(o.folder / "imagesTr" / name, phantom.ct, {.dtype = DType::i16});
    image::write_image(o.folder / "labelsTr" / name, phantom.labels, {.dtype = DType::u8});
    training.items.push_back(Dict{{"image", "./imagesTr/" + name}, {"label", "./labelsTr/" + name}});
    log::info("{}: {} voxels, {:.2f} x {:.2f} x {:.2f} mm, {}, spleen {:.1f} ml", name, to_string(labels.shape()), voxel[0], voxel[1], voxel[2],
              image::axcodes(image::orientation_of(phantom.ct.affine)), spleen_ml);
    progress.advance();
  }

  Dict names{{"0", "background"}};
  for (const auto& [number, name] : image::phantom_labels()) {
    if (only < 0) names[std::to_string(number)] = name;
    else if (number == only) names["1"] = name;
  }
  const Value dataset = Dict{{"name", "phantoms"},      {"description", "CT phantoms made by rule; no patient"},
                             {"tensorImageSize", "3D"}, {"modality", Dict{{"0", "CT"}}},
                             {"labels", names},         {"numTraining", o.count},
                             {"training", training}};
  write_file(o.folder / "dataset.json", to_json(dataset) + "\n");
  if (globals().json) fmt::print("{}\n", to_json(dataset));
  return 0;
}

const RegisterCommand command({
    "phantom",
    "Make abdominal CT phantoms with their exact label maps",
    "  vesal phantom -o phantoms --count 10 --seed 1\n"
    "  vesal phantom -o spleens --count 40 --labels spleen --spacing 2 2 3\n"
    "  vesal phantom -o other_scanner --count 10 --noise 30 --contrast 0.8 --hu-shift -10\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("-o,--output", o->folder, "Folder for imagesTr, labelsTr and dataset.json")->required();
      app.add_option("--count", o->count, "How many")->check(CLI::Range(1, 100000))->capture_default_str();
      app.add_option("--seed", o->seed, "Seed of the first; the next ones follow")->capture_default_str();
      app.add_option("--labels", o->labels, "One organ's name, written as label 1, or all")->capture_default_str();
      app.add_option("--spacing", o->spacing, "Voxel size in mm along x, y, z (default: drawn)")->expected(3);
      app.add_option("--orientation", o->orientation, "Of the stored array, e.g. LPS (default: drawn)");
      app.add_option("--slab", o->slab, "Length along the body in mm (default: drawn)")->check(CLI::Range(5.0, 1000.0));
      app.add_option("--noise", o->noise, "Standard deviation of further noise, in HU")->check(CLI::Range(0.0, 500.0))->capture_default_str();
      app.add_option("--contrast", o->contrast, "Of soft tissue, as a factor")->check(CLI::Range(0.05, 10.0))->capture_default_str();
      app.add_option("--hu-shift", o->hu_shift, "HU added everywhere")->check(CLI::Range(-1000.0, 1000.0))->capture_default_str();
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
