// The files of a job.
#include <fstream>

#include "base/file.h"
#include "results/result.h"
#include "server/job_files.h"

namespace vesal::server {
namespace {

constexpr std::uint64_t kMostMask = 256ull << 20;  // bytes of a correction, compressed

Response file(const std::filesystem::path& path, const std::string& type, const std::string& name) {
  Response response{.type = type};
  response.file = path;
  response.headers = {{"Content-Disposition", "attachment; filename=\"" + name + "\""}};
  return response;
}

JobFiles files(const Request& request, Services& s) { return {s, request.who.user, request.param("id")}; }

Response result(const Request& request, Services& s) {
  const std::filesystem::path path = files(request, s).result(request.param("kind"));
  const std::string name = path.filename().string();
  const std::string ending = path.extension().string();
  return file(path,
              ending == ".pdf"   ? "application/pdf"
              : ending == ".dcm" ? "application/dicom"
              : ending == ".glb" ? "model/gltf-binary"
                                 : "application/octet-stream",
              name);
}

Response kinds(const Request&, Services&) {
  List out;
  for (const results::ResultKind* kind : results::result_kinds())
    if (!kind->per_class)
      out.items.push_back(Dict{{"kind", kind->name}, {"ending", kind->endings.front()}, {"summary", kind->summary}, {"needs_dicom", kind->dicom}});
  return json_response(Dict{{"results", out}});
}

Response correct(const Request& request, Services& s) {
  JobFiles job(s, request.who.user, request.param("id"), true);
  if (request.length > kMostMask) throw HttpError(413, "too-large", "a mask may have 256 MiB at most");
  AtomicFile sent(job.correction().parent_path() / "sent.nii.gz");  // never committed: it goes in the end
  std::uint64_t size = 0;
  std::exception_ptr failed;
  const bool whole = request.read_body([&](std::string_view piece) {
    try {
      size += piece.size();
      if (size > kMostMask) throw HttpError(413, "too-large", "a mask may have 256 MiB at most");
      sent.write(piece);
      return true;
    } catch (...) {
      failed = std::current_exception();
      return false;
    }
  });
  if (failed) std::rethrow_exception(failed);
  if (!whole || size == 0) throw Error(ErrorKind::format, "the mask did not come whole");
  job.correct(sent.temporary());
  return json_response(Dict{});
}

Response correction(const Request& request, Services& s) {
  const std::filesystem::path path = files(request, s).correction();
  if (!std::filesystem::exists(path)) throw Error(ErrorKind::not_found, "nobody has corrected this mask");
  return file(path, "application/gzip", "correction.nii.gz");
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "GET", .path = "/api/v1/results", .access = Access::viewer, .summary = "Kinds of results", .handle = kinds}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/jobs/{id}/mask.nii.gz",
                   .access = Access::viewer,
                   .summary = "The mask, on the scan's own grid",
                   .openapi = R"({"responses": {"200": {"description": "NIfTI", "content": {"application/gzip": {}}}}})",
                   .handle = [](const Request& r, Services& s) { return file(files(r, s).mask(), "application/gzip", "mask.nii.gz"); },
                   .audited = true}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/jobs/{id}/scan.nii.gz",
                   .access = Access::viewer,
                   .summary = "The scan as NIfTI",
                   .openapi = R"({"responses": {"200": {"description": "NIfTI", "content": {"application/gzip": {}}}}})",
                   .handle = [](const Request& r, Services& s) { return file(files(r, s).scan(), "application/gzip", "scan.nii.gz"); },
                   .audited = true}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/jobs/{id}/preview.png",
                   .access = Access::viewer,
                   .summary = "Three planes of the scan with the mask over them",
                   .openapi = R"({"responses": {"200": {"description": "PNG", "content": {"image/png": {}}}}})",
                   .handle = [](const Request& r, Services& s) { return file(files(r, s).preview(), "image/png", "preview.png"); },
                   .audited = true}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/jobs/{id}/results/{kind}",
                   .access = Access::viewer,
                   .summary = "A result of a kind (GET /api/v1/results), made when it is asked for first",
                   .handle = result,
                   .audited = true}),
    RegisterRoute({.method = "PUT",
                   .path = "/api/v1/jobs/{id}/correction",
                   .access = Access::doctor,
                   .summary = "A corrected mask (NIfTI-1, the same grid), for later training",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/gzip": {}}}})",
                   .handle = correct,
                   .audited = true}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/jobs/{id}/correction",
                   .access = Access::viewer,
                   .summary = "The corrected mask",
                   .handle = correction,
                   .audited = true}),
};

}  // namespace
}  // namespace vesal::server
