#include "dicom/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "dicom/store_scp.h"
#include "dicom/tls_layer.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

constexpr std::chrono::milliseconds kWatch{200}, kStop{10'000};

sockaddr_storage parse_address(const std::string& address, int port, socklen_t& size) {
  sockaddr_storage out{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(out);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof v4;
  } else if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof v6;
  } else {
    throw Error(ErrorKind::usage, "'" + address + "' is no address of this machine; 0.0.0.0 listens on all of them");
  }
  return out;
}

int port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string text_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET6) inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  else inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  const std::string out = text;
  return out.starts_with("::ffff:") && out.find('.') != std::string::npos ? out.substr(7) : out;
}

}  // namespace

Listener::Listener(Options options, ObjectSink& sink) : options_(std::move(options)), sink_(sink) {
  start_toolkit();
  tls_ = make_tls_layer(options_.tls, true);
  listen_to();
  thread_ = std::thread([this] {
    while (!stopping_) {
      pollfd waiting{socket_.fd(), POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(kWatch.count())) > 0) accept_one();
      watch();
      clear_finished();
    }
    socket_.close();
    for (const auto end = std::chrono::steady_clock::now() + kStop; !calls_.empty(); clear_finished()) {
      watch();
      if (std::chrono::steady_clock::now() > end)
        for (const Call& call : calls_) call.guard->cut();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
}

Listener::~Listener() {
  stopping_ = true;
  thread_.join();
}

void Listener::listen_to() {
  socklen_t size = 0;
  sockaddr_storage address = parse_address(options_.address, options_.port, size);
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::io, what + " " + options_.address + " port " + std::to_string(options_.port) + ": " + std::strerror(errno));
  };
  socket_ = tcp::Socket(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) fail("no socket for");
  const int on = 1, off = 0;
  ::setsockopt(socket_.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ss_family == AF_INET6) ::setsockopt(socket_.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(socket_.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket_.fd(), 64) != 0) fail("listening on");
  size = sizeof address;
  if (::getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("listening on");
  port_ = port_of(address);
}

void Listener::accept_one() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  tcp::Socket socket(::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC));
  if (!socket) return;
  const std::string address = text_of(from);
  const Limits& limits = options_.limits;
  // Refused without a word, and before a thread or DCMTK knows of it: a flood costs an accept and a close.
  const auto close_it = [&](const char* why) { log::debug("a connection from {} is closed: {}", address, why); };
  if (!address_allowed(address, options_.addresses)) return close_it("not an allowed address");
  if (std::count_if(calls_.begin(), calls_.end(), [&](const Call& c) { return c.address == address; }) >= limits.per_address)
    return close_it("too many from there");
  if (connections_ >= 2 * limits.associations + 8) return close_it("too many");
  tcp::watch(socket);

  const int own = ::dup(socket.fd());  // DCMTK closes it
  if (own < 0) return close_it("no more files");
  Call& call = calls_.emplace_back();
  call.address = address;
  call.guard = std::make_shared<ConnectionGuard>(own, limits.dimse);
  call.guard->until(limits.acse);
  ++connections_;
  try {
    call.thread = std::thread([this, &call] {
      serve(call);
      --connections_;
      call.over = true;
    });
  } catch (const std::system_error&) {  // no more threads
    --connections_;
    ::close(own);
    calls_.pop_back();
  }
}

void Listener::serve(Call& call) {
  const bool full = ++associations_ > options_.limits.associations;
  try {
    const Reception reception{options_.aet, options_.callers, options_.limits, tls_.get()};
    Association association(call.guard, reception, full);
    log::debug("association with {} at {}", association.caller(), call.address);
    const StoreOutcome out = serve_association(association, sink_, options_.limits, [this] { return stopping_.load(); });
    if (out.stored > 0 || out.refused > 0)
      log::info("{} at {}: {} objects stored, {} refused; {}", association.caller(), call.address, out.stored, out.refused, out.end);
    else log::debug("{} at {}: {}", association.caller(), call.address, out.end);
  } catch (const std::exception& e) { log::debug("no association with {}: {}", call.address, e.what()); }
  --associations_;
}

void Listener::watch() {
  for (const Call& call : calls_)
    if (call.guard->late()) call.guard->cut();
}

void Listener::clear_finished() {
  calls_.remove_if([](Call& call) {
    if (!call.over) return false;
    call.thread.join();
    return true;
  });
}

}  // namespace vesal::dicom
