// Attributes by keyword, as people and programs write them, and DCMTK's data sets.
#pragma once
#include <string>
#include <vector>

#include "dicom/scu.h"

class DcmDataset;

namespace vesal::dicom {

/// Throws Error(usage) for a keyword that the dictionary does not know, or a value its type does not allow. "StudyDate", or a tag "0008,0020".
DcmDataset dataset_of(const Attributes& attributes);
/// Those of the top level that are text or a number and have a keyword, in UTF-8; several values are joined by '\'.
Attributes attributes_of(DcmDataset& dataset);
/// The 8 hexadecimal digits of a keyword's tag, as DICOMweb wants them; and the keyword of such digits, "" if there is none.
std::string tag_digits(const std::string& keyword);
std::string keyword_of(const std::string& digits);
/// The value of a keyword; "" if it is not there.
std::string value_of(const Attributes& attributes, const std::string& keyword);

/// Transfer syntaxes that the reader can decode, the preferred ones first (association.h takes the same).
const std::vector<std::string>& storage_transfer_syntaxes();

}  // namespace vesal::dicom
