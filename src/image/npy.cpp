#include "image/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "image/formats.h"
#include "image/voxels.h"

namespace vesal::image {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 1 << 16;

Error bad(const std::string& what) { return Error(ErrorKind::format, "npy header: " + what); }

struct Header {
  std::string descr;
  std::optional<bool> fortran;
  std::optional<Shape> shape;
};

/// Reads the dict literal NumPy writes, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, and nothing more of Python.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") header.descr = descr();
      else if (key == "fortran_order") header.fortran = boolean();
      else if (key == "shape") header.shape = shape();
      else throw bad("unknown key '" + key + "'");
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (at_ != text_.size()) throw bad("text after the end");
    if (header.descr.empty() || !header.fortran || !header.shape) throw bad("descr, fortran_order or shape is missing");
    return header;
  }

 private:
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) throw bad(std::string("'") + c + "' wanted at byte " + std::to_string(at_));
  }
  std::string string() {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') throw bad("a string wanted at byte " + std::to_string(at_));
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) throw bad("a string does not end");
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  std::string descr() {
    skip();
    if (at_ < text_.size() && text_[at_] == '[') throw Error(ErrorKind::unsupported, "npy: arrays of records are not supported");
    return string();
  }
  bool boolean() {
    skip();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}})
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    throw bad("fortran_order is neither True nor False");
  }
  Shape shape() {
    constexpr std::size_t kMaxAxes = 32;
    Shape extents;
    expect('(');
    while (!accept(')')) {
      skip();
      std::int64_t extent = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (error != std::errc() || extent < 0 || extents.size() == kMaxAxes) throw bad("shape is not a tuple of sizes");
      at_ = static_cast<std::size_t>(end - text_.data());
      extents.push_back(extent);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return extents;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct Element {
  DType type;
  bool swapped;
};
Element element_of(const std::string& descr) {
  const bool ordered = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const std::string code = descr.substr(ordered ? 1 : 0);
  if (code.starts_with('O')) throw Error(ErrorKind::refused, "npy: pickled Python objects are never loaded");
  constexpr std::pair<std::string_view, DType> kTypes[] = {{"b1", DType::boolean}, {"?", DType::boolean}, {"u1", DType::u8},  {"i1", DType::i8},
                                                           {"u2", DType::u16},     {"i2", DType::i16},    {"u4", DType::u32}, {"i4", DType::i32},
                                                           {"u8", DType::u64},     {"i8", DType::i64},    {"f2", DType::f16}, {"f4", DType::f32},
                                                           {"f8", DType::f64}};
  for (const auto& [name, type] : kTypes)
    if (code == name) return {type, descr[0] == '>'};
  throw Error(ErrorKind::unsupported, "npy: elements of type '" + descr + "' are not supported; bool, integers and floats are");
}

const char* descr_of(DType type) {
  switch (type) {
    case DType::boolean: return "|b1";
    case DType::u8: return "|u1";
    case DType::i8: return "|i1";
    case DType::u16: return "<u2";
    case DType::i16: return "<i2";
    case DType::u32: return "<u4";
    case DType::i32: return "<i4";
    case DType::u64: return "<u8";
    case DType::i64: return "<i8";
    case DType::f16: return "<f2";
    case DType::bf16:
    case DType::f32: return "<f4";
    case DType::f64: break;
  }
  return "<f8";
}

bool looks_like_npy(std::span<const std::byte> head) {
  return head.size() >= kMagic.size() && std::memcmp(head.data(), kMagic.data(), kMagic.size()) == 0;
}

Image read(const std::filesystem::path& path, const ReadOptions& options) {
  const Array array = read_npy(path);
  Image image(options.dtype ? array.to(*options.dtype) : array);
  // NumPy's files do not say which axis counts channels.
  set_read_meta(image, path, {.spatial = array.dim(), .stored = array.dtype(), .placed = false});
  return image;
}

void write(const std::filesystem::path& path, const Image& image, const WriteOptions& options) {
  write_npy(path, options.dtype ? image.array().to(*options.dtype) : image.array());
}

const RegisterFormat registered({.name = "npy", .extensions = {".npy"}, .recognises = looks_like_npy, .read = read, .write = write});

}  // namespace

Array parse_npy(std::span<const std::byte> file) {
  if (!looks_like_npy(file)) throw bad("the magic is not \\x93NUMPY: not a .npy file");
  if (file.size() < 12) throw bad("cut short");
  const int version = static_cast<int>(file[6]);
  if (version < 1 || version > 3) throw Error(ErrorKind::unsupported, "npy: format version " + std::to_string(version) + ", want 1 to 3");
  const std::size_t begin = version == 1 ? 10 : 12;
  std::size_t length = 0;
  for (std::size_t i = begin; i-- > 8;) length = length << 8 | static_cast<std::size_t>(file[i]);
  if (length > kMaxHeader || length > file.size() - begin) throw bad("it is " + std::to_string(length) + " bytes long: cut short or damaged");
  const Header header = HeaderParser({reinterpret_cast<const char*>(file.data()) + begin, length}).parse();
  const auto [type, swapped] = element_of(header.descr);

  const auto voxels = file.subspan(begin + length);
  const std::int64_t count = numel_of(*header.shape);
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(count), size_of(type), &bytes) || bytes > voxels.size())
    throw Error(ErrorKind::format, "cut short: shape " + to_string(*header.shape) + " of " + std::string(name_of(type)) + ", " +
                                       std::to_string(voxels.size()) + " bytes are there");
  check_allocation(bytes, file.size());
  const auto buffer = allocate(bytes);
  if (bytes > 0) std::memcpy(buffer.get(), voxels.data(), bytes);
  if (swapped) swap_bytes(buffer.get(), count, size_of(type));
  if (type == DType::boolean) {  // any other byte than 0 and 1 would be no bool
    auto* p = static_cast<std::uint8_t*>(buffer.get());
    std::transform(p, p + count, p, [](std::uint8_t v) { return v != 0; });
  }
  return Array::wrap(buffer.get(), *header.shape, type, buffer, *header.fortran ? fortran_strides(*header.shape) : Shape{});
}

Array read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  return with_context("reading " + path.string(), [&] { return parse_npy(file.bytes()); });
}

void write_npy(const std::filesystem::path& path, const Array& array) {
  with_context("writing " + path.string(), [&] {
    const Array plain = (array.dtype() == DType::bf16 ? array.to(DType::f32) : array).contiguous();
    std::string shape;
    for (const std::int64_t extent : plain.shape()) shape += std::to_string(extent) + ", ";
    if (plain.dim() != 1 && !shape.empty()) shape.resize(shape.size() - 2);
    std::string header = "{'descr': '" + std::string(descr_of(plain.dtype())) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    constexpr std::size_t kPrefix = 10, kAlign = 64;
    header.append(kAlign - (kPrefix + header.size() + 1) % kAlign, ' ');
    header += '\n';
    const char prefix[4] = {1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
    AtomicFile file(path);
    file.write(kMagic);
    file.write(prefix, sizeof prefix);
    file.write(header);
    file.write(plain.raw(), plain.nbytes());
    file.commit();
  });
}

}  // namespace vesal::image
