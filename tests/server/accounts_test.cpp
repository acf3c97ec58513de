// Logging in, sessions, roles, tokens.
#include <gmock/gmock.h>

#include "server/dispatch.h"
#include "server/test_server.h"

namespace vesal::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Accounts, TheFirstPasswordHasToBeChanged) {
  const TempDir folder;
  server::Server server({.data = folder.path()}, {.port = 0});
  ASSERT_TRUE(server.first_password());
  Caller admin(server.port());
  ASSERT_EQ(admin.login("admin", *server.first_password()), 200);
  const auto refused = admin.get("/api/v1/users");
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(json_of(refused).at("kind").as_string(), "password-change");
  EXPECT_EQ(admin.get("/api/v1/me")->status, 200);
  const auto change = [&](const std::string& old, const std::string& wanted) {
    return admin.post("/api/v1/me/password", Dict{{"old", old}, {"new", wanted}})->status;
  };
  EXPECT_EQ(change("wrong", kPassword), 403);
  EXPECT_EQ(change(*server.first_password(), "short"), 400);
  EXPECT_EQ(change(*server.first_password(), *server.first_password()), 400);
  EXPECT_EQ(change(*server.first_password(), kPassword), 200);
  EXPECT_EQ(admin.get("/api/v1/users")->status, 200);
}

TEST(Accounts, ACookieIsForThisSiteOnlyAndNoScript) {
  TestServer server;
  Caller caller(server.port());
  const auto result = caller.post("/api/v1/login", Dict{{"user", "admin"}, {"password", kPassword}});
  const std::string cookie = result->get_header_value("Set-Cookie");
  EXPECT_THAT(cookie, HasSubstr("HttpOnly"));
  EXPECT_THAT(cookie, HasSubstr("SameSite=Strict"));
  EXPECT_THAT(cookie, Not(HasSubstr("Secure"))) << "this is no TLS";
}

/// A session that was there before the login, or that somebody else has chosen, is worth nothing.
TEST(Accounts, ALoginMakesANewSession) {
  TestServer server;
  Caller caller(server.port());
  caller.cookie = std::string(server::kSessionCookie) + "=" + std::string(64, 'a');
  ASSERT_EQ(caller.login("admin", kPassword), 200);
  EXPECT_THAT(caller.cookie, Not(HasSubstr("aaaaaaaaaaaa")));
  const std::string first = caller.cookie;
  ASSERT_EQ(caller.login("admin", kPassword), 200);
  EXPECT_NE(caller.cookie, first);
  EXPECT_EQ(caller.post("/api/v1/logout")->status, 200);
  EXPECT_EQ(caller.get("/api/v1/me")->status, 401);
}

TEST(Accounts, ChangesWithACookieNeedTheToken) {
  TestServer server;
  Caller& admin = server.admin();
  const std::string csrf = admin.csrf;
  const Dict user{{"name", "someone"}, {"role", "doctor"}};
  for (const std::string& wrong : {std::string(), std::string(64, '0'), csrf.substr(1)}) {
    admin.csrf = wrong;
    const auto refused = admin.post("/api/v1/users", user);
    EXPECT_EQ(refused->status, 403);
    EXPECT_EQ(json_of(refused).at("kind").as_string(), "csrf");
  }
  admin.csrf = csrf;
  httplib::Client other("127.0.0.1", server.port());
  httplib::Headers headers = admin.headers();
  headers.emplace("Origin", "https://evil.example");
  EXPECT_EQ(other.Post("/api/v1/users", headers, to_json(user, -1), "application/json")->status, 403);
  EXPECT_EQ(admin.post("/api/v1/users", user)->status, 201);
}

