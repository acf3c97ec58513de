// A block of memory straight from the system, in huge pages where it has them.
#pragma once
#include <cstddef>
#include <memory>

namespace vesal::engine {

/// At least `floats` floats, aligned to pages, zeros that are not touched yet. Throws Error(memory).
std::shared_ptr<float> pages(std::size_t floats);

}  // namespace vesal::engine
