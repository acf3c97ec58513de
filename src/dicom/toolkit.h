// What every file here needs of DCMTK: its errors as ours, its log silent.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "image/dicom_uid.h"

class OFCondition;
class DcmItem;
class DcmTagKey;

namespace vesal::dicom {

/// Silences DCMTK's own log and loads its dictionary. Once per process, before anything else of DCMTK; any number of calls and threads. Throws
/// Error(unsupported) without a dictionary.
void start_toolkit();

/// Throws "what: DCMTK's words" if the condition is not good; `kind` is format unless more is known.
void check(const OFCondition& condition, std::string_view what, ErrorKind kind = ErrorKind::format);

using image::is_uid;
using image::new_uid;
using image::uid_of;

/// The first value of an element as text without padding; empty where it is not there.
std::string text_of(const DcmItem& item, const DcmTagKey& tag);

}  // namespace vesal::dicom
