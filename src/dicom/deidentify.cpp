#include "dicom/deidentify.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <optional>
#include <set>
#include <vector>

#include "base/text.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

std::uint32_t number_of(const DcmTagKey& tag) { return static_cast<std::uint32_t>(tag.getGroup()) << 16 | tag.getElement(); }

/// A value that says nothing and that its representation allows.
const char* dummy_value(DcmEVR vr) {
  switch (vr) {
    case EVR_DA: return "19000101";
    case EVR_DT: return "19000101000000";
    case EVR_TM: return "000000";
    case EVR_AS: return "000Y";
    case EVR_CS: return "NONE";
    case EVR_DS:
    case EVR_IS: return "0";
    case EVR_UR: return "urn:removed";
    case EVR_AE:
    case EVR_PN:
    case EVR_LO:
    case EVR_SH:
    case EVR_LT:
    case EVR_ST:
    case EVR_UC:
    case EVR_UT: return "REMOVED";
    default: return nullptr;
  }
}

bool is_free_text(DcmEVR vr) { return vr == EVR_PN || vr == EVR_LO || vr == EVR_SH || vr == EVR_LT || vr == EVR_ST || vr == EVR_UC || vr == EVR_UT; }

std::string text_of(DcmElement& element) {
  OFString text;
  element.getOFStringArray(text);
  return {text.c_str(), text.size()};
}

/// A date (DA, or the first eight digits of a DT) moved; nothing if it is none.
std::optional<std::string> moved(const std::string& text, int days) {
  using namespace std::chrono;
  int y = 0;
  unsigned m = 0, d = 0;
  if (text.size() < 8 || std::sscanf(text.substr(0, 8).c_str(), "%4d%2u%2u", &y, &m, &d) != 3) return std::nullopt;
  const year_month_day date{year(y), month(m), day(d)};
  if (!date.ok()) return std::nullopt;
  const year_month_day to{sys_days(date) + std::chrono::days(days)};
  char out[16];
  std::snprintf(out, sizeof out, "%04d%02u%02u", static_cast<int>(to.year()), static_cast<unsigned>(to.month()), static_cast<unsigned>(to.day()));
  return out + text.substr(8);
}

bool is_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }

/// The words of names and the numbers of the people in an object, as far as they are long enough to be told from other words.
class Identities {
 public:
  explicit Identities(DcmItem& item) { collect(item); }
  bool stand_in(const std::string& text) const {
    const std::string small = lower(text);
    for (const std::string& word : words_)
      for (std::size_t at = small.find(word); at != std::string::npos; at = small.find(word, at + 1))
        if ((at == 0 || !is_letter(small[at - 1])) && (at + word.size() == small.size() || !is_letter(small[at + word.size()]))) return true;
    return false;
  }

