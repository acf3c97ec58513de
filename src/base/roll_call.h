// RollCall: every rank keeps a connection to rank 0, so that all learn at once when one of them is gone, and why.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/tcp.h"

namespace vesal::ranks {

/// A rank whose connection ends without a word counts as gone: killed, crashed, or its machine lost (noticed within 30 s).
/// Thread safe. Messages are lines of text on a connection that begins with the token both sides know; others are not listened to.
class RollCall {
 public:
  /// Called once, from a thread of this object, with the first rank that is gone and what is known about it.
  using Gone = std::function<void(int rank, const std::string& why)>;

  /// Rank 0: listens on port().
  RollCall(int size, std::string token, Gone gone);
  /// Another rank: goes to where rank 0 listens. Throws Error(io) if it does not answer in time.
  RollCall(int rank, const std::string& host, int port, const std::string& token, tcp::Deadline deadline, Gone gone);
  /// Leaves without a word if leave() was not called.
  ~RollCall();

  int port() const;                  ///< rank 0's
  std::vector<int> missing() const;  ///< rank 0: those who did not come yet
  std::vector<int> left() const;     ///< those who said goodbye; rank 0 knows all of them, the others only rank 0
  /// The address under which others reach this process: for rank 0 that by which they came, not the loopback if any came from afar.
  std::string address() const;
  /// Tells the others that this rank ends, and why if it failed; what they do then is no longer reported here.
  void leave(const std::string& failure);

 private:
  struct Peer {
    tcp::Socket socket;
    int rank = -1;  ///< not yet known
    bool left = false;
    std::string unread;
  };
  void listen_in();  ///< starts the thread
  void loop();
  bool read(Peer& peer);
  bool hear(Peer& peer, const std::string& line);
  void lose(int rank, const std::string& why);
  void wake();

  const int rank_, size_;
  const std::string token_;
  const Gone gone_;
  mutable std::mutex mutex_;
  tcp::Socket listener_, wake_read_, wake_write_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<int> left_peers_;
  std::map<int, std::string> came_;  ///< ranks that came, and this side's address on their way
  bool stop_ = false, left_ = false, lost_ = false;
  std::thread thread_;
};

}  // namespace vesal::ranks
