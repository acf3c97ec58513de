// The built page as a zip archive inside the program (cmake/page.cmake puts it there).
#pragma once
#include <cstddef>
#include <span>

namespace vesal::server {

/// Empty in builds without a page.
std::span<const std::byte> page_archive();

}  // namespace vesal::server
