// Waits for connections and serves each on a thread of its own.
#pragma once
#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "base/tcp.h"
#include "dicom/association.h"
#include "dicom/object_sink.h"

class DcmTransportLayer;

namespace vesal::dicom {

/// The side of a node that is called. Made and destroyed by one thread; in between its own threads work. A watch over all connections cuts off
/// those that exceed their time, so that nobody keeps a thread for longer than the limits say.
class Listener {
 public:
  struct Options {
    std::string aet, address = "127.0.0.1";  ///< of this node; where to listen, "0.0.0.0" and "::" for everywhere
    int port = 11112;                        ///< 0: a free one
    std::vector<std::string> callers, addresses;
    Limits limits;
    Tls tls;
  };
  /// Listens from now on; throws Error(io | config). The sink must outlive it.
  Listener(Options options, ObjectSink& sink);
  /// Takes no more connections, answers the messages under way (10 s at most), ends.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  struct Call {
    std::string address;
    std::shared_ptr<ConnectionGuard> guard;
    std::thread thread;
    std::atomic<bool> over{false};
  };
  void listen_to();
  void accept_one();
  void serve(Call& call);
  void watch();
  void clear_finished();

  Options options_;
  ObjectSink& sink_;
  std::unique_ptr<DcmTransportLayer> tls_;
  tcp::Socket socket_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0}, associations_{0};
  std::list<Call> calls_;  ///< of thread_ only
  std::thread thread_;     ///< accepts, watches
};

}  // namespace vesal::dicom
