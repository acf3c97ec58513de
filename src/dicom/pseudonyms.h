// Who is who: patients, their pseudonyms and how many days their dates move, kept in one file of the hospital's so that the next scans of a patient
// get the same names. Whoever has the file can undo the pseudonyms: it is written for its owner alone.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace vesal::dicom {

struct Pseudonym {
  std::string name;  ///< "P0001"
  int days = 0;      ///< to add to dates, -3650 to -1
};

/// Not thread safe.
class Pseudonyms {
 public:
  /// As the file says, or with a new secret if there is none yet. Throws Error(format | io).
  explicit Pseudonyms(std::filesystem::path path);

  /// The patient's pseudonym, a new one at the first time. `issuer`: who gives the numbers, may be empty.
  const Pseudonym& of(const std::string& patient_id, const std::string& issuer);
  /// Another identifier for one of the source: the same for the same, and nobody without the secret can tell which belong together.
  std::string uid(const std::string& original) const;
  std::size_t size() const { return patients_.size(); }
  /// Writes the file (mode 0600) if there is something new. Do so before the files that use the new names. Throws Error(io).
  void save();

 private:
  std::filesystem::path path_;
  std::string secret_;  ///< 64 hexadecimal digits
  std::map<std::string, Pseudonym> patients_;
  bool changed_ = false;
};

}  // namespace vesal::dicom
