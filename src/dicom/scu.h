// The calling side of DIMSE: one association with a peer and what can be asked on it.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dicom/object_sink.h"
#include "dicom/peer.h"

class DcmTransportLayer;

namespace vesal::dicom {

/// An abstract syntax and the transfer syntaxes offered for it.
struct OfferedContext {
  std::string sop_class;
  std::vector<std::string> transfer_syntaxes;
  bool receives = false;  ///< we are the storing side (C-GET)
};

/// Keywords and values: {"AccessionNumber", "123"}. An empty value asks for the attribute.
using Attributes = std::vector<std::pair<std::string, std::string>>;

/// What came of a C-MOVE or C-GET, in instances.
struct RetrieveCounts {
  int completed = 0, failed = 0;
};

/// One association, open from construction to destruction. Of one thread. Everything throws Error(io) naming the peer when it does not answer
/// in peer.timeout, Error(refused) when it says no.
class Scu {
 public:
  Scu(const Peer& peer, const std::string& own_aet, const std::vector<OfferedContext>& contexts);
  ~Scu();
  Scu(const Scu&) = delete;
  Scu& operator=(const Scu&) = delete;

  void echo();
  /// Study root C-FIND at "STUDY", "SERIES" or "IMAGE". At most `most` matches are taken; then the peer is left.
  std::vector<Attributes> find(const std::string& level, const Attributes& keys, std::size_t most = 10'000);
  /// The peer sends a study to the AE title that it knows by itself.
  RetrieveCounts move(const std::string& study, const std::string& to);
  /// The study comes over this association into the sink.
  RetrieveCounts get(const std::string& study, ObjectSink& sink);
  /// The DIMSE status of the peer's response.
  unsigned store(const std::filesystem::path& file, const std::string& sop_class, const std::string& transfer_syntax);

 private:
  class Connection;
  unsigned char context_for(const char* sop_class, const char* what) const;
  std::string name_;
  std::unique_ptr<DcmTransportLayer> layer_;
  std::unique_ptr<Connection> connection_;
};

/// The contexts for find() and move(); for get(), all storage classes.
std::vector<OfferedContext> query_contexts(bool move);
std::vector<OfferedContext> get_contexts();
/// Explicit and implicit VR little endian: everybody has one of them.
const std::vector<std::string>& uncompressed();

}  // namespace vesal::dicom
