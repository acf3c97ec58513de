// Keeps a loaded vector in a register: include it after highway.h inside a file that foreach_target.h includes.
#if defined(VESAL_KERNELS_IN_REGISTER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VESAL_KERNELS_IN_REGISTER_INL_H
#undef VESAL_KERNELS_IN_REGISTER_INL_H
#else
#define VESAL_KERNELS_IN_REGISTER_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {

/// x. Compilers turn a vector that several multiply-adds use into as many operands in memory, and every one of those loads it anew, across two lines
/// of the cache where it isn't aligned: then loads are what takes the time.
template <class V>
HWY_INLINE V InRegister(V x) {
#if HWY_ARCH_X86 && HWY_COMPILER_GCC && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
  __asm__("" : "+v"(x.raw));
#endif
  return x;
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // VESAL_KERNELS_IN_REGISTER_INL_H
