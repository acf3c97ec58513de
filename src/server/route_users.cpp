// Users and the audit log, for administrators.
#include <algorithm>

#include "server/services.h"

namespace vesal::server {
namespace {

Response list_users(const Request&, Services& s) {
  List list;
  for (Dict& user : s.accounts.users()) list.items.emplace_back(std::move(user));
  return json_response(Dict{{"users", list}});
}

Response add_user(const Request& request, Services& s) {
  const Dict body = request.json();
  return json_response(s.accounts.add_user(text_of(body, "name"), role_of(text_of(body, "role"))), 201);
}

std::optional<bool> flag(const Dict& body, const std::string& name) {
  const Value* value = body.find(name);
  if (!value) return std::nullopt;
  if (!value->is_bool()) throw Error(ErrorKind::usage, "'" + name + "' has to be true or false");
  return value->as_bool();
}

Response change_user(const Request& request, Services& s) {
  const Dict body = request.json();
  std::optional<Access> role;
  if (body.contains("role")) role = role_of(text_of(body, "role"));
  return json_response(s.accounts.change_user(request.number_param("id"), role, flag(body, "disabled"), flag(body, "new_password").value_or(false)));
}

Response audit(const Request& request, Services& s) {
  List list;
  for (Dict& entry : s.audit.entries(request.number_query("before", 0), std::min<std::int64_t>(request.number_query("limit", 200), 1000)))
    list.items.emplace_back(std::move(entry));
  return json_response(Dict{{"entries", list}});
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "GET", .path = "/api/v1/users", .access = Access::administrator, .summary = "All users", .handle = list_users}),
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/users",
                   .access = Access::administrator,
                   .summary = "Make a user; the answer has a one-time password",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "required": ["name", "role"], "properties": {"name": {"type": "string"},
      "role": {"enum": ["viewer", "doctor", "engineer", "administrator"]}}}}}}})",
                   .handle = add_user,
                   .audited = true}),
    RegisterRoute({.method = "PATCH",
                   .path = "/api/v1/users/{id}",
                   .access = Access::administrator,
                   .summary = "Change a user's role, disable him, give a new one-time password",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "properties":
      {"role": {"enum": ["viewer", "doctor", "engineer", "administrator"]}, "disabled": {"type": "boolean"}, "new_password": {"type": "boolean"}}}}}}})",
                   .handle = change_user,
                   .audited = true}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/audit",
                   .access = Access::administrator,
                   .summary = "The audit log, the newest entry first",
                   .openapi = R"({"parameters": [{"name": "before", "in": "query", "schema": {"type": "integer"}},
      {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 1000}}]})",
                   .handle = audit}),
};

}  // namespace
}  // namespace vesal::server
