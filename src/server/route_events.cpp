// Server-sent events: what jobs do, as they do it.
#include <memory>

#include "base/json.h"
#include "server/services.h"

namespace vesal::server {
namespace {

constexpr double kHeartbeat = 10;  // seconds; keeps proxies from closing, and finds out who has gone

/// Of one job ("": of all that the user may see).
Response watch(Services& s, std::int64_t user, const std::string& job) {
  if (!s.live.enter()) throw HttpError(503, "busy", "too many watch already; ask again later");
  // Given back when the response goes, however it ends.
  const std::shared_ptr<Live> place(&s.live, [](Live* live) { live->leave(); });
  Response response{.type = "text/event-stream"};
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = [&s, user, job, place, seen = s.live.newest(), started = false](const std::function<bool(std::string_view)>& write) mutable {
    std::string text;
    bool more = true;
    const auto tell = [&](const std::string& id, const JobState& state) { text += "event: job\ndata: " + to_json(to_dict(id, state), -1) + "\n\n"; };
    if (!started) {
      started = true;
      text = "retry: 2000\n\n";
      if (!job.empty()) {
        const Dict now = s.jobs.describe(user, job);
        text += "event: job\ndata: " +
                to_json(Dict{{"id", job},
                             {"state", now.at("state")},
                             {"stage", now.at("stage")},
                             {"progress", now.at("progress")},
                             {"seconds_left", now.at("seconds_left")}},
                        -1) +
                "\n\n";
        const std::string& state = now.at("state").as_string();
        more = state == "queued" || state == "running";
      }
    } else {
      for (const auto& [id, state] : s.live.changes(seen, kHeartbeat)) {
        if ((!job.empty() && id != job) || !s.jobs.visible(user, id)) continue;
        tell(id, state);
        if (!job.empty()) more = state.state == "queued" || state.state == "running";
      }
      if (text.empty()) text = ": alive\n\n";
    }
    return write(text) && more && !s.live.stopped();
  };
  return response;
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/events",
                   .access = Access::viewer,
                   .summary = "Events of all jobs I may see: id, state, stage, progress from 0 to 1, seconds left",
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
