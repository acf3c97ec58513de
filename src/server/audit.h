// Who saw and did what: entries chained by hashes, so that one that was changed, or removed from the middle, shows.
//
// An entry's hash covers its fields and the hash of the entry before it. Entries cut off at the end leave a chain that is whole: who wants to see
// that, too, keeps what verify_audit() says of the last entry somewhere else.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/value.h"
#include "server/store.h"

namespace vesal::server {

struct AuditEntry {
  std::string user, peer;  ///< user: name, "-" for nobody
  std::string action;      ///< "GET /api/v1/jobs/{id}/mask.nii.gz"
  std::string object;      ///< identifiers only, never a patient's data
  int outcome = 0;         ///< HTTP status
};

/// Thread safe.
class Audit {
 public:
  explicit Audit(Store& store) : store_(store) {}
  void add(const AuditEntry& entry);
  /// The newest first, older than `before` if that is not 0.
  std::vector<Dict> entries(std::int64_t before, std::int64_t most);

 private:
  Store& store_;
};

struct AuditState {
  std::int64_t entries = 0;
  std::string last;  ///< hash of the last entry
};
/// Walks the chain of a store, which may be served meanwhile. Throws Error(format) naming the first entry that does not fit, Error(not_found).
AuditState verify_audit(const std::filesystem::path& folder);

}  // namespace vesal::server
