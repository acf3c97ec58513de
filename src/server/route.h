// What the server answers: routes that register themselves, each with who may call it and how it is described.
//
// A handler sees no HTTP library: it gets a Request and gives a Response, or throws. Error becomes the status of its kind (base/error.h),
// HttpError its own; either way the body is {"error", "kind", "detail"}.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "server/identity.h"

namespace vesal::server {

struct Services;

/// A refusal with a status that no kind of error has: 401, 403, 409, 413, 415, 429.
class HttpError : public Error {
 public:
  HttpError(int status, std::string name, std::string message, Value detail = {})
      : Error(ErrorKind::refused, std::move(message)), status(status), name(std::move(name)), detail(std::move(detail)) {}
  int status;
  std::string name;
  Value detail;
};

struct Request {
  std::string method, path;                   ///< path: decoded, without the query
  std::string peer;                           ///< address of the caller
  std::map<std::string, std::string> params;  ///< what stands for {name} in the route's path
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::uint64_t length = 0;                    ///< bytes of the body as declared; 0: none, or not declared
  bool secure = false;                         ///< came over TLS
  Identity who;                                ///< nobody on open routes
  /// Hands the body on piece by piece until `take` says no; false if it did not come whole.
  std::function<bool(const std::function<bool(std::string_view)>& take)> read_body;
  std::uint64_t body_limit = 0;  ///< of the route

  const std::string& param(const std::string& name) const { return params.at(name); }
  /// A whole number >= 0 of the path or the query. Throws Error(usage).
  std::int64_t number_param(const std::string& name) const;
  std::int64_t number_query(const std::string& name, std::int64_t otherwise) const;
  std::string header(const std::string& name) const;
  /// The whole body. Throws HttpError(413) beyond the route's limit.
  std::string body() const;
  /// The body as a JSON object. Throws HttpError(415) for other types, Error(format) for damage, Error(usage) for other values.
  Dict json() const;
};

/// A text of a JSON object with at most `most` bytes; throws Error(usage) naming it if it is missing (and `needed`), longer or something else.
std::string text_of(const Dict& object, const std::string& name, std::size_t most = 200, bool needed = true);

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  std::filesystem::path file = {};  ///< sent instead of the body
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Sent piece by piece instead of the body: writes what there is and says whether there may be more. `write` is false when the caller has gone.
  std::function<bool(const std::function<bool(std::string_view)>& write)> stream = {};
};
Response json_response(const Value& value, int status = 200);
/// What an error looks like to the caller. The words of internal errors stay in the log.
Response error_response(const Error& error);

struct Route {
  std::string method;
  std::string path;  ///< "/api/v1/jobs/{id}"
  Access access;
  std::string summary;
  /// Members of the OpenAPI operation beside summary and security, as JSON: "parameters", "requestBody", "responses".
  std::string openapi = "{}";
  Response (*handle)(const Request&, Services&);
  bool audited = false;              ///< whether each call goes into the audit log: changes, and looks at patients' data
  std::uint64_t body_limit = 65536;  ///< bytes; of streamed bodies the handler's own business
};
struct RegisterRoute {
  explicit RegisterRoute(Route route);
};
/// Sorted by path and method.
std::vector<const Route*> all_routes();

struct RouteMatch {
  const Route* route = nullptr;
  std::map<std::string, std::string> params;
  bool other_method = false;  ///< the path is known, with another method
};
/// A {name} stands for one part of a path without slashes.
RouteMatch find_route(std::string_view method, std::string_view path);

}  // namespace vesal::server
