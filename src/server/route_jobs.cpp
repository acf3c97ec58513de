// Jobs: a scan through a model.
#include <algorithm>

#include "server/services.h"

namespace vesal::server {
namespace {

/// A series is named by its UID alone: the rules that the command line takes hold regular expressions.
std::string series_uid(const Dict& body) {
  const std::string uid = text_of(body, "series", 64, false);
  if (!std::all_of(uid.begin(), uid.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; }))
    throw Error(ErrorKind::usage, "'series' has to be a SeriesInstanceUID");
  return uid;
}

Response add(const Request& request, Services& s) {
  const Dict body = request.json();
  const std::string model = text_of(body, "model");
  s.models.folder(model);
  const std::string id = s.jobs.add(request.who.user, text_of(body, "upload"), model, series_uid(body));
  return json_response(s.jobs.describe(request.who.user, id), 201);
}

Response list(const Request& request, Services& s) {
  List out;
  for (Dict& job : s.jobs.list(request.who.user)) out.items.emplace_back(std::move(job));
  return json_response(Dict{{"jobs", out}});
}

Response describe(const Request& request, Services& s) { return json_response(s.jobs.describe(request.who.user, request.param("id"))); }

Response change(const Request& request, Services& s) {
  const Dict body = request.json();
  const Value* shared = body.find("shared");
  if (!shared || !shared->is_bool()) throw Error(ErrorKind::usage, "'shared' has to be true or false");
  s.jobs.share(request.who.user, request.param("id"), shared->as_bool());
  return describe(request, s);
}

Response cancel(const Request& request, Services& s) {
  s.jobs.cancel(request.who.user, request.param("id"));
  return describe(request, s);
}

Response retry(const Request& request, Services& s) {
  s.jobs.retry(request.who.user, request.param("id"));
  return describe(request, s);
}

Response remove(const Request& request, Services& s) {
  s.jobs.remove(request.who.user, request.param("id"));
  return json_response(Dict{});
}

Response models(const Request&, Services& s) {
  List out;
  for (Dict& model : s.models.describe()) out.items.emplace_back(std::move(model));
  return json_response(Dict{{"models", out}});
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/models",
                   .access = Access::viewer,
                   .summary = "The models, with licence, intended use and what their authors say of their Dice",
                   .handle = models}),
    RegisterRoute(
        {.method = "GET", .path = "/api/v1/jobs", .access = Access::viewer, .summary = "My jobs and those shared, the newest first", .handle = list}),
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/jobs",
                   .access = Access::doctor,
                   .summary = "Segment an upload",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "required": ["upload", "model"], "properties": {"upload": {"type": "string"}, "model": {"type": "string"},
      "series": {"type": "string", "description": "SeriesInstanceUID; else the series most likely meant"}}}}}}})",
                   .handle = add,
                   .audited = true}),
    RegisterRoute({.method = "GET", .path = "/api/v1/jobs/{id}", .access = Access::viewer, .summary = "A job", .handle = describe, .audited = true}),
    RegisterRoute({.method = "PATCH",
                   .path = "/api/v1/jobs/{id}",
                   .access = Access::doctor,
                   .summary = "Share a job with all users, or no longer",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "required": ["shared"], "properties": {"shared": {"type": "boolean"}}}}}}})",
                   .handle = change,
                   .audited = true}),
    RegisterRoute({.method = "DELETE",
                   .path = "/api/v1/jobs/{id}",
                   .access = Access::doctor,
                   .summary = "Remove a job and what was made",
                   .handle = remove,
                   .audited = true}),
    RegisterRoute(
        {.method = "POST", .path = "/api/v1/jobs/{id}/cancel", .access = Access::doctor, .summary = "Stop a job", .handle = cancel, .audited = true}),
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/jobs/{id}/retry",
                   .access = Access::doctor,
                   .summary = "Try a job again that failed or was cancelled",
                   .handle = retry,
                   .audited = true}),
};

}  // namespace
}  // namespace vesal::server
