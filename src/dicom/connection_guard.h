// What bounds a connection in time and bytes, whatever its other side does: DCMTK's own time-outs begin anew with each byte.
#pragma once
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/dcmnet/dcmtrans.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

namespace vesal::dicom {

/// The bounds of one connection. The thread that serves it says what may come next; any thread may cut it off.
class ConnectionGuard {
 public:
  /// `stall`: how long the other side may take for 64 KB.
  ConnectionGuard(int socket, std::chrono::milliseconds stall) : socket_(socket), stall_(stall.count()) {}

  /// From now on at most so many bytes, beginning within the stall time.
  void allow(std::uint64_t bytes);
  /// An end that no byte moves; until allow() is called.
  void until(std::chrono::milliseconds from_now);

  /// After a read or a write of so many bytes. False: too many.
  bool moved(std::uint64_t bytes);
  bool late() const;
  /// Both directions are shut: who reads or writes gets an error at once.
  void cut();
  /// The socket is about to be closed: its number may soon be another's.
  void closed();
  std::uint64_t received() const { return received_.load(std::memory_order_relaxed); }
  void count(std::uint64_t bytes) { received_.fetch_add(bytes, std::memory_order_relaxed); }
  int socket() const { return socket_; }

 private:
  std::mutex mutex_;
  int socket_;
  const std::int64_t stall_;
  std::atomic<std::int64_t> deadline_{INT64_MAX};  ///< ms of the steady clock
  std::atomic<bool> fixed_{false};
  std::atomic<std::int64_t> left_{INT64_MAX};
  std::atomic<std::uint64_t> received_{0};
};

/// Gives DCMTK connections that obey a guard. One for each association that is accepted: the socket has been accepted before (listener.h), and
/// the one DCMTK offers is ignored.
class GuardedLayer : public DcmTransportLayer {
 public:
  /// `tls` may be null.
  GuardedLayer(std::shared_ptr<ConnectionGuard> guard, DcmTransportLayer* tls) : guard_(std::move(guard)), tls_(tls) {}
  DcmTransportConnection* createConnection(DcmNativeSocketType offered, OFBool secure) override;

 private:
  std::shared_ptr<ConnectionGuard> guard_;
  DcmTransportLayer* tls_;
};

}  // namespace vesal::dicom
