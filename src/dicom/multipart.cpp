#include "dicom/multipart.h"

#include "base/error.h"
#include "base/text.h"

namespace vesal::dicom {
namespace {

constexpr std::size_t kHeaders = 16 << 10;

std::string boundary_of(const std::string& type) {
  if (!lower(type).starts_with("multipart/")) throw Error(ErrorKind::format, "the answer is '" + type.substr(0, 100) + "', not multipart/related");
  const auto at = lower(type).find("boundary=");
  std::string boundary = at == std::string::npos ? "" : type.substr(at + 9);
  if (boundary.starts_with('"')) boundary = boundary.substr(1, boundary.find('"', 1) - 1);
  else boundary = boundary.substr(0, boundary.find_first_of("; \t"));
  if (boundary.empty() || boundary.size() > 70) throw Error(ErrorKind::format, "a multipart answer without a boundary of 1 to 70 characters");
  return boundary;
}

}  // namespace

MultipartReader::MultipartReader(const std::string& content_type, Sink sink)
    : delimiter_("\r\n--" + boundary_of(content_type)), sink_(std::move(sink)), kept_("\r\n") {}  // the first boundary may be the first line

void MultipartReader::add(std::string_view bytes) {
  if (state_ == State::over) return;  // an epilogue
  kept_.append(bytes);
  while (step()) {}
}

/// One state further; false when more bytes are needed for that.
bool MultipartReader::step() {
  switch (state_) {
    case State::preamble:
    case State::body: {
      const auto at = kept_.find(delimiter_);
      // What may be the beginning of a delimiter stays.
      const std::size_t sure = at != std::string::npos ? at : kept_.size() - std::min(kept_.size(), delimiter_.size() - 1);
      if (state_ == State::body && sure > 0) sink_.data(std::string_view(kept_).substr(0, sure));
      kept_.erase(0, at != std::string::npos ? at + delimiter_.size() : sure);
      if (at == std::string::npos) return false;
      if (state_ == State::body) sink_.end();
      state_ = State::after_boundary;
      return true;
    }
    case State::after_boundary: {
      if (kept_.size() < 2) return false;
      if (kept_.starts_with("--")) {
        state_ = State::over;
        kept_.clear();
        return false;
      }
      const auto line = kept_.find("\r\n");
      if (line == std::string::npos) {
        if (kept_.size() > kHeaders) throw Error(ErrorKind::format, "a multipart answer with an endless boundary");
        return false;
      }
      if (kept_.find_first_not_of(" \t") != line) throw Error(ErrorKind::format, "a multipart answer with a broken boundary");
      kept_.erase(0, line);  // the line's end stays: headers may be none at all
      state_ = State::headers;
      return true;
    }
    case State::headers: {
      const auto end = kept_.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (kept_.size() > kHeaders) throw Error(ErrorKind::format, "a multipart answer with endless headers");
        return false;
      }
      kept_.erase(0, end + 4);
      sink_.begin();
      state_ = State::body;
      return true;
    }
    case State::over: break;
  }
  return false;
}

void MultipartReader::finish() const {
  if (state_ != State::over) throw Error(ErrorKind::format, "the multipart answer was cut off");
}

}  // namespace vesal::dicom
