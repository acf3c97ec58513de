// A multipart/related body (RFC 2046), taken piece by piece as it comes over the network.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace vesal::dicom {

/// Feeds the bodies of parts to a sink; headers of parts are skipped. What it keeps is bounded: a boundary and 16 KB of headers.
class MultipartReader {
 public:
  /// begin() before a part's first byte, data() with its bytes, end() after its last.
  struct Sink {
    std::function<void()> begin;
    std::function<void(std::string_view)> data;
    std::function<void()> end;
  };
  /// Of a Content-Type header. Throws Error(format) if it is no multipart type or has no usable boundary.
  MultipartReader(const std::string& content_type, Sink sink);
  /// The next bytes. Throws Error(format).
  void add(std::string_view bytes);
  /// No more come. Throws Error(format) if the last boundary has not been seen.
  void finish() const;

 private:
  enum class State { preamble, after_boundary, headers, body, over };
  bool step();
  std::string delimiter_;  ///< "\r\n--" and the boundary
  Sink sink_;
  State state_ = State::preamble;
  std::string kept_;
};

}  // namespace vesal::dicom
