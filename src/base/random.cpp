#include "base/random.h"

#include <bit>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

namespace vesal {
namespace {

struct Seeding {
  std::mutex mutex;
  std::optional<std::uint64_t> seed;
  bool chosen = false;  ///< by set_global_seed()
  std::vector<std::function<void(std::uint64_t)>> callbacks;
};
Seeding& seeding() {
  static Seeding instance;
  return instance;
}

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t global_seed() {
  const std::lock_guard lock(seeding().mutex);
  if (!seeding().seed) {
    std::random_device device;
    seeding().seed = (static_cast<std::uint64_t>(device()) << 32) | device();
  }
  return *seeding().seed;
}

void set_global_seed(std::uint64_t seed) {
  const std::lock_guard lock(seeding().mutex);
  seeding().seed = seed;
  seeding().chosen = true;
  for (const auto& callback : seeding().callbacks) callback(seed);
}

OnSeed::OnSeed(std::function<void(std::uint64_t)> callback) {
  const std::lock_guard lock(seeding().mutex);
  if (seeding().chosen) callback(*seeding().seed);
  seeding().callbacks.push_back(std::move(callback));
}

std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t n) {
  const std::uint64_t mixed = split_mix(seed);
  std::uint64_t state = mixed ^ (n * 0xd1342543de82ef95 + 1);
  return split_mix(state);
}

void Random::reseed(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = split_mix(seed);
  has_spare_ = false;
}

std::uint64_t Random::next() {
  auto& s = state_;
  const std::uint64_t result = std::rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Random::normal(double mean, double deviation) {
  if (std::exchange(has_spare_, false)) return mean + deviation * spare_;
  double x, y, square;
  do {
    x = uniform(-1, 1);
    y = uniform(-1, 1);
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double factor = std::sqrt(-2 * std::log(square) / square);
  spare_ = y * factor;
  has_spare_ = true;
  return mean + deviation * x * factor;
}

std::int64_t Random::integer(std::int64_t low, std::int64_t high) {
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::uint64_t limit = span == 0 ? 0 : -span % span;  // draws below it would favour small numbers
  std::uint64_t draw;
  do draw = next();
  while (draw < limit);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + (span == 0 ? 0 : draw % span));
}

std::vector<std::int64_t> Random::permutation(std::int64_t n) {
  std::vector<std::int64_t> order(n);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[integer(0, i + 1)]);
  return order;
}

}  // namespace vesal
