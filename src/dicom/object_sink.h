// Where received objects go: the node's store, or a folder that a fetch fills.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace vesal::dicom {

/// Which object it is; from the data set itself, not from the command that brought it.
struct ObjectFacts {
  std::string study, series, sop, sop_class;
};

/// Of a DICOM file. Throws Error(format) for what is damaged or lacks one of the identifiers; the file may be hostile.
ObjectFacts read_object_facts(const std::filesystem::path& file);

struct ReceivedObject {
  std::filesystem::path file;  ///< a temporary one; the sink moves it to its place or removes it
  std::string sop, sop_class;  ///< as the command says
  std::string caller;          ///< AE title
  std::uint64_t delivery = 0;  ///< the same for all that comes on one association
};

/// Used by many threads at once.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  /// A name for a file that is being received. Throws Error(io) (status A700) when there is no room for one more.
  virtual std::filesystem::path incoming() = 0;
  /// Called when all of it is in the file. When it returns, the object is on the disk and known, and "success" may be said. Throws Error, whose
  /// kind says the status: io for A700, format for C000, usage for A900.
  virtual void keep(const ReceivedObject& object) = 0;
  /// Nothing more comes of a delivery; `whole` if it ended as it should. When it broke off the sender is likely to try again.
  virtual void ended(std::uint64_t delivery, bool whole) {
    (void)delivery;
    (void)whole;
  }
};

}  // namespace vesal::dicom
