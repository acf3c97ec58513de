#include "base/error.h"

#include <array>

namespace vesal {

const ErrorCodes& error_codes(ErrorKind kind) {
  static constexpr std::array<ErrorCodes, 13> kTable{{
      {ErrorKind::usage, "usage", 2, 400, 0xA900},
      {ErrorKind::not_found, "not-found", 3, 404, 0xA900},
      {ErrorKind::io, "io", 4, 500, 0xA700},
      {ErrorKind::format, "format", 5, 422, 0xC000},
      {ErrorKind::config, "config", 6, 422, 0xC000},
      {ErrorKind::refused, "refused", 7, 403, 0x0124},
      {ErrorKind::weights, "weights", 8, 422, 0xC000},
      {ErrorKind::geometry, "geometry", 9, 422, 0xA900},
      {ErrorKind::shape, "shape", 10, 422, 0xA900},
      {ErrorKind::unsupported, "unsupported", 11, 501, 0x0122},
      {ErrorKind::memory, "memory", 12, 507, 0xA700},
      {ErrorKind::cancelled, "cancelled", 130, 499, 0xFE00},
      {ErrorKind::internal, "internal", 70, 500, 0x0110},
  }};
  return kTable[static_cast<std::size_t>(kind)];
}

}  // namespace vesal
