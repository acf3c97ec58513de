// Raw element buffers of image files: byte order, type conversion with scaling, bounds on what a header may ask for. In parallel.
#pragma once
#include <cstdint>
#include <memory>

#include "base/array.h"

namespace vesal::image {

/// value = stored * slope + inter, computed in double precision.
struct Scaling {
  double slope = 1, inter = 0;
  bool identity() const { return slope == 1 && inter == 0; }
};

/// Reverses the bytes of each element of `size` bytes.
void swap_bytes(void* data, std::int64_t count, std::size_t size);

/// dst[i] = src[i] * slope + inter; the buffers must not overlap.
void convert_values(const void* src, DType from, void* dst, DType to, std::int64_t count, const Scaling& scaling = {});

/// Converts to a type that is at least as wide, in place: the input fills the end of `buffer`, the output all of it
/// (count * size_of(to) bytes).
void widen_in_place(void* buffer, DType from, DType to, std::int64_t count, const Scaling& scaling = {});

/// Uninitialised memory, 64-byte aligned. Throws Error(memory).
std::shared_ptr<void> allocate(std::uint64_t bytes);

/// Bytes of memory a process may still take: what is free, at most the control group's limit.
std::uint64_t available_memory();

/// Throws Error(memory) if `bytes` are more than there are, or if a file of `stored` bytes that asks for them looks like a bomb.
void check_allocation(std::uint64_t bytes, std::uint64_t stored);

/// Strides in elements of Fortran order: the first axis fastest.
Shape fortran_strides(const Shape& shape);

}  // namespace vesal::image
