// The checkpoint written last, so that a training that breaks off can say what is left of it.
#pragma once
#include <filesystem>

namespace vesal::infer {

/// One per process, thread safe. Only files whose weights are finite are noted.
void note_checkpoint(const std::filesystem::path& path);
void forget_checkpoint();                 ///< a new training begins
std::filesystem::path last_checkpoint();  ///< empty if there is none

}  // namespace vesal::infer
