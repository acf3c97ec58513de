// libtorch's OpenMP threads wait asleep. Spinning, they take the cores from our own threads and from whatever else the machine does: beside
// another program on both cores the same scan took 80 s spinning and 15 to 23 s asleep; on an idle machine there is no difference.
#include <cstdlib>

namespace {

/// libgomp reads its environment while it is loaded, before any static object of ours is made: only .preinit_array comes earlier.
void wait_asleep(int, char**, char**) { setenv("OMP_WAIT_POLICY", "passive", 0); }

[[gnu::section(".preinit_array"), gnu::used]] void (*const hook)(int, char**, char**) = wait_asleep;

}  // namespace
