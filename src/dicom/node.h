// A DICOM node: receives studies, has rules work on those that are complete, sends what comes of it.
//
//   Listener --(association threads)--> ObjectStore, Journal
//   thread "studies": complete studies -> jobs           waits for Journal only
//   thread "work":    jobs -> results                    one job after the other, as a network takes all cores
//   thread "sending": results -> peers                   a peer that is away delays nobody's work
//
// The threads share nothing but the journal: what one of them commits is all that the next one sees, so that killing the process at any moment
// leaves a state from which the next start goes on. A result is sent again only if the process dies between the peer's "success" and the commit
// that follows it; its identifiers are the same then, so that the archive keeps one.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/value.h"
#include "dicom/listener.h"
#include "dicom/object_store.h"
#include "dicom/study_worker.h"

namespace vesal::dicom {

/// What happens, for logs: a name and facts without patient data (studies by name_of_uid). Called from many threads.
using NodeEvents = std::function<void(const std::string& event, const Dict& facts)>;

class Node {
 public:
  struct Options {
    NodeConfig config;
    std::filesystem::path store;
    std::string aet = "VESAL", address = "127.0.0.1";
    int port = 11112;
    NodeEvents events;
  };
  /// Serves from now on. The worker must outlive it. Throws Error(usage | io | config).
  Node(Options options, StudyWorker& worker);
  /// Ends everything: receiving first, then the others at their next step. A job under way is put back when the worker throws
  /// Error(cancelled), so request_cancel() before; else it is finished.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  int port() const { return listener_->port(); }
  ObjectStore& store() { return store_; }

 private:
  void loop(const char* what, const std::function<bool()>& step);
  bool look_at_studies();
  void look_at(const Rule& rule, const StudyRow& study);
  void clean();
  bool work();
  void do_job(const JobRow& job, const Rule& rule);
  bool send();
  void event(const std::string& name, Dict facts) const;
  const Rule* rule_named(const std::string& name) const;

  Options options_;
  ObjectStore store_;
  StudyWorker& worker_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  ///< under mutex_
  Time cleaned_ = 0;       ///< of "studies" only
  std::unique_ptr<Listener> listener_;
  std::thread studies_, work_, sending_;
};

/// What add_job() knows a set of instances by.
std::string digest_of(std::vector<std::string> instances);

}  // namespace vesal::dicom
