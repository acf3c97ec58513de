#include "server/page_archive.h"

#ifdef VESAL_PAGE
// The assembler copies the file: as a C array it would take the compiler minutes.
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "vesal_page_begin:\n"
    ".incbin \"" VESAL_PAGE
    "\"\n"
    "vesal_page_end:\n"
    ".previous\n");
extern "C" {
__attribute__((visibility("hidden"))) extern const std::byte vesal_page_begin[];
__attribute__((visibility("hidden"))) extern const std::byte vesal_page_end[];
}
#endif

namespace vesal::server {

std::span<const std::byte> page_archive() {
#ifdef VESAL_PAGE
  return {vesal_page_begin, vesal_page_end};
#else
  return {};
#endif
}

}  // namespace vesal::server
