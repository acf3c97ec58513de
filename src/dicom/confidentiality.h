// The basic application level confidentiality profile of DICOM PS3.15, annex E, and those of its options that need no human eye.
#pragma once
#include <cstdint>

namespace vesal::dicom {

/// What becomes of an attribute.
enum class Action {
  keep,
  remove,
  empty,  ///< stays, without a value
  dummy,  ///< gets a value that says nothing
  uid,    ///< each identifier in it gets another, the same one wherever it stands
  shift   ///< dates move by the patient's number of days
};

enum class Dates { remove, shift, keep };

/// Options of the profile: what research may need of a person, kept by a decision of the user's.
struct Retained {
  Dates dates = Dates::remove;
  bool uids = false, device = false, institution = false, characteristics = false;  ///< characteristics: sex, age, size, weight, ...
};

/// Of a standard attribute (group << 16 | element) at any depth; private ones, curves and overlays are removed.
Action action_of(std::uint32_t tag, const Retained& retained);

}  // namespace vesal::dicom
