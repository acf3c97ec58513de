// Which volumes a DICOM upload holds, so that somebody can say which one is meant.
#include "image/dicom_files.h"
#include "image/dicom_volume.h"
#include "server/services.h"

namespace vesal::server {
namespace {

Response series(const Request& request, Services& s) {
  const std::string& id = request.param("id");
  if (!s.uploads.describe(request.who.user, id).at("complete").as_bool()) throw HttpError(409, "conflict", "the upload is not complete");
  const auto scan = s.uploads.scan_of(id);
  List out;
  if (image::holds_dicom(scan))
    for (const image::DicomSeries& one : image::read_dicom_study(scan).series)
      for (const image::DicomVolume& volume : image::volumes_of(one))
        out.items.push_back(Dict{{"series", one.series_uid},
                                 {"modality", one.modality},
                                 {"description", one.description},
                                 {"slices", static_cast<std::int64_t>(volume.slices.size())},
                                 {"plane", volume.plane()},
                                 {"refusal", volume.refusal.empty() ? Value() : Value(volume.refusal)}});
  return json_response(Dict{{"series", out}});
}

const RegisterRoute route({.method = "GET",
                           .path = "/api/v1/uploads/{id}/series",
                           .access = Access::viewer,
                           .summary = "The volumes of a DICOM upload; a job may name one by its series",
                           .handle = series,
                           .audited = true});

}  // namespace
}  // namespace vesal::server
