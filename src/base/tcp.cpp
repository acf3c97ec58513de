#include "base/tcp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "base/cancel.h"

namespace vesal::tcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

/// Waits in short steps, so that Ctrl-C is noticed; false after the deadline.
bool wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    check_cancelled();
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd p{fd, events, 0};
    if (poll(&p, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 100))) > 0) return true;
  }
}

/// One address, once; the reason if it did not work.
std::string try_address(const addrinfo& a, Deadline deadline, Socket& out) {
  Socket s(::socket(a.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!s) return std::strerror(errno);
  if (::connect(s.fd(), a.ai_addr, a.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return std::strerror(errno);
    if (!wait_for(s.fd(), POLLOUT, std::min(deadline, steady_clock::now() + std::chrono::seconds(5)))) return "no answer";
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(s.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return std::strerror(error);
  }
  fcntl(s.fd(), F_SETFL, fcntl(s.fd(), F_GETFL) & ~O_NONBLOCK);
  set(s.fd(), IPPROTO_TCP, TCP_NODELAY, 1);
  out = std::move(s);
  return {};
}

sockaddr_storage own(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  return address;
}

}  // namespace

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Socket connect(const std::string& host, int port, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  std::string reason = "no answer";
  Socket socket;
  for (;;) {
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) reason = gai_strerror(error);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, [](addrinfo* a) {
      if (a) freeaddrinfo(a);
    });
    for (const addrinfo* a = found; a && !socket; a = a->ai_next) reason = try_address(*a, deadline, socket);
    if (socket) return socket;
    check_cancelled();
    if (steady_clock::now() + milliseconds(200) >= deadline) throw Error(ErrorKind::io, host + ":" + std::to_string(port) + ": " + reason);
    std::this_thread::sleep_for(milliseconds(200));
  }
}

Socket listen(int port) {
  for (const int family : {AF_INET6, AF_INET}) {  // one socket for both kinds where the system has both
    Socket s(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!s) continue;
    set(s.fd(), SOL_SOCKET, SO_REUSEADDR, 1);
    sockaddr_storage address{};
    socklen_t size;
    if (family == AF_INET6) {
      set(s.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
      auto& a = reinterpret_cast<sockaddr_in6&>(address);
      a.sin6_family = AF_INET6;
      a.sin6_port = htons(static_cast<std::uint16_t>(port));
      size = sizeof a;
    } else {
      auto& a = reinterpret_cast<sockaddr_in&>(address);
      a.sin_family = AF_INET;
      a.sin_port = htons(static_cast<std::uint16_t>(port));
      size = sizeof a;
    }
    if (bind(s.fd(), reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(s.fd(), 128) == 0) return s;
    if (errno == EADDRINUSE) throw Error(ErrorKind::io, "port " + std::to_string(port) + " is taken by another program on this machine");
  }
  throw Error(ErrorKind::io, "cannot listen on port " + std::to_string(port) + ": " + std::strerror(errno));
}

Socket accept(const Socket& listener, milliseconds wait) {
  pollfd p{listener.fd(), POLLIN, 0};
  if (poll(&p, 1, static_cast<int>(wait.count())) <= 0) return {};
  Socket s(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (s) set(s.fd(), IPPROTO_TCP, TCP_NODELAY, 1);
  return s;
}

int port_of(const Socket& socket) {
  const sockaddr_storage address = own(socket);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string address_of(const Socket& socket) {
  const sockaddr_storage address = own(socket);
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET6) inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  else inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  const std::string plain = text;
  return plain.starts_with("::ffff:") && plain.find('.') != std::string::npos ? plain.substr(7) : plain;
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

void watch(const Socket& socket) {
  set(socket.fd(), SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket.fd(), IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(socket.fd(), IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(socket.fd(), IPPROTO_TCP, TCP_KEEPCNT, 4);
  set(socket.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, 30000);
}

bool send(const Socket& socket, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::send(socket.fd(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace vesal::tcp
