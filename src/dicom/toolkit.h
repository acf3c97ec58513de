// What every file here needs of DCMTK: its errors as ours, its log silent, numbers for new objects.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

class OFCondition;
class DcmItem;
class DcmTagKey;

namespace vesal::dicom {

/// Silences DCMTK's own log and loads its dictionary. Once per process, before anything else of DCMTK; any number of calls and threads. Throws
/// Error(unsupported) without a dictionary.
void start_toolkit();

/// Throws "what: DCMTK's words" if the condition is not good; `kind` is format unless more is known.
void check(const OFCondition& condition, std::string_view what, ErrorKind kind = ErrorKind::format);

/// A new unique identifier, 2.25. and a random number of 128 bits (PS3.5 B.2).
std::string new_uid();
/// The same identifier for the same text, 2.25. and 122 bits of its SHA-256 (PS3.5 B.2, a name-based UUID): an object that is made twice has one
/// name.
std::string uid_of(std::string_view text);
/// Whether it is a UID: 1 to 64 characters, numbers without leading zeros between points.
bool is_uid(std::string_view text);

/// The first value of an element as text without padding; empty where it is not there.
std::string text_of(const DcmItem& item, const DcmTagKey& tag);

}  // namespace vesal::dicom
