// TCP connections between our own processes: names, ports, deadlines.
#pragma once
#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"

namespace vesal::tcp {

using Deadline = std::chrono::steady_clock::time_point;

/// A file descriptor that closes itself.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() { close(); }
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

/// Tries until it works, so that the other side may start later; throws Error(io) with the last reason after the deadline and
/// Error(cancelled) on Ctrl-C.
Socket connect(const std::string& host, int port, Deadline deadline);
/// Listens on every address of this machine; port 0: a free one. Throws Error(io), saying so if the port is taken.
Socket listen(int port);
/// Waits up to `wait` for somebody to come; empty if nobody did.
Socket accept(const Socket& listener, std::chrono::milliseconds wait);
int port_of(const Socket& socket);             ///< this side's
std::string address_of(const Socket& socket);  ///< this side's, as a number: "10.0.0.2"
bool is_loopback(const std::string& address);  ///< 127.x or ::1
/// Notices within half a minute that the machine on the other side is gone.
void watch(const Socket& socket);

/// Sends all of it; false if the other side is gone.
bool send(const Socket& socket, const std::string& bytes);

}  // namespace vesal::tcp
