// Character sets of DICOM (PS3.3, C.12.1.1.2) to UTF-8, by iconv.
#include <iconv.h>

#include <algorithm>
#include <cerrno>

#include "image/dicom_study.h"

namespace vesal::image {
namespace {

/// iconv's name of a defined term; nullptr: ASCII or unknown.
const char* iconv_name(const std::string& term) {
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"ISO_IR 192", "UTF-8"},
      {"ISO_IR 100", "ISO-8859-1"},
      {"ISO_IR 101", "ISO-8859-2"},
      {"ISO_IR 109", "ISO-8859-3"},
      {"ISO_IR 110", "ISO-8859-4"},
      {"ISO_IR 144", "ISO-8859-5"},
      {"ISO_IR 127", "ISO-8859-6"},
      {"ISO_IR 126", "ISO-8859-7"},
      {"ISO_IR 138", "ISO-8859-8"},
      {"ISO_IR 148", "ISO-8859-9"},
      {"ISO_IR 13", "SHIFT_JIS"},
      {"ISO_IR 166", "TIS-620"},
      {"GB18030", "GB18030"},
      {"GBK", "GBK"},
      {"ISO 2022 IR 100", "ISO-8859-1"},
      {"ISO 2022 IR 101", "ISO-8859-2"},
      {"ISO 2022 IR 87", "ISO-2022-JP"},
      {"ISO 2022 IR 149", "ISO-2022-KR"},
      {"ISO 2022 IR 58", "ISO-2022-CN"},
  };
  for (const auto& [name, target] : kNames)
    if (term == name) return target;
  return nullptr;
}

std::string only_ascii(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c >= 0x80 || (c < 0x20 && c != '\n'); }, '?');
  return text;
}

}  // namespace

std::string to_utf8(const std::string& text, const std::vector<std::string>& character_sets) {
  const char* from = nullptr;
  for (const std::string& term : character_sets)
    if (const char* name = iconv_name(term)) from = name;
  const bool ascii = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80 && c >= 0x20; });
  if (ascii || !from) return only_ascii(text);
  const iconv_t converter = iconv_open("UTF-8", from);
  if (converter == reinterpret_cast<iconv_t>(-1)) return only_ascii(text);
  std::string in = text, out(in.size() * 4 + 16, '\0');
  char *from_at = in.data(), *to_at = out.data();
  std::size_t from_left = in.size(), to_left = out.size();
  while (from_left > 0 && iconv(converter, &from_at, &from_left, &to_at, &to_left) == static_cast<std::size_t>(-1)) {
    if (errno == E2BIG || to_left == 0) break;
    *to_at++ = '?';
    --to_left;
    ++from_at;
    --from_left;
  }
  iconv_close(converter);
  out.resize(out.size() - to_left);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return out;
}

}  // namespace vesal::image
