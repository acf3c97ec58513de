#include "image/png.h"

#include <png.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "image/voxels.h"

namespace vesal::image {
namespace {

/// libpng reports by a call that must not return; it jumps back, so nothing with a destructor may live between setjmp and the jump.
struct Fault {
  std::string text;
};
[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  static_cast<Fault*>(png_get_error_ptr(png))->text = text;
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}

/// The file in memory, where the next read starts.
struct Source {
  std::span<const std::byte> left;
};
void read_bytes_of(png_structp png, png_bytep to, std::size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->left.size()) png_error(png, "cut short");
  std::memcpy(to, source->left.data(), size);
  source->left = source->left.subspan(size);
}

/// PNG's own limit on a side.
constexpr std::int64_t kMostPixels = 0x7FFFFFFF;

struct Info {
  png_uint_32 width = 0, height = 0;
  int channels = 0, depth = 0;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> file) : source_{file} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &fault_, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Error(ErrorKind::memory, "no memory to read a PNG");
    }
    png_set_read_fn(png_, &source_, read_bytes_of);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Info info() {
    Info out;
    if (!start(out)) throw Error(ErrorKind::format, "PNG: " + fault_.text);
    return out;
  }
  void rows(std::vector<png_bytep>& rows) {
    if (!load(rows.data())) throw Error(ErrorKind::format, "PNG: " + fault_.text);
  }

 private:
  bool start(Info& out) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_info(png_, info_);
    // Palettes become colours, 1, 2 and 4 bits become 8, 16-bit values come in the machine's order.
    png_set_expand(png_);
    png_set_swap(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    out.width = png_get_image_width(png_, info_);
    out.height = png_get_image_height(png_, info_);
    out.channels = png_get_channels(png_, info_);
    out.depth = png_get_bit_depth(png_, info_);
    return true;
  }
  bool load(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  Fault fault_;
  Source source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

void append(png_structp png, png_bytep data, std::size_t size) {
  auto* out = static_cast<std::vector<png_byte>*>(png_get_io_ptr(png));
  out->insert(out->end(), data, data + size);
}

bool encode(png_structp png, png_infop info, std::vector<png_byte>& out, const Info& what, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_write_fn(png, &out, append, nullptr);
  const int colour = (what.channels > 2 ? PNG_COLOR_MASK_COLOR : 0) | (what.channels % 2 == 0 ? PNG_COLOR_MASK_ALPHA : 0);
  png_set_IHDR(png, info, what.width, what.height, what.depth, colour, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  if (what.depth == 16) png_set_swap(png);
  png_write_image(png, rows);
  png_write_end(png, nullptr);
  return true;
}

bool looks_like_png(std::span<const std::byte> head) {
  return head.size() >= 8 && png_sig_cmp(reinterpret_cast<png_const_bytep>(head.data()), 0, 8) == 0;
}

/// [C, x, y] or [x, y] as a picture; uint16 stays, everything else becomes uint8 as a C cast makes it.
void write_image_as_png(const std::filesystem::path& path, const Image& image, const WriteOptions& options) {
  WriteOptions whole = options;
  whole.squeeze_end_dims = false;
  Array a = channel_last(image.array(), whole);  // [x, y, z, c]
  if (a.dim() != 4 || a.size(2) != 1)
    throw Error(ErrorKind::shape, "writing " + path.string() + ": a PNG holds one picture, not " + to_string(image.shape()));
  a = a.squeeze(2);
  if (a.size(2) == 1) a = a.squeeze(2);
  const std::vector<int> rows_first = a.dim() == 3 ? std::vector<int>{1, 0, 2} : std::vector<int>{1, 0};
  const DType type = options.dtype.value_or(a.dtype());
  write_png(path, a.permute(rows_first).to(type == DType::u16 ? DType::u16 : DType::u8));
}

const RegisterFormat registered({.name = "PNG", .extensions = {".png"}, .recognises = looks_like_png, .read = read_png, .write = write_image_as_png});

}  // namespace

Array parse_png(std::span<const std::byte> file) {
  if (!looks_like_png(file)) throw Error(ErrorKind::format, "not a PNG file");
  Reader reader(file);
  const Info info = reader.info();
  const std::uint64_t row = static_cast<std::uint64_t>(info.width) * static_cast<std::uint64_t>(info.channels * info.depth / 8);
  if (row * info.height / 1032 > file.size())
    throw Error(ErrorKind::format, "PNG: cut short: " + std::to_string(info.width) + " x " + std::to_string(info.height) + " pixels declared");
  check_allocation(row * info.height, file.size());
  Array picture = Array::empty({info.height, info.width, info.channels}, info.depth == 16 ? DType::u16 : DType::u8);
  std::vector<png_bytep> rows(info.height);
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = static_cast<png_bytep>(picture.raw()) + y * row;
  reader.rows(rows);
  const int transposed[] = {1, 0, 2};
  picture = picture.permute(transposed);
  return info.channels == 1 ? picture.select(2, 0) : picture;
}

Image read_png(const std::filesystem::path& path, const ReadOptions& options) {
  const MappedFile file(path);
  return with_context("reading " + path.string(), [&] {
    const Array array = parse_png(file.bytes());
    Image image(options.dtype ? array.to(*options.dtype) : array);
    set_read_meta(image, path, {.spatial = 2, .stored = array.dtype(), .placed = false});
    return image;
  });
}

std::vector<std::byte> encode_png(const Array& picture) {
  const bool deep = picture.dtype() == DType::u16;
  const std::int64_t channels = picture.dim() == 3 ? picture.size(2) : 1;
  if ((!deep && picture.dtype() != DType::u8) || picture.dim() < 2 || picture.dim() > 3 || channels < 1 || channels > 4 || picture.numel() == 0)
    throw Error(ErrorKind::shape, "a picture is [height, width] or [height, width, 1 to 4] of uint8 or uint16, not " +
                                      std::string(name_of(picture.dtype())) + " " + to_string(picture.shape()));
  if (picture.size(0) > kMostPixels || picture.size(1) > kMostPixels) throw Error(ErrorKind::shape, "a picture of " + to_string(picture.shape()));
  const Array plain = picture.contiguous();
  const Info what{static_cast<png_uint_32>(plain.size(1)), static_cast<png_uint_32>(plain.size(0)), static_cast<int>(channels), deep ? 16 : 8};
  const std::size_t stride = plain.nbytes() / what.height;
  std::vector<png_bytep> rows(what.height);
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = const_cast<png_bytep>(static_cast<const png_byte*>(plain.raw())) + y * stride;
  Fault fault;
  std::vector<png_byte> bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &fault, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  const bool done = info && encode(png, info, bytes, what, rows.data());
  png_destroy_write_struct(&png, &info);
  if (!done) throw Error(ErrorKind::internal, "PNG: " + fault.text);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

void write_png(const std::filesystem::path& path, const Array& picture) {
  with_context("writing " + path.string(), [&] {
    const std::vector<std::byte> bytes = encode_png(picture);
    AtomicFile file(path);
    file.write(bytes.data(), bytes.size());
    file.commit();
  });
}

}  // namespace vesal::image
