#include "server/openapi.h"

#include "base/json.h"
#include "base/text.h"
#include "server/services.h"

namespace vesal::server {
namespace {

Dict operation(const Route& route) {
  const Value own = parse_json(route.openapi);
  Dict out{{"summary", route.summary}};
  List parameters;
  for (std::size_t at = 0; (at = route.path.find('{', at)) != std::string::npos; ++at) {
    const std::string name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    parameters.items.push_back(Dict{{"name", name}, {"in", "path"}, {"required", true}, {"schema", Dict{{"type", "string"}}}});
  }
  if (const Value* more = own.as_dict().find("parameters"))
    for (const Value& parameter : more->items()) parameters.items.push_back(parameter);
  if (!parameters.items.empty()) out["parameters"] = parameters;
  if (const Value* body = own.as_dict().find("requestBody")) out["requestBody"] = *body;
  Dict responses;
  if (const Value* said = own.as_dict().find("responses")) responses = said->as_dict();
  if (responses.empty()) responses["200"] = Dict{{"description", "done"}};
  responses["default"] = Dict{{"$ref", "#/components/responses/Error"}};
  out["responses"] = responses;
  if (route.access == Access::open) {
    out["security"] = List{};
  } else {
    out["x-role"] = std::string(name_of(route.access));
    out["security"] = List{{Dict{{"cookie", List{}}}, Dict{{"token", List{}}}}};
  }
  return out;
}

Response document(const Request&, Services& s) { return json_response(openapi_document(s.settings.software)); }

const RegisterRoute route(
    {.method = "GET", .path = "/api/v1/openapi.json", .access = Access::open, .summary = "This description", .handle = document});

}  // namespace

Dict openapi_document(const std::string& version) {
  Dict paths;
  for (const Route* r : all_routes()) {
    if (!paths.contains(r->path)) paths[r->path] = Dict{};
    paths[r->path].mutable_dict()[lower(r->method)] = operation(*r);
  }
  const Value error = parse_json(R"({"description": "what went wrong", "content": {"application/json": {"schema": {"type": "object",
    "required": ["error", "kind", "detail"], "properties": {"error": {"type": "string"}, "kind": {"type": "string"}, "detail": {}}}}}})");
  const Value schemes =
      parse_json(R"({"cookie": {"type": "apiKey", "in": "cookie", "name": "vesal_session"}, "token": {"type": "http", "scheme": "bearer"}})");
  return {{"openapi", "3.1.0"},
          {"info", Dict{{"title", "vesal"}, {"version", version}}},
          {"paths", paths},
          {"components", Dict{{"securitySchemes", schemes}, {"responses", Dict{{"Error", error}}}}}};
}

}  // namespace vesal::server