 private:
  void collect(DcmItem& item) {
    for (unsigned long i = 0; i < item.card(); ++i) {
      DcmElement* e = item.getElement(i);
      if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(e); sequence && e->ident() == EVR_SQ) {
        for (unsigned long k = 0; k < sequence->card(); ++k) collect(*sequence->getItem(k));
        continue;
      }
      const DcmTagKey tag = e->getTag();
      const bool number = tag == DCM_PatientID || tag == DCM_AccessionNumber || tag == DCM_PatientBirthDate || tag == DCM_RETIRED_OtherPatientIDs ||
                          tag == DCM_PatientTelephoneNumbers;
      if (e->ident() != EVR_PN && !number) continue;
      const std::string text = lower(text_of(*e));
      if (number) add(text);
      else split(text);
    }
  }
  void split(const std::string& name) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= name.size(); ++i) {
      if (i < name.size() && is_letter(name[i])) continue;
      add(name.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  void add(const std::string& word) {
    if (word.size() > 2) words_.insert(word);
  }
  std::set<std::string> words_;
};

class Cleaning {
 public:
  Cleaning(const Retained& retained, const Pseudonyms& pseudonyms, const Pseudonym& patient, const Identities& identities,
           std::map<std::string, std::size_t>& leaks)
      : retained_(retained), pseudonyms_(pseudonyms), patient_(patient), identities_(identities), leaks_(leaks) {}

  void clean(DcmItem& item) {
    for (unsigned long i = item.card(); i-- > 0;)
      if (!clean_element(*item.getElement(i))) delete item.remove(i);
  }

 private:
  /// False if it has to go.
  bool clean_element(DcmElement& e) {
    const DcmTagKey tag = e.getTag();
    const Action action = action_of(number_of(tag), retained_);
    if (action == Action::remove || DcmTag(tag).error().bad()) return false;  // what no dictionary knows may hold anything
    if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(&e); sequence && e.ident() == EVR_SQ) {
      if (action == Action::empty) e.clear();
      for (unsigned long k = 0; k < sequence->card(); ++k) clean(*sequence->getItem(k));
      return true;
    }
    switch (action) {
      case Action::remove: return false;
      case Action::empty: e.clear(); return true;
      case Action::dummy: return make_dummy(e);
      case Action::uid: change_uids(e); return true;
      case Action::shift: return shift(e);
      case Action::keep: break;
    }
    if (is_free_text(e.ident()) && identities_.stand_in(text_of(e))) {
      e.clear();
      ++leaks_[std::string(tag.toString().c_str())];
    }
    return true;
  }

  static bool make_dummy(DcmElement& e) {
    if (e.ident() == EVR_UI) return e.putString(new_uid().c_str()).good();
    const char* value = dummy_value(e.ident());
    if (!value) return false;  // bytes and binary numbers: nothing sensible to put there
    return e.putString(value).good();
  }
  void change_uids(DcmElement& e) const {
    const std::string text = text_of(e);
    std::string changed;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('\\', begin), text.size());
      const std::string uid = text.substr(begin, end - begin);
      if (begin) changed += '\\';
      changed += uid.empty() || uid.starts_with("1.2.840.10008.") ? uid : pseudonyms_.uid(uid);
      begin = end + 1;
    }
    e.putString(changed.c_str());
  }
  /// Times of day stay.
  bool shift(DcmElement& e) const {
    if (e.ident() == EVR_TM) return true;
    if (e.ident() != EVR_DA && e.ident() != EVR_DT) return make_dummy(e);
    const std::string text = text_of(e);
    if (text.empty()) return true;
    const auto to = moved(text, patient_.days);
    return to ? e.putString(to->c_str()).good() : make_dummy(e);
  }

  const Retained& retained_;
  const Pseudonyms& pseudonyms_;
  const Pseudonym& patient_;
  const Identities& identities_;
  std::map<std::string, std::size_t>& leaks_;
};

struct Code {
  const char *value, *meaning;
};
std::vector<Code> codes_of(const Retained& r) {
  std::vector<Code> codes{{"113100", "Basic Application Confidentiality Profile"}};
  if (r.dates == Dates::keep) codes.push_back({"113106", "Retain Longitudinal Temporal Information Full Dates Option"});
  if (r.dates == Dates::shift) codes.push_back({"113107", "Retain Longitudinal Temporal Information Modified Dates Option"});
  if (r.characteristics) codes.push_back({"113108", "Retain Patient Characteristics Option"});
  if (r.device) codes.push_back({"113109", "Retain Device Identity Option"});
  if (r.uids) codes.push_back({"113110", "Retain UIDs Option"});
  if (r.institution) codes.push_back({"113112", "Retain Institution Identity Option"});
  return codes;
}

