#include "dicom/object_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/log.h"
#include "base/sha256.h"

namespace vesal::dicom {
namespace fs = std::filesystem;

std::string name_of_uid(const std::string& uid) { return sha256(uid).substr(0, 16); }

void sync_path(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool good = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!good) throw Error(ErrorKind::io, "bringing " + path.string() + " to the disk: " + std::strerror(error));
}

ObjectStore::ObjectStore(const fs::path& folder, const Limits& limits)
    : served_(folder, {"incoming", "studies", "results"}, "a store has one node"),
      folder_(served_.path()),
      limits_(limits),
      journal_(folder_ / "journal.sqlite") {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / "incoming")) {
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
  bytes_ = journal_.stored_bytes();
}

fs::path ObjectStore::incoming() {
  std::error_code ec;
  const fs::space_info space = fs::space(folder_, ec);
  if (!ec && space.available < limits_.free)
    throw Error(ErrorKind::io, fmt::format("only {} MB are free on the disk of {} (limits: free)", space.available / 1'000'000, folder_.string()));
  if (limits_.store > 0 && static_cast<std::uint64_t>(bytes_.load()) >= limits_.store)
    throw Error(ErrorKind::io, fmt::format("the store {} is full (limits: store, keep)", folder_.string()));
  return folder_ / "incoming" / (std::to_string(serial_++) + ".part");
}

void ObjectStore::keep(const ReceivedObject& object) {
  const ObjectFacts facts = read_object_facts(object.file);
  if (facts.sop != object.sop || facts.sop_class != object.sop_class)
    throw Error(ErrorKind::usage, "the data set is not the object that the command named");
  {
    const std::lock_guard lock(mutex_);
    deliveries_[object.delivery].insert(facts.study);
  }
  if (journal_.has_instance(facts.study, facts.series, facts.sop)) return;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(object.file));
  const fs::path study = study_folder(facts.study), series = study / name_of_uid(facts.series);
  sync_path(object.file);
  if (std::error_code ec; fs::create_directories(series, ec)) {
    sync_path(study.parent_path());
    sync_path(study);
  } else if (ec) {
    throw Error(ErrorKind::io, "making folder " + series.string() + ": " + ec.message());
  }
  const fs::path place = series / (name_of_uid(facts.sop) + ".dcm");
  if (::rename(object.file.c_str(), place.c_str()) != 0) throw Error(ErrorKind::io, "renaming to " + place.string() + ": " + std::strerror(errno));
  sync_path(series);
  if (journal_.add_instance({facts.study, facts.series, facts.sop, facts.sop_class, object.caller, bytes})) bytes_ += bytes;
}

void ObjectStore::ended(std::uint64_t delivery, bool whole) {
  std::set<std::string> studies;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = deliveries_.find(delivery); found != deliveries_.end()) studies = std::move(found->second);
    deliveries_.erase(delivery);
  }
  if (whole)
    for (const std::string& study : studies) journal_.delivered(study);
}

fs::path ObjectStore::study_folder(const std::string& study) const { return folder_ / "studies" / name_of_uid(study); }

fs::path ObjectStore::fresh_results(std::int64_t job) const {
  const fs::path folder = folder_ / "results" / std::to_string(job);
  std::error_code ec;
  fs::remove_all(folder, ec);
  fs::create_directories(folder, ec);
  if (ec) throw Error(ErrorKind::io, "making folder " + folder.string() + ": " + ec.message());
  return folder;
}

void ObjectStore::forget(const std::string& study) {
  const std::vector<std::int64_t> jobs = journal_.jobs_of(study);
  journal_.forget(study);  // first: files without rows do no harm, rows without files do
  std::error_code ignored;
  fs::remove_all(study_folder(study), ignored);
  for (const std::int64_t job : jobs) fs::remove_all(folder_ / "results" / std::to_string(job), ignored);
  bytes_ = journal_.stored_bytes();
}

fs::path journal_file(const fs::path& store) {
  const fs::path file = store / "journal.sqlite";
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) throw Error(ErrorKind::not_found, store.string() + " is no store of `vesal dicom serve`");
  return file;
}

}  // namespace vesal::dicom
