// Takes out of a DICOM object who it is of, by the basic profile of PS3.15 (confidentiality.h). The pixels stay as they are, compressed or not.
#pragma once
#include <map>
#include <string>

#include "dicom/confidentiality.h"
#include "dicom/pseudonyms.h"

class DcmDataset;
class DcmFileFormat;

namespace vesal::dicom {

struct DeidentifyOptions {
  Retained retained;
  bool allow_burned_in = false;  ///< also images whose pixels may show names: secondary captures, ultrasound, BurnedInAnnotation
};

/// Why such an object is left out, in words for people; empty if it is not. Documents, reports, waveforms and private objects are: what people wrote
/// there cannot be cleaned by rule.
std::string reason_to_leave_out(const DcmDataset& data, const DeidentifyOptions& options);
/// Fills in what somebody emptied: SOP class and instance from the meta information; study and series, which then are what lies in one folder, from
/// `folder`.
void complete_identifiers(DcmFileFormat& file, const std::string& folder);

class Deidentifier {
 public:
  Deidentifier(const DeidentifyOptions& options, Pseudonyms& pseudonyms) : options_(options), pseudonyms_(pseudonyms) {}
  /// Changes the object and its file meta information. Free text in which the patient's name, number or another person's name still stands is
  /// emptied. Without a patient's number and name the study stands for the patient. Not thread safe. Throws Error(format) without UIDs of study
  /// and instance.
  void apply(DcmFileFormat& file);
  /// Where free text had to be emptied: tags with numbers of objects.
  const std::map<std::string, std::size_t>& leaks() const { return leaks_; }

 private:
  DeidentifyOptions options_;
  Pseudonyms& pseudonyms_;
  std::map<std::string, std::size_t> leaks_;
};

}  // namespace vesal::dicom
