// One association that somebody has opened with us: from the accepted socket to its end.
#pragma once
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/assoc.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "dicom/connection_guard.h"
#include "dicom/node_config.h"

namespace vesal::dicom {

/// Whom we take calls from, and as whom.
struct Reception {
  std::string aet;
  std::vector<std::string> callers;  ///< empty: all
  Limits limits;
  DcmTransportLayer* tls = nullptr;  ///< outlives all associations; null: in the clear
};

/// Serves one connection on the thread that makes it; not thread safe but for its guard.
class Association {
 public:
  /// Waits for the request and answers it: refused for titles that are not welcome, or when `full`; else all storage classes and verification
  /// are accepted. Throws Error(refused | io | format) when there is no association in the end, the connection being closed then. Takes the
  /// socket over in any case.
  Association(std::shared_ptr<ConnectionGuard> guard, const Reception& reception, bool full);
  ~Association();
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;

  T_ASC_Association* handle() const { return association_; }
  ConnectionGuard& guard() const { return *guard_; }
  const std::string& caller() const { return caller_; }
  /// Whether the other side has sent something; waits up to a second for it.
  bool data_waiting() const;
  void acknowledge_release();
  void abort();

 private:
  void finish();
  void negotiate(const Reception& reception, bool full);
  void refuse(T_ASC_RejectParametersResult result, T_ASC_RejectParametersSource source, T_ASC_RejectParametersReason reason, const std::string& why);
  std::shared_ptr<ConnectionGuard> guard_;
  std::unique_ptr<GuardedLayer> layer_;
  T_ASC_Network* network_ = nullptr;
  T_ASC_Association* association_ = nullptr;
  std::string caller_;
};

/// Which of the transfer syntaxes of a presentation context is taken; empty if there is none that the reader can decode. The first offered one,
/// but explicit VR before implicit: it keeps the types of private elements.
std::string choose_transfer_syntax(const std::vector<std::string>& offered);
/// Whether objects of this class are taken: all storage classes, also those younger than this program.
bool is_storage_class(const std::string& uid);

}  // namespace vesal::dicom
