#include "server/test_server.h"

namespace vesal::tests {

httplib::Headers Caller::headers() const {
  httplib::Headers out;
  if (!cookie.empty()) out.emplace("Cookie", cookie);
  if (!csrf.empty()) out.emplace("X-CSRF-Token", csrf);
  if (!token.empty()) out.emplace("Authorization", "Bearer " + token);
  return out;
}

int Caller::login(const std::string& user, const std::string& password) {
  const auto result = post("/api/v1/login", Dict{{"user", user}, {"password", password}});
  if (!result) return -1;
  if (result->status == 200) {
    const std::string set = result->get_header_value("Set-Cookie");
    cookie = set.substr(0, set.find(';'));
    csrf = json_of(result).at("csrf").as_string();
  }
  return result->status;
}

std::string Caller::upload(const std::string& name, const std::string& bytes) {
  const Dict file{{"path", name}, {"size", static_cast<std::int64_t>(bytes.size())}};
  const std::string id = json_of(post("/api/v1/uploads", Dict{{"name", name}, {"files", List{{file}}}})).at("id").as_string();
  EXPECT_EQ(put("/api/v1/uploads/" + id + "/files/0?offset=0", bytes)->status, 200);
  EXPECT_EQ(post("/api/v1/uploads/" + id + "/complete")->status, 200);
  return id;
}

Dict json_of(const httplib::Result& result) {
  if (!result) throw std::runtime_error("no answer: " + httplib::to_string(result.error()));
  return parse_json(result->body).as_dict();
}

TestServer::TestServer(std::function<void(server::Settings&)> change) {
  server::Settings settings{.data = folder_.path()};
  settings.models = {source_dir() / "bundles"};
  if (change) change(settings);
  server_ = std::make_unique<server::Server>(settings, server::Listening{.port = 0});
  admin_ = std::make_unique<Caller>(port());
  EXPECT_EQ(admin_->login("admin", first_password()), 200);
  EXPECT_EQ(admin_->post("/api/v1/me/password", Dict{{"old", first_password()}, {"new", kPassword}})->status, 200);
}

Caller TestServer::user(const std::string& name, const std::string& role) {
  const auto made = json_of(admin().post("/api/v1/users", Dict{{"name", name}, {"role", role}}));
  const std::string once = made.at("one_time_password").as_string();
  Caller caller(port());
  EXPECT_EQ(caller.login(name, once), 200);
  EXPECT_EQ(caller.post("/api/v1/me/password", Dict{{"old", once}, {"new", kPassword}})->status, 200);
  return caller;
}

}  // namespace vesal::tests