/// What the profile wants to be said about it in the object (PS3.15 E.3).
void say_so(DcmDataset& data, const Retained& retained) {
  check(data.putAndInsertString(DCM_PatientIdentityRemoved, "YES"), "PatientIdentityRemoved");
  check(data.putAndInsertString(DCM_DeidentificationMethod, "DICOM PS3.15 Basic Profile, vesal"), "DeidentificationMethod");
  delete data.remove(DCM_DeidentificationMethodCodeSequence);
  for (const Code& code : codes_of(retained)) {
    DcmItem* item = nullptr;
    check(data.findOrCreateSequenceItem(DCM_DeidentificationMethodCodeSequence, item, -2), "DeidentificationMethodCodeSequence");
    check(item->putAndInsertString(DCM_CodeValue, code.value), "CodeValue");
    check(item->putAndInsertString(DCM_CodingSchemeDesignator, "DCM"), "CodingSchemeDesignator");
    check(item->putAndInsertString(DCM_CodeMeaning, code.meaning), "CodeMeaning");
  }
  const char* dates = retained.dates == Dates::keep ? "UNMODIFIED" : retained.dates == Dates::shift ? "MODIFIED" : "REMOVED";
  check(data.putAndInsertString(DCM_LongitudinalTemporalInformationModified, dates), "LongitudinalTemporalInformationModified");
}

bool is_image(const std::string& sop_class) {
  return dcmIsImageStorageSOPClassUID(sop_class.c_str()) || sop_class == UID_SegmentationStorage || sop_class == UID_RTStructureSetStorage;
}

}  // namespace

std::string reason_to_leave_out(const DcmDataset& data, const DeidentifyOptions& options) {
  const std::string sop_class = dicom::text_of(data, DCM_SOPClassUID);
  if (!is_image(sop_class)) {
    const char* name = dcmFindNameOfUID(sop_class.c_str());
    return std::string(name ? name : "an object of unknown kind") + ": text in it cannot be cleaned by rule";
  }
  if (options.allow_burned_in) return "";
  const std::string burned_in = dicom::text_of(data, DCM_BurnedInAnnotation), modality = dicom::text_of(data, DCM_Modality);
  if (burned_in == "YES") return "its pixels show text (BurnedInAnnotation)";
  const char* name = dcmFindNameOfUID(sop_class.c_str());
  const bool doubtful = (name && std::string(name).find("SecondaryCapture") != std::string::npos) || modality == "US" || modality == "SC" ||
                        modality == "OT" || modality == "XC" || modality == "ES";
  if (doubtful && burned_in != "NO") return "its pixels may show names (" + modality + ")";
  return "";
}

void complete_identifiers(DcmFileFormat& file, const std::string& folder) {
  DcmDataset& data = *file.getDataset();
  const auto complete = [&](const DcmTagKey& tag, const std::string& with) {
    if (dicom::text_of(data, tag).empty() && !with.empty()) check(data.putAndInsertString(tag, with.c_str()), "UIDs");
  };
  complete(DCM_SOPClassUID, dicom::text_of(*file.getMetaInfo(), DCM_MediaStorageSOPClassUID));
  complete(DCM_SOPInstanceUID, dicom::text_of(*file.getMetaInfo(), DCM_MediaStorageSOPInstanceUID));
  complete(DCM_StudyInstanceUID, uid_of("study " + folder));
  complete(DCM_SeriesInstanceUID, uid_of("series " + dicom::text_of(data, DCM_Modality) + folder));
}

void Deidentifier::apply(DcmFileFormat& file) {
  DcmDataset& data = *file.getDataset();
  const std::string study = dicom::text_of(data, DCM_StudyInstanceUID);
  if (!is_uid(study)) throw Error(ErrorKind::format, "no study instance UID");
  if (!is_uid(dicom::text_of(data, DCM_SOPInstanceUID))) throw Error(ErrorKind::format, "no SOP instance UID");
  std::string patient_key = study;
  for (const DcmTagKey& tag : {DCM_PatientName, DCM_PatientID})
    if (const std::string text = dicom::text_of(data, tag); !text.empty()) patient_key = text;
  const Pseudonym& patient = pseudonyms_.of(patient_key, dicom::text_of(data, DCM_IssuerOfPatientID));
  const Identities identities(data);
  Cleaning(options_.retained, pseudonyms_, patient, identities, leaks_).clean(data);
  check(data.putAndInsertString(DCM_PatientName, patient.name.c_str()), "PatientName");
  check(data.putAndInsertString(DCM_PatientID, patient.name.c_str()), "PatientID");
  say_so(data, options_.retained);
  file.getMetaInfo()->clear();  // made anew when the file is written; who sent it stood there
}

}  // namespace vesal::dicom
