#include "server/dispatch.h"

#include "base/log.h"
#include "server/secrets.h"
#include "server/services.h"

namespace vesal::server {
namespace {

std::string cookie_of(const Request& request) {
  std::string_view rest;
  const std::string all = request.header("cookie");
  const std::string wanted = std::string(kSessionCookie) + "=";
  for (rest = all; !rest.empty();) {
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const auto end = rest.find(';');
    const std::string_view one = rest.substr(0, end);
    if (one.starts_with(wanted)) return std::string(one.substr(wanted.size()));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  return "";
}

Identity caller(const Request& request, Services& services) {
  constexpr std::string_view kBearer = "Bearer ";
  if (const std::string given = request.header("authorization"); given.starts_with(kBearer))
    return services.accounts.by_token(given.substr(kBearer.size()), request.peer);
  const std::string cookie = cookie_of(request);
  return cookie.empty() ? Identity{} : services.accounts.by_cookie(cookie, request.peer);
}

bool changes(const std::string& method) { return method != "GET" && method != "HEAD"; }

/// A page of another site may make the browser send a request, with the cookie if it is old enough; it can neither read the token nor set the header.
void check_origin(const Request& request) {
  const std::string origin = request.header("origin");
  if (origin.empty()) return;
  const auto host = origin.find("://");
  if (host == std::string::npos || origin.substr(host + 3) != request.header("host"))
    throw HttpError(403, "csrf", "the request comes from a page of another site");
}

void check_access(const Request& request, const Route& route) {
  if (changes(request.method)) check_origin(request);
  if (route.access == Access::open) return;
  const Identity& who = request.who;
  if (who.user == 0) throw HttpError(401, "unauthorized", "please log in");
  if (changes(request.method) && who.by_cookie && !same_secret(who.csrf, request.header("x-csrf-token")))
    throw HttpError(403, "csrf", "the header X-CSRF-Token is missing or wrong");
  const bool about_me = route.path == "/api/v1/me" || route.path == "/api/v1/me/password" || route.path == "/api/v1/logout";
  if (who.must_change && !about_me) throw HttpError(403, "password-change", "please change the one-time password first");
  if (who.role < route.access) throw HttpError(403, "forbidden", "this needs the role " + std::string(name_of(route.access)));
}

Response handled(Request& request, const Route& route, Services& services) {
  if (route.access != Access::open) request.who = caller(request, services);
  check_access(request, route);
  request.body_limit = route.body_limit;
  return route.handle(request, services);
}

/// Whatever is thrown, as a response.
template <class Work>
Response guarded(Work&& work) {
  try {
    return work();
  } catch (const Error& e) { return error_response(e); } catch (const std::bad_alloc&) {
    return error_response(Error(ErrorKind::memory, "out of memory"));
  } catch (const std::exception& e) { return error_response(Error(ErrorKind::internal, e.what())); }
}

std::string object_of(const Request& request) {
  std::string text;
  for (const auto& [name, value] : request.params) text += (text.empty() ? "" : " ") + name + "=" + value.substr(0, 80);
  return text;
}

/// Callers whom nobody knows cannot fill the disk with entries: of theirs only logins are put down, and those only until nobody listens any more.
bool put_down(const Request& request, const Route& route, const Response& response) {
  return route.audited && response.status != 429 && (request.who.user != 0 || route.access == Access::open);
}

}  // namespace

Response dispatch(Request& request, Services& services) {
  RouteMatch match = find_route(request.method, request.path);
  if (!match.route) {
    return guarded([&] {
      if (match.other_method) throw HttpError(405, "method", "this path does not take " + request.method);
      if (changes(request.method) || request.path.starts_with("/api/")) throw Error(ErrorKind::not_found, "there is no such path");
      return services.page.respond(request);
    });
  }
  request.params = std::move(match.params);
  const Route& route = *match.route;
  Response response = guarded([&] { return handled(request, route, services); });
  if (response.status >= 400) response.body = services.store.without_paths(std::move(response.body));
  if (put_down(request, route, response)) {
    // What cannot be put down is not shown.
    Response failed = guarded([&] {
      services.audit.add(
          {request.who.user ? request.who.name : "-", request.peer, request.method + " " + route.path, object_of(request), response.status});
      return Response{};
    });
    if (failed.status != 200) response = std::move(failed);
  }
  services.metrics.count(route, response.status);
  log::debug("{} {} {}", request.method, route.path, response.status);
  return response;
}

}  // namespace vesal::server
