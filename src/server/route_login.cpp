// Logging in and out, one's own account, API tokens.
#include "server/dispatch.h"
#include "server/services.h"

namespace vesal::server {
namespace {

Dict me(const Identity& who) {
  Dict out{{"id", who.user}, {"name", who.name}, {"role", std::string(name_of(who.role))}, {"must_change", who.must_change}};
  if (who.by_cookie) out["csrf"] = who.csrf;
  return out;
}

/// Scripts cannot read it, other sites' pages do not send it.
std::string cookie(const std::string& value, bool secure, bool ends) {
  return std::string(kSessionCookie) + "=" + value + "; Path=/; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "") + (ends ? "; Max-Age=0" : "");
}

Response login(const Request& request, Services& s) {
  const Dict body = request.json();
  const Session session = s.accounts.login(text_of(body, "user"), text_of(body, "password"), request.peer);
  Response response = json_response(me(session.who));
  response.headers.emplace_back("Set-Cookie", cookie(session.cookie, request.secure, false));
  return response;
}

Response logout(const Request& request, Services& s) {
  s.accounts.logout(request.who);
  Response response = json_response(Dict{});
  response.headers.emplace_back("Set-Cookie", cookie("", request.secure, true));
  return response;
}

Response change_password(const Request& request, Services& s) {
  const Dict body = request.json();
  s.accounts.change_password(request.who, text_of(body, "old"), text_of(body, "new"));
  return json_response(Dict{});
}

Response add_token(const Request& request, Services& s) {
  return json_response(s.accounts.add_token(request.who, text_of(request.json(), "name", 80)), 201);
}

Response list_tokens(const Request& request, Services& s) {
  List list;
  for (Dict& token : s.accounts.tokens(request.who)) list.items.emplace_back(std::move(token));
  return json_response(Dict{{"tokens", list}});
}

Response remove_token(const Request& request, Services& s) {
  s.accounts.remove_token(request.who, request.number_param("id"));
  return json_response(Dict{});
}

const RegisterRoute routes[] = {
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/login",
                   .access = Access::open,
                   .summary = "Begin a session: a cookie, and in the body the token that changes need as X-CSRF-Token",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "required": ["user", "password"], "properties": {"user": {"type": "string"}, "password": {"type": "string"}}}}}},
      "responses": {"200": {"description": "id, name, role, must_change, csrf"}, "401": {"description": "wrong"},
      "429": {"description": "too many failures"}}})",
                   .handle = login,
                   .audited = true}),
    RegisterRoute(
        {.method = "POST", .path = "/api/v1/logout", .access = Access::viewer, .summary = "End the session", .handle = logout, .audited = true}),
    RegisterRoute({.method = "GET",
                   .path = "/api/v1/me",
                   .access = Access::viewer,
                   .summary = "Who I am; with a cookie also the CSRF token",
                   .handle = [](const Request& request, Services&) { return json_response(me(request.who)); }}),
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/me/password",
                   .access = Access::viewer,
                   .summary = "Change my password; my other sessions end",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "required": ["old", "new"], "properties": {"old": {"type": "string"}, "new": {"type": "string", "minLength": 10}}}}}}})",
                   .handle = change_password,
                   .audited = true}),
    RegisterRoute({.method = "GET", .path = "/api/v1/tokens", .access = Access::viewer, .summary = "My API tokens", .handle = list_tokens}),
    RegisterRoute({.method = "POST",
                   .path = "/api/v1/tokens",
                   .access = Access::viewer,
                   .summary = "Make an API token, for Authorization: Bearer; it is shown this once",
                   .openapi = R"({"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "required": ["name"], "properties": {"name": {"type": "string"}}}}}}})",
                   .handle = add_token,
                   .audited = true}),
    RegisterRoute({.method = "DELETE",
                   .path = "/api/v1/tokens/{id}",
                   .access = Access::viewer,
                   .summary = "Take an API token back",
                   .handle = remove_token,
                   .audited = true}),
};

}  // namespace
}  // namespace vesal::server
