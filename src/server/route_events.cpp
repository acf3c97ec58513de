// Server-sent events: what jobs do, as they do it.
#include <memory>

#include "base/json.h"
#include "server/services.h"

namespace vesal::server {
namespace {

constexpr Time kLongest = 10 * 60'000;  // then the caller connects again, and has to be known still
constexpr double kHeartbeat = 10;       // seconds; keeps proxies from closing, and finds out who has gone

/// Of one job ("": of all that the user may see).
Response watch(Services& s, std::int64_t user, const std::string& job) {
  if (!s.live.enter()) throw HttpError(503, "busy", "too many watch already; ask again later");
  // Given back when the response goes, however it ends.
  const std::shared_ptr<Live> place(&s.live, [](Live* live) { live->leave(); });
  Response response{.type = "text/event-stream"};
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = [&s, user, job, place, seen = s.live.newest(), started = false,
                     until = now() + kLongest](const std::function<bool(std::string_view)>& write) mutable {
    std::string text;
    bool more = true;
    const auto tell = [&](const std::string& id) {
      const Dict described = s.jobs.describe(user, id);
      text += "event: job\ndata: " + to_json(described, -1) + "\n\n";
      const std::string& state = described.at("state").as_string();
      if (!job.empty()) more = state == "queued" || state == "running";
    };
    if (!started) {
      started = true;
      text = "retry: 2000\n\n";
      if (!job.empty()) tell(job);
    } else {
      for (const auto& change : s.live.changes(seen, kHeartbeat))
        if ((job.empty() || change.first == job) && s.jobs.visible(user, change.first)) tell(change.first);
      if (text.empty()) text = ": alive\n\n";
    }
    return write(text) && more && now() < until && !s.live.stopped();
  };
  return response;
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/events",
                   .access = Access::viewer,
                   .summary = "Events of all jobs I may see, each with the job as it is now",
                   .openapi = R"({"responses": {"200": {"description": "event: job", "content": {"text/event-stream": {}}}}})",
                   .handle = [](const Request& request, Services& s) { return watch(s, request.who.user, ""); }}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/jobs/{id}/events",
                   .access = Access::viewer,
                   .summary = "Events of one job, from what it does now to its end",
                   .openapi = R"({"responses": {"200": {"description": "event: job", "content": {"text/event-stream": {}}}}})",
                   .handle =
                       [](const Request& request, Services& s) {
                         s.jobs.row(request.who.user, request.param("id"));
                         return watch(s, request.who.user, request.param("id"));
                       }}),
};

}  // namespace
}  // namespace vesal::server
