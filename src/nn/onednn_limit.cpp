// Keeps oneDNN, which libtorch convolves with, from AMX: Debian's 2.6.3 ends the program with SIGILL there when a network (a TorchScript
// one may cast inside) runs a bf16 convolution. float32 never uses AMX, so nothing is lost. oneDNN reads the variable at its first use.
#include <cstdlib>

namespace vesal::nn {
namespace {

[[maybe_unused]] const int limited = setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", 0);

}  // namespace
}  // namespace vesal::nn
