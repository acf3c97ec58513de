// SOP classes of images and what they are called (PS3.6, A).
#include <algorithm>

#include "image/dicom_study.h"

namespace vesal::image {
namespace {

struct SopClass {
  std::string_view uid;  ///< behind 1.2.840.10008.5.1.4.1.1.
  const char* name;
  bool volumetric = false;
};

constexpr std::string_view kStorage = "1.2.840.10008.5.1.4.1.1.";

constexpr SopClass kClasses[] = {
    {"2", "CT image", true},
    {"2.1", "enhanced CT image", true},
    {"2.2", "legacy converted enhanced CT image", true},
    {"4", "MR image", true},
    {"4.1", "enhanced MR image", true},
    {"4.4", "legacy converted enhanced MR image", true},
    {"128", "PET image", true},
    {"128.1", "legacy converted enhanced PET image", true},
    {"130", "enhanced PET image", true},
    {"13.1.1", "3D X-ray angiography", true},
    {"4.2", "MR spectroscopy"},
    {"1", "radiograph"},
    {"1.1", "radiograph"},
    {"1.2", "mammogram"},
    {"3.1", "ultrasound"},
    {"6.1", "ultrasound"},
    {"12.1", "X-ray angiography"},
    {"12.2", "fluoroscopy"},
    {"20", "nuclear medicine image"},
    {"7", "secondary capture"},
    {"7.1", "secondary capture"},
    {"7.2", "secondary capture"},
    {"7.3", "secondary capture"},
    {"7.4", "secondary capture"},
    {"11.1", "presentation state"},
    {"66", "raw data"},
    {"66.1", "spatial registration"},
    {"66.4", "segmentation"},
    {"66.5", "surface segmentation"},
    {"88.11", "report"},
    {"88.22", "report"},
    {"88.33", "report"},
    {"88.59", "key object selection"},
    {"88.67", "radiation dose report"},
    {"104.1", "encapsulated PDF"},
    {"104.3", "encapsulated STL"},
    {"481.1", "radiotherapy image"},
    {"481.2", "radiotherapy dose"},
    {"481.3", "radiotherapy structure set"},
    {"481.5", "radiotherapy plan"},
};

const SopClass* find(const std::string& uid) {
  if (!uid.starts_with(kStorage)) return nullptr;
  const std::string_view tail = std::string_view(uid).substr(kStorage.size());
  const auto* it = std::find_if(std::begin(kClasses), std::end(kClasses), [&](const SopClass& c) { return c.uid == tail; });
  return it == std::end(kClasses) ? nullptr : it;
}

}  // namespace

std::string sop_class_name(const std::string& uid) {
  if (uid == "1.2.840.10008.1.3.10") return "DICOMDIR";
  const SopClass* c = find(uid);
  return c ? c->name : "object of class " + (uid.empty() ? "unknown" : uid.substr(0, 64));
}

bool is_volumetric(const std::string& sop_class) {
  const SopClass* c = find(sop_class);
  return c && c->volumetric;
}

}  // namespace vesal::image
