// Sending scans in pieces.
#include "server/services.h"

namespace vesal::server {
namespace {

Response begin(const Request& request, Services& s) {
  const Dict body = request.json();
  const Value* files = body.find("files");
  if (!files || !files->is_list()) throw Error(ErrorKind::usage, "'files' has to be a list");
  return json_response(Dict{{"id", s.uploads.begin(request.who.user, text_of(body, "name"), files->items())}}, 201);
}

Response list(const Request& request, Services& s) {
  List out;
  for (Dict& upload : s.uploads.list(request.who.user)) out.items.emplace_back(std::move(upload));
  return json_response(Dict{{"uploads", out}});
}

Response describe(const Request& request, Services& s) { return json_response(s.uploads.describe(request.who.user, request.param("id"))); }

Response put(const Request& request, Services& s) {
  const auto there = s.uploads.put(request.who.user, request.param("id"), request.number_param("n"),
                                   static_cast<std::uint64_t>(request.number_query("offset", 0)), request);
  return json_response(Dict{{"there", static_cast<std::int64_t>(there)}});
}

Response complete(const Request& request, Services& s) {
  s.uploads.complete(request.who.user, request.param("id"));
  return describe(request, s);
}

Response remove(const Request& request, Services& s) {
  s.uploads.remove(request.who.user, request.param("id"));
  return json_response(Dict{});
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "GET", .path = "/api/v1/uploads", .access = Access::viewer, .summary = "My uploads", .handle = list}),
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/uploads",
                   .access = Access::doctor,
                   .summary = "Begin an upload: one file, or all files of a DICOM folder",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "required": ["name", "files"], "properties": {"name": {"type": "string"}, "files": {"type": "array", "maxItems": 20000, "items": {"type": "object",
      "required": ["path", "size"], "properties": {"path": {"type": "string"}, "size": {"type": "integer", "minimum": 1}}}}}}}}},
      "responses": {"201": {"description": "id"}, "413": {"description": "larger than allowed"}, "507": {"description": "the disk is full"}}})",
                   .handle = begin,
                   .audited = true,
                   .body_limit = 8 << 20}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/uploads/{id}",
                   .access = Access::viewer,
                   .summary = "An upload: what is there of each file",
                   .handle = describe}),
    RegisterRoute({.method = "PUT",
                   .path = "/api/v1/uploads/{id}/files/{n}",
                   .access = Access::doctor,
                   .summary = "A piece of a file, which starts where the file ends so far",
                   .openapi = R"({"parameters": [{"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}}],
      "requestBody": {"required": true, "content": {"application/octet-stream": {}}},
      "responses": {"200": {"description": "there: bytes of the file now"}, "409": {"description": "the file ends elsewhere: detail.there"},
      "413": {"description": "more than was said"}}})",
                   .handle = put}),
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/uploads/{id}/complete",
                   .access = Access::doctor,
                   .summary = "All is there",
                   .handle = complete,
                   .audited = true}),
    RegisterRoute({.method = "DELETE",
                   .path = "/api/v1/uploads/{id}",
                   .access = Access::doctor,
                   .summary = "Remove an upload that no job uses",
                   .handle = remove,
                   .audited = true}),
};

}  // namespace
}  // namespace vesal::server
