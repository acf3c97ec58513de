// The shapes a phantom is made of, in millimetres: x to the patient's right, y forward, z up; origin in the middle of the body
// at the level of the first lumbar vertebra.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace vesal::image {

using Point = std::array<double, 3>;

/// Uniform and normal numbers that are the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double around(double mean, double share) { return mean * uniform(1 - share, 1 + share); }
  bool chance(double p) { return uniform(0, 1) < p; }
  std::uint64_t bits() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

/// A piece of tissue. Later pieces lie over earlier ones.
struct Tissue {
  int label;  ///< 0: none
  double hu;
  double texture;  ///< standard deviation of the slow variation inside, HU
  Point centre;    ///< of a sphere that holds the piece
  double radius;
  std::function<double(const Point&)> distance;  ///< signed distance in mm, negative inside, good near the surface
  double low = -1e9, high = 1e9;                 ///< heights between which the piece lies
};

struct Anatomy {
  std::vector<Tissue> tissues;
  /// Slow deformation of space: point of the scan -> point of the anatomy.
  std::function<Point(const Point&)> warp;
  std::size_t skin = 0;  ///< the tissue that holds every later one
};

Anatomy draw_anatomy(Dice& dice);

}  // namespace vesal::image
