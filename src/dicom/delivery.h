// Sending objects to a peer, by C-STORE or STOW-RS.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dicom/peer.h"

namespace vesal::dicom {

struct Parcel {
  std::filesystem::path file;
  std::string sop, sop_class;
};

/// Identifiers of a DICOM file to send. Throws Error(format).
Parcel parcel_of(const std::filesystem::path& file);

/// Sends them on one association, or in one request each. `told` hears of each in order: an empty text when the peer has said that it keeps the
/// object (or had it), else why not. Throws Error for what concerns all that have not been told of: no connection, refused, timed out.
void deliver(const Peer& peer, const std::string& own_aet, const std::vector<Parcel>& parcels,
             const std::function<void(std::size_t index, const std::string& why)>& told);

}  // namespace vesal::dicom
