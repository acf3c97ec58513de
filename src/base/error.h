// Errors with a kind and a chain of context, e.g. "reading scan.nii.gz: header: dim[0] = 9, want 1..7".
#pragma once
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace vesal {

/// What went wrong, as far as a caller has to decide what to do next. See error_codes() for exit codes.
enum class ErrorKind {
  usage,        ///< the caller asked for something that makes no sense
  not_found,    ///< a file, bundle, component or id is not there
  io,           ///< the operating system refused: permission, disk full
  format,       ///< bytes are not what the format says
  config,       ///< a bundle's configuration is wrong
  refused,      ///< not allowed for safety: code in a pickle, an expression outside the allow-list
  weights,      ///< a checkpoint does not fit the network
  geometry,     ///< orientation, spacing or grid unknown or contradictory
  shape,        ///< arrays of the wrong shape or type
  unsupported,  ///< valid, but not something this build can do
  memory,       ///< more memory than there is or than was allowed
  cancelled,    ///< the user stopped it
  internal      ///< a defect of vesal itself
};

/// The codes one kind of error has outside of the program.
struct ErrorCodes {
  ErrorKind kind;
  const char* name;
  int exit_code;
  int http_status;
  unsigned dimse_status;
};

/// The one table of codes; a row per kind.
const ErrorCodes& error_codes(ErrorKind kind);

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  ErrorKind kind() const { return kind_; }
  const char* what() const noexcept override { return message_.c_str(); }
  /// Puts "context: " in front of the message.
  Error& wrap(std::string_view context) {
    message_ = std::string(context) + ": " + message_;
    return *this;
  }

 private:
  ErrorKind kind_;
  std::string message_;
};

/// Runs `work`; whatever it throws leaves with "context: " in front. Foreign exceptions become `fallback` errors.
template <class F>
auto with_context(std::string_view context, F&& work, ErrorKind fallback = ErrorKind::internal) {
  try {
    return std::forward<F>(work)();
  } catch (Error& e) { throw e.wrap(context); } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::memory, std::string(context) + ": out of memory");
  } catch (const std::exception& e) { throw Error(fallback, std::string(context) + ": " + e.what()); }
}

}  // namespace vesal
