#include "dicom/connection_guard.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "dicom/command_watch.h"

namespace vesal::dicom {
namespace {

constexpr std::int64_t kStallBytes = 64 << 10;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A connection of DCMTK's, asked through a guard. The socket is the inner one's to close.
class GuardedConnection : public DcmTransportConnection {
 public:
  GuardedConnection(std::shared_ptr<ConnectionGuard> guard, std::unique_ptr<DcmTransportConnection> inner, int socket)
      : DcmTransportConnection(socket), guard_(std::move(guard)), inner_(std::move(inner)) {
    set(TCP_NODELAY);
  }
  ~GuardedConnection() override {
    guard_->closed();
    inner_.reset();
  }

  OFCondition serverSideHandshake() override { return inner_->serverSideHandshake(); }
  OFCondition clientSideHandshake() override { return inner_->clientSideHandshake(); }
  OFCondition renegotiate(const char* suite) override { return inner_->renegotiate(suite); }
  ssize_t read(void* buffer, size_t size) override {
    const ssize_t n = inner_->read(buffer, size);
    if (n > 0) {
      // Senders hold back the last piece of an object until all before it is acknowledged (Nagle), which otherwise takes 40 ms. The system forgets
      // this wish, so it is told each time.
      set(TCP_QUICKACK);
      guard_->count(static_cast<std::uint64_t>(n));
      if (!guard_->moved(static_cast<std::uint64_t>(n)) || !watch_.pass(static_cast<const std::uint8_t*>(buffer), static_cast<std::size_t>(n))) {
        guard_->cut();
        errno = ECONNABORTED;
        return 0;
      }
    }
    return n;
  }
  ssize_t write(void* buffer, size_t size) override { return inner_->write(buffer, size); }
  void close() override {
    guard_->closed();
    inner_->close();
  }
  void closeTransportConnection() override {
    guard_->closed();
    inner_->closeTransportConnection();
  }
  unsigned long getPeerCertificateLength() override { return inner_->getPeerCertificateLength(); }
  unsigned long getPeerCertificate(void* buffer, unsigned long size) override { return inner_->getPeerCertificate(buffer, size); }
  OFBool networkDataAvailable(int timeout) override { return inner_->networkDataAvailable(timeout); }
  OFBool isTransparentConnection() override { return inner_->isTransparentConnection(); }
  OFString& dumpConnectionParameters(OFString& text) override { return inner_->dumpConnectionParameters(text); }

 private:
  void set(int option) {
    const int on = 1;
    ::setsockopt(getSocket(), IPPROTO_TCP, option, &on, sizeof on);
  }
  std::shared_ptr<ConnectionGuard> guard_;
  std::unique_ptr<DcmTransportConnection> inner_;
  CommandWatch watch_;
};

}  // namespace

void ConnectionGuard::allow(std::uint64_t bytes) {
  left_ = static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, INT64_MAX));
  fixed_ = false;
  deadline_ = steady_ms() + stall_;
}

void ConnectionGuard::until(std::chrono::milliseconds from_now) {
  fixed_ = true;
  deadline_ = steady_ms() + from_now.count();
}

bool ConnectionGuard::moved(std::uint64_t bytes) {
  const auto n = static_cast<std::int64_t>(bytes);
  // Each byte gives its share of the stall time, and never more than that lies ahead: a trickle runs out of it, a pause after a burst does not.
  // Only whole milliseconds are given: rounded up, a byte each millisecond would do.
  if (!fixed_) deadline_ = std::min(deadline_ + n * stall_ / kStallBytes, steady_ms() + stall_);
  return (left_ -= n) >= 0;
}

bool ConnectionGuard::late() const { return steady_ms() > deadline_; }

void ConnectionGuard::cut() {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

void ConnectionGuard::closed() {
  const std::lock_guard lock(mutex_);
  socket_ = -1;
}

DcmTransportConnection* GuardedLayer::createConnection(DcmNativeSocketType, OFBool secure) {
  const int socket = guard_->socket();
  std::unique_ptr<DcmTransportConnection> inner;
  if (secure && tls_) inner.reset(tls_->createConnection(socket, OFTrue));
  if (!secure) inner = std::make_unique<DcmTCPConnection>(socket);
  if (!inner) {  // never in the clear where TLS was asked for
    guard_->cut();
    inner = std::make_unique<DcmTCPConnection>(socket);
  }
  return new GuardedConnection(guard_, std::move(inner), socket);
}

}  // namespace vesal::dicom
