// gzip (RFC 1952) by libdeflate: files of one or several members, whole buffers at a time.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace vesal::image {

bool is_gzip(std::span<const std::byte> data);

/// The first `size` bytes (fewer if there are no more) of what `data` inflates to, without inflating the rest.
/// Throws Error(format) if the data are damaged before that.
std::vector<std::byte> gunzip_head(std::span<const std::byte> data, std::size_t size);

/// Inflates member after member into `out` until at least `wanted` bytes are there; returns how many are.
/// Throws Error(format) if data are damaged, end early, or a member does not fit into `out`.
std::size_t gunzip(std::span<const std::byte> data, std::span<std::byte> out, std::size_t wanted);

/// `data` as one gzip member; level 1 (fast) to 12 (small). Members one after the other are a gzip file again.
std::vector<std::byte> gzip_member(std::span<const std::byte> data, int level);

}  // namespace vesal::image
