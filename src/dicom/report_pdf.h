// A page or two for people: patient, study, volumes, pictures, what made it. English and Vietnamese.
#pragma once
#include <string>

#include "results/result.h"

namespace vesal::dicom {

/// The bytes of a PDF (A4). Patient and study are those of a DICOM source; without one the scan's file name stands there. Needs the font DejaVu
/// Sans (Debian: fonts-dejavu-core) or a TrueType font named by $VESAL_FONT; throws Error(unsupported) without.
std::string report_pdf(const results::Result& result);

}  // namespace vesal::dicom
