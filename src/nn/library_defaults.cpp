// Programs that are linked with networks instead of loading them, tests and benchmarks, have oneDNN's limit too: it is read at the first use.
// What OpenMP reads when it is loaded they must have from outside.
#include "base/plugin.h"

namespace vesal::nn {
namespace {

[[maybe_unused]] const bool set = (plugin::set_library_defaults(), true);

}  // namespace
}  // namespace vesal::nn
