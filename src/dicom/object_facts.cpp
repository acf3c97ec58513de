#include "dicom/object_sink.h"
#include "dicom/toolkit.h"
#include "image/dicom_files.h"

namespace vesal::dicom {

ObjectFacts read_object_facts(const std::filesystem::path& file) {
  const image::DicomObject object{image::DicomFile(file)};  // measures before it allocates; DCMTK's parser trusts lengths and nesting
  const auto uid = [&](image::DicomTag tag, const char* name) {
    const std::string value = object.data().text(tag);
    if (!is_uid(value)) throw Error(ErrorKind::format, std::string("an object without a valid ") + name);
    return value;
  };
  return {uid(0x0020000d, "StudyInstanceUID"), uid(0x0020000e, "SeriesInstanceUID"), uid(0x00080018, "SOPInstanceUID"),
          uid(0x00080016, "SOPClassUID")};
}

}  // namespace vesal::dicom
