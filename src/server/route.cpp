#include "server/route.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/log.h"

namespace vesal::server {
namespace {

std::vector<Route>& table() {
  static std::vector<Route> routes;
  return routes;
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto slash = path.find('/', 1);
    parts.push_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? "" : path.substr(slash);
  }
  return parts;
}

bool is_parameter(std::string_view part) { return part.size() > 3 && part.starts_with("/{") && part.ends_with('}'); }

bool matches(const Route& route, const std::vector<std::string_view>& path, std::map<std::string, std::string>& params) {
  const auto pattern = parts_of(route.path);
  if (pattern.size() != path.size()) return false;
  params.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!is_parameter(pattern[i])) {
      if (pattern[i] != path[i]) return false;
    } else if (path[i].size() < 2) {
      return false;
    } else {
      params[std::string(pattern[i].substr(2, pattern[i].size() - 3))] = path[i].substr(1);
    }
  }
  return true;
}

std::int64_t number(const std::string& name, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || value < 0) throw Error(ErrorKind::usage, name + " is no whole number from 0 on");
  return value;
}

}  // namespace

RegisterRoute::RegisterRoute(Route route) { table().push_back(std::move(route)); }

std::vector<const Route*> all_routes() {
  std::vector<const Route*> out;
  for (const Route& route : table()) out.push_back(&route);
  std::sort(out.begin(), out.end(), [](const Route* a, const Route* b) { return std::tie(a->path, a->method) < std::tie(b->path, b->method); });
  return out;
}

RouteMatch find_route(std::string_view method, std::string_view path) {
  RouteMatch best;
  std::size_t fewest = 0;  // parameters: a path that is written out goes before one with a {name} in that place
  const auto parts = parts_of(path);
  std::map<std::string, std::string> params;
  for (const Route& route : table()) {
    if (!matches(route, parts, params)) continue;
    if (route.method != method && !(method == "HEAD" && route.method == "GET")) {
      best.other_method = true;
    } else if (!best.route || params.size() < fewest) {
      best.route = &route;
      fewest = params.size();
      best.params = params;
    }
  }
  return best;
}

std::int64_t Request::number_param(const std::string& name) const { return number(name, param(name)); }

std::int64_t Request::number_query(const std::string& name, std::int64_t otherwise) const {
  const auto found = query.find(name);
  return found == query.end() ? otherwise : number(name, found->second);
}

std::string Request::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string Request::body() const {
  std::string text;
  bool fits = length <= body_limit;
  const bool whole = fits && read_body([&](std::string_view piece) {
                       fits = piece.size() <= body_limit - text.size();
                       if (fits) text += piece;
                       return fits;
                     });
  if (!fits) throw HttpError(413, "too-large", "the body is larger than the " + std::to_string(body_limit) + " bytes that are taken here");
  if (!whole) throw Error(ErrorKind::format, "the body ended before its time");
  return text;
}

Dict Request::json() const {
  if (!header("content-type").starts_with("application/json")) throw HttpError(415, "media-type", "the body has to be application/json");
  const Value value = parse_json(body());
  if (!value.is_dict()) throw Error(ErrorKind::usage, "the body has to be a JSON object");
  return value.as_dict();
}

std::string text_of(const Dict& object, const std::string& name, std::size_t most, bool needed) {
  const Value* value = object.find(name);
  if (!value || value->is_none()) {
    if (needed) throw Error(ErrorKind::usage, "'" + name + "' is missing");
    return "";
  }
  if (!value->is_string()) throw Error(ErrorKind::usage, "'" + name + "' has to be a text");
  if (value->as_string().size() > most) throw Error(ErrorKind::usage, "'" + name + "' has more than " + std::to_string(most) + " bytes");
  return value->as_string();
}

Response json_response(const Value& value, int status) {
  Response response{.status = status};
  response.body = to_json(value, -1);
  return response;
}

Response error_response(const Error& error) {
  if (const auto* http = dynamic_cast<const HttpError*>(&error)) {
    Response response = json_response(Dict{{"error", http->what()}, {"kind", http->name}, {"detail", http->detail}}, http->status);
    if (http->status == 429) response.headers.emplace_back("Retry-After", "60");
    return response;
  }
  const ErrorCodes& codes = error_codes(error.kind());
  const bool hidden = codes.http_status == 500;
  if (hidden) log::error("{}", error.what());
  return json_response(Dict{{"error", hidden ? "something went wrong inside the server; its log has the words" : error.what()},
                            {"kind", codes.name},
                            {"detail", Value()}},
                       codes.http_status);
}

}  // namespace vesal::server
