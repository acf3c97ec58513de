// What an association asks for, answered one message after the other: C-ECHO and C-STORE.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "dicom/association.h"
#include "dicom/object_sink.h"

namespace vesal::dicom {

struct StoreOutcome {
  std::int64_t stored = 0, refused = 0;
  std::string end;  ///< "released", or why it ended otherwise
};

/// Serves until the other side releases, goes away or exceeds a limit, or `stopping` says so: then the message under way is still answered.
/// Data sets go to the sink's files as the bytes that came; nothing is decoded. "Success" is said when the sink has kept the object.
StoreOutcome serve_association(Association& association, ObjectSink& sink, const Limits& limits, const std::function<bool()>& stopping);

}  // namespace vesal::dicom
