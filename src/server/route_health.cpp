// Whether the server lives, whether it can work, and numbers about it.
#include <fmt/format.h>

#include "base/memory.h"
#include "server/services.h"

namespace vesal::server {
namespace {

Response ready(const Request&, Services& s) {
  s.jobs.counts();  // throws where the database does not answer
  if (s.store.free_bytes() == 0) throw HttpError(503, "disk-full", "the disk is full");
  return json_response(Dict{{"ready", true}});
}

Response metrics(const Request&, Services& s) {
  std::string text = "# HELP vesal_requests_total Requests by route and status.\n# TYPE vesal_requests_total counter\n";
  for (const auto& [key, count] : s.metrics.requests())
    text += fmt::format("vesal_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, count);
  text += "# HELP vesal_jobs Jobs by state.\n# TYPE vesal_jobs gauge\n";
  for (const auto& [state, count] : s.jobs.counts()) text += fmt::format("vesal_jobs{{state=\"{}\"}} {}\n", state, count);
  text += fmt::format("# TYPE vesal_memory_bytes gauge\nvesal_memory_bytes {}\n# TYPE vesal_disk_free_bytes gauge\nvesal_disk_free_bytes {}\n",
                      resident_memory(), s.store.free_bytes());
  return {.type = "text/plain; version=0.0.4", .body = text};
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "GET",
                   .path = "/health/live",
                   .access = Access::open,
                   .summary = "The process answers",
                   .handle =
                       [](const Request&, Services&) {
                         return json_response(Dict{{"live", true}});
                       }}),
    RegisterRoute({.method = "GET", .path = "/health/ready", .access = Access::open, .summary = "Database and disk are there", .handle = ready}),
    RegisterRoute({.method = "GET",
                   .path = "/metrics",
                   .access = Access::open,
                   .summary = "Numbers for Prometheus; nothing about users or patients",
                   .openapi = R"({"responses": {"200": {"description": "text", "content": {"text/plain": {}}}}})",
                   .handle = metrics}),
};

}  // namespace
}  // namespace vesal::server
