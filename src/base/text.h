// Small work on text.
#pragma once
#include <algorithm>
#include <string>

namespace vesal {

/// ASCII letters in lower case; other bytes stay as they are, whatever the locale.
inline std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace vesal
