// How much memory this process takes, and how much more it may.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vesal {

/// The most bytes this process has had in memory at once since it started (Linux: VmHWM); 0 where the system does not say.
std::uint64_t peak_memory();
/// The bytes it has in memory now (VmRSS); 0 where the system does not say.
std::uint64_t resident_memory();

/// Bytes this process can still take before the system swaps or ends it: the least of what the machine has free (MemAvailable), what each
/// control group of the process leaves (version 1 and 2; pages of files that can be dropped count as free), and what
/// memory_limit() leaves. Nothing where the system does not say. `root` is where /proc and /sys are.
std::optional<std::uint64_t> available_memory(const std::filesystem::path& root = "/");

/// The most bytes the process is to have in memory: the least of what set_memory_limit() and VESAL_MAX_MEMORY say; nothing if neither does.
/// Throws Error(config) if VESAL_MAX_MEMORY is no size.
std::optional<std::uint64_t> memory_limit();
/// Nothing: no limit but VESAL_MAX_MEMORY's.
void set_memory_limit(std::optional<std::uint64_t> bytes);

/// "1500000", "64K", "1.5G" (powers of 1024; B may follow). Throws Error(config).
std::uint64_t parse_bytes(std::string_view text);
/// "0.9 GB", "35 MB", "12 kB".
std::string bytes_text(std::uint64_t bytes);

}  // namespace vesal
