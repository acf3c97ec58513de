// Which instruction set the kernels run on. Every kernel has a plain C++ form, which the vector forms are tested against.
#pragma once
#include <string>
#include <vector>

namespace vesal::kernels {

/// Names that set_simd() takes on this machine: "scalar" and Highway's targets, e.g. "SSE4", "AVX2", "AVX3".
std::vector<std::string> simd_choices();
/// Forces an instruction set; "auto" is the best there is. Throws Error(usage). Not while kernels run.
/// The environment variable VESAL_SIMD does the same for a whole process.
void set_simd(const std::string& name);
/// True if the plain C++ forms are to be used.
bool use_scalar();
/// True if no instruction set was asked for, so that kernels may take instructions that have no name here.
bool chosen_by_machine();

}  // namespace vesal::kernels