TEST(Accounts, RolesMayWhatTheyMay) {
  TestServer server;
  Caller viewer = server.user("viewer", "viewer"), doctor = server.user("doctor", "doctor"), engineer = server.user("engineer", "engineer");
  const Dict upload{{"name", "a"}, {"files", List{{Dict{{"path", "a.nii"}, {"size", 1}}}}}};
  EXPECT_EQ(viewer.post("/api/v1/uploads", upload)->status, 403);
  EXPECT_EQ(doctor.post("/api/v1/uploads", upload)->status, 201);
  for (Caller* caller : {&viewer, &doctor, &engineer}) {
    EXPECT_EQ(caller->get("/api/v1/models")->status, 200);
    EXPECT_EQ(caller->get("/api/v1/users")->status, 403);
    EXPECT_EQ(caller->get("/api/v1/audit")->status, 403);
    EXPECT_EQ(caller->post("/api/v1/users", Dict{{"name", "x"}, {"role", "administrator"}})->status, 403);
  }
  Caller nobody(server.port());
  for (const server::Route* route : server::all_routes()) {
    if (route->access == server::Access::open || route->method != "GET") continue;
    EXPECT_EQ(nobody.get(route->path)->status, 401) << route->path;
  }
}

TEST(Accounts, AnAdministratorChangesUsersButStaysOne) {
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  const auto id = [&](const std::string& name) {
    const Dict users = json_of(server.admin().get("/api/v1/users"));
    for (const Value& user : users.at("users").items())
      if (user.as_dict().at("name").as_string() == name) return std::to_string(user.as_dict().at("id").as_int());
    return std::string();
  };
  EXPECT_EQ(server.admin().patch("/api/v1/users/" + id("admin"), Dict{{"role", "viewer"}})->status, 409);
  EXPECT_EQ(server.admin().patch("/api/v1/users/" + id("admin"), Dict{{"disabled", true}})->status, 409);
  EXPECT_EQ(server.admin().get("/api/v1/users")->status, 200) << "nothing has changed";
  EXPECT_EQ(server.admin().patch("/api/v1/users/" + id("doctor"), Dict{{"disabled", true}})->status, 200);
  EXPECT_EQ(doctor.get("/api/v1/me")->status, 401);
  EXPECT_EQ(doctor.login("doctor", kPassword), 401);
  EXPECT_EQ(server.admin().patch("/api/v1/users/999", Dict{{"disabled", true}})->status, 404);
  EXPECT_EQ(server.admin().post("/api/v1/users", Dict{{"name", "doctor"}, {"role", "doctor"}})->status, 409);
  EXPECT_EQ(server.admin().post("/api/v1/users", Dict{{"name", "../x"}, {"role", "doctor"}})->status, 400);
  EXPECT_EQ(server.admin().post("/api/v1/users", Dict{{"name", "x"}, {"role", "open"}})->status, 400);
}

TEST(Accounts, GuessingPasswordsEndsSoon) {
  TestServer server;
  Caller guesser(server.port());
  int heard = 0;
  while (heard < 40 && guesser.login("admin", "guess " + std::to_string(heard)) == 401) ++heard;
  EXPECT_EQ(heard, 10);
  EXPECT_EQ(guesser.login("admin", kPassword), 429) << "nor is the right one heard now";
  EXPECT_EQ(server.admin().get("/api/v1/me")->status, 200) << "who is logged in stays so";
}

TEST(Accounts, GuessingTokensEndsSoon) {
  TestServer server;
  const Dict made = json_of(server.admin().post("/api/v1/tokens", Dict{{"name", "script"}}));
  Caller guesser(server.port()), script(server.port());
  script.token = made.at("token").as_string();
  EXPECT_EQ(script.get("/api/v1/users")->status, 200);
  EXPECT_EQ(script.post("/api/v1/users", Dict{{"name", "x"}, {"role", "viewer"}})->status, 201) << "no CSRF where there is no cookie";
  int heard = 0;
  for (; heard < 60; ++heard) {
    guesser.token = "vesal_" + std::string(63, '0') + std::to_string(heard % 10);
    if (guesser.get("/api/v1/me")->status != 401) break;
  }
  EXPECT_EQ(heard, 30);
  EXPECT_EQ(guesser.get("/api/v1/me")->status, 429);
  EXPECT_EQ(script.get("/api/v1/users")->status, 200);
  EXPECT_EQ(script.remove("/api/v1/tokens/" + std::to_string(made.at("id").as_int()))->status, 200);
  EXPECT_EQ(script.get("/api/v1/users")->status, 429);
}

}  // namespace
}  // namespace vesal::tests
