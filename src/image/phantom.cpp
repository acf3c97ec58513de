#include "image/phantom.h"

#include <algorithm>
#include <cmath>

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "image/phantom_anatomy.h"

namespace vesal::image {
namespace {

/// The scanner: what it adds to the truth.
struct Scanner {
  double blur_mm;     ///< width of the edge a sharp border becomes
  double noise_hu;    ///< standard deviation
  double grain;       ///< 0: each voxel's noise is its own; 1: it is shared with the neighbours
  std::uint64_t key;  ///< of the noise, which depends on the voxel alone
};

/// A well mixed 64-bit number of a key and a counter (SplitMix64).
std::uint64_t mix(std::uint64_t key, std::uint64_t counter) {
  std::uint64_t z = key + 0x9E3779B97F4A7C15ull * (counter + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

/// About normal: the sum of four uniform 16-bit numbers, standard deviation 1.
double noise_at(std::uint64_t key, std::uint64_t counter) {
  const std::uint64_t bits = mix(key, counter);
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<double>((bits >> (16 * i)) & 0xffff);
  return (sum / 65535.0 - 2.0) * std::sqrt(3.0);
}

/// The same, shared by `grain` with three neighbours.
double grainy_noise(std::uint64_t key, std::uint64_t i, std::uint64_t row, double grain) {
  const double own = noise_at(key, i);
  if (grain == 0) return own;
  const double shared = 0.5 * (own + noise_at(key, i + row) + noise_at(key, i + 1) + noise_at(key, i - row));
  return std::lerp(own, shared, grain);
}

/// Slow variation inside a tissue: three crossed waves, standard deviation about 1.
double texture_at(const Point& p, std::size_t tissue) {
  const double k = 0.11 + 0.013 * static_cast<double>(tissue % 7);
  return 0.95 * (std::sin(k * p[0] + 1.3 * p[1] * k) + std::sin(k * p[1] * 1.7 - k * p[2]) + std::sin(k * p[2] * 1.4 + 0.6 * k * p[0] + 2));
}

/// HU and label at a point: tissues are laid over each other, each covering by how much of the blurred edge lies inside it.
std::pair<double, int> sample(const Anatomy& anatomy, const Point& scan_point, double blur) {
  const Point p = anatomy.warp(scan_point);
  double hu = -1000;
  int label = 0;
  for (std::size_t i = 0; i < anatomy.tissues.size(); ++i) {
    const Tissue& t = anatomy.tissues[i];
    if (p[2] < t.low || p[2] > t.high) continue;
    const Point offset{p[0] - t.centre[0], p[1] - t.centre[1], p[2] - t.centre[2]};
    if (offset[0] * offset[0] + offset[1] * offset[1] + offset[2] * offset[2] > (t.radius + blur) * (t.radius + blur)) continue;
    const double distance = t.distance(p);
    if (distance >= 0.5 * blur) {
      if (i == anatomy.skin && distance > 20) break;  // air
      continue;
    }
    const double covered = std::min(1.0, 0.5 - distance / blur);
    hu += covered * (t.hu + t.texture * texture_at(p, i) - hu);
    if (distance < 0) label = t.label;
  }
  return {hu, label};
}

void check_look(const PhantomOptions& o) {
  if (!(o.noise_hu >= 0 && o.noise_hu <= 500))
    throw Error(ErrorKind::usage, "phantom: noise of 0 to 500 HU wanted, got " + std::to_string(o.noise_hu));
  if (!(o.contrast >= 0.05 && o.contrast <= 10))
    throw Error(ErrorKind::usage, "phantom: a contrast of 0.05 to 10 wanted, got " + std::to_string(o.contrast));
  if (!(std::abs(o.hu_shift) <= 1000)) throw Error(ErrorKind::usage, "phantom: a shift of at most 1000 HU wanted, got " + std::to_string(o.hu_shift));
}

/// Distances from 40 HU stretched by `contrast` between -160 and 240; air stays at -1000, what is denser moves along.
double shown(double hu, double contrast) {
  const double low = 40 - 200 * contrast, high = 40 + 200 * contrast;
  if (hu < -160) return -1000 + (hu + 1000) * (low + 1000) / 840;
  return hu > 240 ? high + hu - 240 : 40 + contrast * (hu - 40);
}

/// The same body in a scanner of another contrast, calibration and noise.
void change_look(Array& ct, const PhantomOptions& o, std::uint64_t key) {
  if (o.noise_hu == 0 && o.contrast == 1 && o.hu_shift == 0) return;
  float* hu = ct.data<float>();
  parallel_for(ct.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double noisy = shown(hu[i], o.contrast) + o.hu_shift + o.noise_hu * noise_at(key, static_cast<std::uint64_t>(i));
      hu[i] = static_cast<float>(std::clamp(std::round(noisy), -1024.0, 3071.0));
    }
  });
}

}  // namespace

const std::map<int, std::string>& phantom_labels() {
  static const std::map<int, std::string> labels{{1, "spleen"},
                                                 {2, "kidney right"},
                                                 {3, "kidney left"},
                                                 {4, "gallbladder"},
                                                 {5, "liver"},
                                                 {6, "stomach"},
                                                 {7, "pancreas"},
                                                 {10, "lung"},
                                                 {18, "small bowel"},
                                                 {20, "colon"},
                                                 {26, "vertebra"},
                                                 {52, "aorta"},
                                                 {63, "inferior vena cava"},
                                                 {92, "rib"}};
  return labels;
}

Phantom make_phantom(std::uint64_t seed, const PhantomOptions& options) {
  check_look(options);
  Dice dice(mix(seed, 0));
  const Anatomy anatomy = draw_anatomy(dice);

  std::array<double, 3> spacing = options.spacing;
  const double in_plane = dice.uniform(1.2, 3.2), through = dice.uniform(1.5, 5);
  for (int a = 0; a < 3; ++a) {
    if (spacing[a] == 0) spacing[a] = a < 2 ? in_plane : through;
    if (!(spacing[a] >= 0.3 && spacing[a] <= 20))
      throw Error(ErrorKind::usage, "phantom: spacing of 0.3 to 20 mm wanted, got " + std::to_string(spacing[a]));
  }
  const double drawn_slab = dice.chance(0.25) ? dice.uniform(25, 120) : dice.uniform(140, 360);
  const double slab = options.slab_mm > 0 ? options.slab_mm : drawn_slab;
  if (slab > 1000) throw Error(ErrorKind::usage, "phantom: a body of at most 1000 mm, got " + std::to_string(slab));
  const double field = dice.chance(0.45) ? dice.uniform(430, 520) : dice.uniform(330, 430);
  const double middle = slab < 130 ? dice.uniform(-35, 55) : dice.uniform(-0.35, 0.2) * slab;
  const double off_x = dice.uniform(-15, 15), off_y = dice.uniform(-15, 15);

  // Stored orientation: the array's axes may run against RAS.
  static constexpr std::array<const char*, 8> kOrientations{"RAS", "LAS", "LPS", "RPS", "RAI", "LAI", "LPI", "RPI"};
  const char* drawn = kOrientations[static_cast<std::size_t>(dice.uniform(0, 8))];
  const Orientation o = parse_axcodes(options.orientation.empty() ? drawn : options.orientation);

  const std::array<double, 3> extent{field, 0.8 * field, slab};
  const std::array<double, 3> low{off_x - field / 2, off_y - 0.4 * field - 15, middle - slab / 2};
  Shape shape(3);
  Affine affine;
  for (int axis = 0; axis < 3; ++axis) {
    const int world = o.axis[axis];
    shape[axis] = std::max<std::int64_t>(1, std::llround(extent[world] / spacing[world]));
    for (int r = 0; r < 3; ++r) affine(r, axis) = 0;
    affine(world, axis) = o.sign[axis] * spacing[world];
    affine(world, 3) = o.sign[axis] > 0 ? low[world] : low[world] + spacing[world] * static_cast<double>(shape[axis] - 1);
  }

  const Scanner scanner{dice.uniform(0.8, 1.6) * std::cbrt(spacing[0] * spacing[1] * spacing[2]), dice.uniform(4, 24),
                        dice.chance(0.5) ? dice.uniform(0, 1) : 0, dice.bits()};
  Array ct = Array::empty(shape, DType::f32), labels = Array::empty(shape, DType::u8);
  float* hu = ct.data<float>();
  std::uint8_t* label = labels.data<std::uint8_t>();
  Progress progress("phantom", shape[0]);
  parallel_for(shape[0], 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t x = begin; x < end; ++x) {
      check_cancelled();
      for (std::int64_t y = 0; y < shape[1]; ++y)
        for (std::int64_t z = 0; z < shape[2]; ++z) {
          const std::int64_t i = (x * shape[1] + y) * shape[2] + z;
          const Point at = apply(affine, {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
          const auto [value, which] = sample(anatomy, at, scanner.blur_mm);
          const double noisy = value + scanner.noise_hu * grainy_noise(scanner.key, static_cast<std::uint64_t>(i),
                                                                       static_cast<std::uint64_t>(shape[2]), scanner.grain);
          hu[i] = static_cast<float>(std::clamp(std::round(noisy), -1024.0, 3071.0));
          label[i] = static_cast<std::uint8_t>(which);
        }
      progress.advance();
    }
  });
  change_look(ct, options, mix(seed, 1));
  return {Image(std::move(ct), affine), Image(std::move(labels), affine)};
}

}  // namespace vesal::image
