// Random numbers: one seed for the process, independent streams of numbers from it.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace vesal {

/// The seed of the process: what monai.utils.set_determinism() set, else drawn from the system once. Thread safe.
std::uint64_t global_seed();
void set_global_seed(std::uint64_t seed);

/// static const OnSeed seeding([](std::uint64_t seed) { ... }): called at each set_global_seed(), for generators of other libraries;
/// at once if there was one before, so that a library loaded late starts from the same numbers.
struct OnSeed {
  explicit OnSeed(std::function<void(std::uint64_t)> callback);
};

/// A seed for stream `n` of `seed`; close seeds and numbers give unrelated streams (SplitMix64).
std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t n);

/// xoshiro256** of Blackman and Vigna (2018), seeded through SplitMix64. Not thread safe.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0) { reseed(seed); }
  void reseed(std::uint64_t seed);
  std::uint64_t next();
  double uniform();  ///< [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal(double mean = 0, double deviation = 1);       ///< polar method of Marsaglia
  std::int64_t integer(std::int64_t low, std::int64_t high);  ///< [low, high), without bias; low < high
  bool chance(double probability) { return uniform() < probability; }
  std::vector<std::int64_t> permutation(std::int64_t n);

 private:
  std::array<std::uint64_t, 4> state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace vesal
