#include "image/gzip.h"

#include <libdeflate.h>
#include <zlib.h>

#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/error.h"

namespace vesal::image {

bool is_gzip(std::span<const std::byte> data) { return data.size() >= 2 && data[0] == std::byte{0x1f} && data[1] == std::byte{0x8b}; }

// libdeflate works on whole members only; zlib can stop early.
std::vector<std::byte> gunzip_head(std::span<const std::byte> data, std::size_t size) {
  std::vector<std::byte> out(size);
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw Error(ErrorKind::memory, "no memory to inflate");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(size);
  std::size_t at = 0;
  while (stream.avail_out > 0 && at < data.size()) {
    const std::size_t piece = std::min<std::size_t>(data.size() - at, 1 << 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data() + at));
    stream.avail_in = static_cast<uInt>(piece);
    const int result = inflate(&stream, Z_NO_FLUSH);
    at += piece - stream.avail_in;
    if (result == Z_STREAM_END) {
      if (!is_gzip(data.subspan(at)) || inflateReset(&stream) != Z_OK) break;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw Error(ErrorKind::format, std::string("the gzip data are damaged: ") + (stream.msg ? stream.msg : "bad header"));
    }
  }
  out.resize(size - stream.avail_out);
  return out;
}

std::size_t gunzip(std::span<const std::byte> data, std::span<std::byte> out, std::size_t wanted) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater(libdeflate_alloc_decompressor(),
                                                                                              libdeflate_free_decompressor);
  if (!inflater) throw Error(ErrorKind::memory, "no memory to inflate");
  std::size_t done = 0;
  while (done < wanted && is_gzip(data)) {
    check_cancelled();
    std::size_t used = 0, made = 0;
    switch (libdeflate_gzip_decompress_ex(inflater.get(), data.data(), data.size(), out.data() + done, out.size() - done, &used, &made)) {
      case LIBDEFLATE_SUCCESS: break;
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        throw Error(ErrorKind::format, "the gzip data inflate to more than the " + std::to_string(wanted) + " bytes the header declares");
      default: throw Error(ErrorKind::format, "the gzip data are damaged or cut short");
    }
    data = data.subspan(used);
    done += made;
  }
  if (done < wanted) throw Error(ErrorKind::format, "cut short: " + std::to_string(done) + " of " + std::to_string(wanted) + " bytes");
  return done;
}

std::vector<std::byte> gzip_member(std::span<const std::byte> data, int level) {
  const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> deflater(libdeflate_alloc_compressor(level),
                                                                                          libdeflate_free_compressor);
  if (!deflater) throw Error(ErrorKind::memory, "no memory to compress");
  std::vector<std::byte> out(libdeflate_gzip_compress_bound(deflater.get(), data.size()));
  out.resize(libdeflate_gzip_compress(deflater.get(), data.data(), data.size(), out.data(), out.size()));
  return out;
}

}  // namespace vesal::image
