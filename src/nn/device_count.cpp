// Tells the configuration language how many CUDA devices libtorch can use.
#include <torch/cuda.h>

#include "base/device.h"

namespace vesal::nn {
namespace {

const DeviceCounter devices([] { return static_cast<int>(torch::cuda::device_count()); });

}  // namespace
}  // namespace vesal::nn
