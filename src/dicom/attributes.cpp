#include "dicom/attributes.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <fmt/format.h>

#include "base/error.h"
#include "dicom/toolkit.h"
#include "image/dicom_study.h"

namespace vesal::dicom {
namespace {

DcmTag tag_of(const std::string& keyword) {
  start_toolkit();
  DcmTag tag;
  if (DcmTag::findTagFromName(keyword.c_str(), tag).bad())
    throw Error(ErrorKind::usage, "'" + keyword + "' is no keyword of the DICOM dictionary, such as AccessionNumber or StudyDate");
  return tag;
}

/// Values of character sets that a query's answer may have; split as image::to_utf8 wants it.
std::vector<std::string> sets_of(DcmDataset& dataset) {
  std::vector<std::string> out;
  OFString value;
  for (unsigned long i = 0; i < 8 && dataset.findAndGetOFString(DCM_SpecificCharacterSet, value, i).good(); ++i) out.emplace_back(value.c_str());
  return out;
}

}  // namespace

DcmDataset dataset_of(const Attributes& attributes) {
  DcmDataset out;
  bool wide = false;
  for (const auto& [keyword, value] : attributes) {
    check(out.putAndInsertString(tag_of(keyword), value.c_str()), keyword, ErrorKind::usage);
    for (const char c : value) wide = wide || static_cast<unsigned char>(c) > 127;
  }
  if (wide) out.putAndInsertString(DCM_SpecificCharacterSet, "ISO_IR 192");
  return out;
}

Attributes attributes_of(DcmDataset& dataset) {
  const std::vector<std::string> sets = sets_of(dataset);
  Attributes out;
  for (unsigned long i = 0; i < dataset.card() && i < 1000; ++i) {
    DcmElement* element = dataset.getElement(i);
    OFString value;
    if (!element->isLeaf() || element->getLength() > 65536 || element->getOFStringArray(value).bad()) continue;
    const std::string keyword = DcmTag(element->getTag()).getTagName();
    if (keyword == DcmTag_ERROR_TagName || keyword == "SpecificCharacterSet") continue;
    std::string text = image::to_utf8(std::string(value.c_str(), value.size()), sets);
    text.erase(text.find_last_not_of(std::string_view(" \0", 2)) + 1);
    out.emplace_back(keyword, text);
  }
  return out;
}

std::string tag_digits(const std::string& keyword) {
  const DcmTag tag = tag_of(keyword);
  return fmt::format("{:04X}{:04X}", tag.getGroup(), tag.getElement());
}

std::string keyword_of(const std::string& digits) {
  if (digits.size() != 8 || digits.find_first_not_of("0123456789ABCDEFabcdef") != std::string::npos) return "";
  start_toolkit();
  const unsigned long number = std::stoul(digits, nullptr, 16);
  const std::string name = DcmTag(static_cast<Uint16>(number >> 16), static_cast<Uint16>(number & 0xffff)).getTagName();
  return name == DcmTag_ERROR_TagName ? "" : name;
}

std::string value_of(const Attributes& attributes, const std::string& keyword) {
  for (const auto& [key, value] : attributes)
    if (key == keyword) return value;
  return "";
}

const std::vector<std::string>& storage_transfer_syntaxes() {
  // Uncompressed, deflated, RLE, JPEG, JPEG-LS, JPEG 2000: those that image/dicom_pixels decodes.
  static const std::vector<std::string> list{"1.2.840.10008.1.2.1",    "1.2.840.10008.1.2",      "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
                                             "1.2.840.10008.1.2.5",    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57",
                                             "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90",
                                             "1.2.840.10008.1.2.4.91"};
  return list;
}

}  // namespace vesal::dicom
