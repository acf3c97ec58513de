// monai.utils.set_determinism() also seeds libtorch: first weights, dropout.
#include <torch/utils.h>

#include "base/random.h"

namespace vesal::nn {
namespace {

const OnSeed seeding([](std::uint64_t seed) { torch::manual_seed(seed); });

}  // namespace
}  // namespace vesal::nn
