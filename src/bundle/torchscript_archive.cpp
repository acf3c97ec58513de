#include "bundle/torchscript_archive.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "base/zip_archive.h"

namespace vesal::bundle {
namespace {

constexpr std::uint64_t kLongestText = 64ull << 20;

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Operators of TorchScript that open files by name: torch.save and torch.from_file. A network needs neither.
void check_code(const std::string& code, const std::string& entry) {
  constexpr std::array<std::string_view, 2> kForbidden{"save", "from_file"};
  for (std::size_t i = 0; i < code.size();) {
    if (!in_word(code[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < code.size() && in_word(code[end])) ++end;
    const std::string_view word(code.data() + i, end - i);
    if (std::find(kForbidden.begin(), kForbidden.end(), word) != kForbidden.end())
      throw Error(ErrorKind::refused, "its code (" + entry + ") names '" + std::string(word) + "', which could reach files");
    // getattr(self, "0") names a child; with an escape it could spell anything.
    if (word == "getattr" && code.substr(end, code.find('\n', end) - end).find('\\') != std::string::npos)
      throw Error(ErrorKind::refused, "its code (" + entry + ") hides a name behind escapes");
    i = end;
  }
}

/// Calls visit(zip, entry, name inside the archive's own folder).
template <class F>
void for_entries(const std::filesystem::path& path, F&& visit) {
  with_context("reading " + path.string(), [&] {
    const MappedFile file(path);
    const ZipReader zip(file.bytes());
    for (const ZipEntry& entry : zip.entries()) visit(zip, entry, entry.name.substr(entry.name.find('/') + 1));
  });
}

}  // namespace

void check_torchscript_code(const std::filesystem::path& path) {
  for_entries(path, [](const ZipReader& zip, const ZipEntry& entry, const std::string& name) {
    if (name.starts_with("code/") && name.ends_with(".py")) check_code(zip.text(entry, kLongestText), name);
  });
}

TorchscriptFacts torchscript_facts(const std::filesystem::path& path) {
  TorchscriptFacts facts;
  for_entries(path, [&](const ZipReader& zip, const ZipEntry& entry, const std::string& name) {
    constexpr std::string_view kExtra = "extra/";
    if (name.starts_with(kExtra)) facts.documents[name.substr(kExtra.size())] = zip.text(entry, kLongestText);
    if (!name.starts_with("data/") && !name.starts_with("constants/")) return;
    ++facts.tensors;
    facts.tensor_bytes += entry.size;
  });
  return facts;
}

}  // namespace vesal::bundle
