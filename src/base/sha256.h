// SHA-256: what says that a file, or what a decision was made with, is still the same.
#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vesal {

/// Takes bytes piece by piece. Not thread safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// 64 lower-case hexadecimal digits; the object is of no use afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);
/// Of a file's content, read in pieces; a Ctrl-C ends it. Throws Error(not_found | io | cancelled).
std::string sha256_file(const std::filesystem::path& path);

}  // namespace vesal
