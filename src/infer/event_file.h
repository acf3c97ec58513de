// Event files as TensorBoard reads them: a stream of records, each an Event message of protocol buffers that holds one number.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace vesal::infer {

/// FOLDER/events.out.tfevents.TIME.HOST.PID.NUMBER, made (with its folder) at the first number, so that two files never meet.
/// Throws Error(io) naming the file. One thread at a time.
class EventFile {
 public:
  explicit EventFile(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// A point of the curve `tag`.
  void add(const std::string& tag, double value, std::int64_t step);
  void flush();
  const std::filesystem::path& path() const { return path_; }  ///< empty as long as nothing was added

 private:
  void open();
  void record(const std::string& event);
  std::filesystem::path folder_, path_;
  std::ofstream out_;
};

}  // namespace vesal::infer
