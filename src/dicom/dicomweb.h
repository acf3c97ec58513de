// DICOMweb (PS3.18) as a client: QIDO-RS, WADO-RS, STOW-RS.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "dicom/delivery.h"
#include "dicom/object_sink.h"
#include "dicom/peer.h"
#include "dicom/scu.h"

namespace vesal::dicom {

/// Each call is one or more requests; any thread. Errors are http()'s.
class Dicomweb {
 public:
  explicit Dicomweb(const Peer& peer) : peer_(peer) {}

  /// Matches of GET /studies or, at "SERIES", /series; keys as for C-FIND.
  std::vector<Attributes> find(const std::string& level, const Attributes& keys, std::size_t most = 10'000) const;
  /// GET /studies/UID: all instances into the sink, in the transfer syntax they have there. Returns how many came.
  std::size_t get(const std::string& study, ObjectSink& sink) const;
  /// POST /studies, an object per request, so that each has its own answer.
  void store(const std::vector<Parcel>& parcels, const std::function<void(std::size_t, const std::string&)>& told) const;

 private:
  const Peer& peer_;
};

/// Why a STOW-RS answer (DICOM JSON) says that an instance was not stored; empty if it was.
std::string stow_refusal(const std::string& json, const std::string& sop);

}  // namespace vesal::dicom
