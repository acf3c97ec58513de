#include "dicom/folder_sink.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"
#include "dicom/object_store.h"

namespace vesal::dicom {
namespace fs = std::filesystem;
namespace {

void make_folder(const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) throw Error(ErrorKind::io, "making folder " + folder.string() + ": " + ec.message());
}

}  // namespace

fs::path FolderSink::incoming() {
  make_folder(folder_);
  return folder_ / (".part-" + std::to_string(::getpid()) + "-" + std::to_string(serial_++));
}

void FolderSink::keep(const ReceivedObject& object) {
  const ObjectFacts facts = read_object_facts(object.file);
  if (facts.sop != object.sop) throw Error(ErrorKind::usage, "the data set is not the object that the command named");
  const fs::path folder = folder_ / name_of_uid(facts.series), place = folder / (name_of_uid(facts.sop) + ".dcm");
  make_folder(folder);
  sync_path(object.file);
  if (::rename(object.file.c_str(), place.c_str()) != 0) throw Error(ErrorKind::io, "renaming to " + place.string() + ": " + std::strerror(errno));
  ++kept_;
}

}  // namespace vesal::dicom
