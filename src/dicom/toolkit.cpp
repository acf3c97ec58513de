#include "dicom/toolkit.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>

namespace vesal::dicom {
void start_toolkit() {
  static const bool started = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    return dcmDataDict.isDictionaryLoaded() == OFTrue;
  }();
  if (!started) throw Error(ErrorKind::unsupported, "DCMTK finds no data dictionary; set DCMDICTPATH to its dicom.dic (Debian: package libdcmtk17)");
}

void check(const OFCondition& condition, std::string_view what, ErrorKind kind) {
  if (condition.bad()) throw Error(kind, std::string(what) + ": " + condition.text());
}

std::string text_of(const DcmItem& item, const DcmTagKey& tag) {
  OFString value;
  const_cast<DcmItem&>(item).findAndGetOFString(tag, value);  // reading loads the value late and is not const
  std::string text(value.c_str(), value.size());
  const std::size_t end = text.find_last_not_of(std::string_view(" \0", 2));
  text.erase(end == std::string::npos ? 0 : end + 1);
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin);
}

}  // namespace vesal::dicom
