// What holds for all routes: the description, the audit log, bodies and paths that are not what they should be.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "server/audit.h"
#include "server/test_server.h"

namespace vesal::tests {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Sends bytes as they are and reads until the server closes, or for a second.
std::string raw(int port, const std::string& bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  const timeval second{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  std::string out;
  char buffer[4096];
  for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return out;
}

int answers(const std::string& text) {
  int count = 0;
  for (auto at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 1)) ++count;
  return count;
}

TEST(Api, IsDescribedWhole) {
  TestServer server;
  Caller nobody(server.port());
  const Dict document = json_of(nobody.get("/api/v1/openapi.json"));
  EXPECT_THAT(document.at("openapi").as_string(), StartsWith("3.1"));
  std::size_t described = 0;
  for (const auto& [path, operations] : document.at("paths").as_dict()) described += operations.as_dict().size();
  EXPECT_EQ(described, server::all_routes().size());
  EXPECT_GT(described, 25u);
  for (const server::Route* route : server::all_routes()) {
    const Dict& operation = document.at("paths").as_dict().at(route->path).as_dict().at(lower(route->method)).as_dict();
    EXPECT_FALSE(operation.at("summary").as_string().empty()) << route->path;
    EXPECT_EQ(operation.at("security").items().empty(), route->access == server::Access::open) << route->path;
  }
}

TEST(Api, AnswersWhatItDoesNotKnow) {
  TestServer server;
  Caller& admin = server.admin();
  EXPECT_EQ(admin.get("/api/v1/nothing")->status, 404);
  EXPECT_EQ(admin.post("/api/v1/models")->status, 405);
  EXPECT_EQ(admin.get("/api/v1/jobs/none")->status, 404);
  EXPECT_EQ(admin.put("/api/v1/nothing", "x")->status, 404);
  const auto page = admin.get("/anything");
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->get_header_value("Content-Security-Policy"), HasSubstr("default-src 'self'"));
  const httplib::Headers again{{"If-None-Match", page->get_header_value("ETag")}};
  EXPECT_EQ(httplib::Client("127.0.0.1", server.port()).Get("/anything", again)->status, 304);
  EXPECT_EQ(admin.get("/assets/missing.js")->status, 404);
}

TEST(Api, TellsHowItIs) {
  TestServer server;
  Caller nobody(server.port());
  EXPECT_EQ(nobody.get("/health/live")->status, 200);
  EXPECT_EQ(nobody.get("/health/ready")->status, 200);
  const std::string metrics = nobody.get("/metrics")->body;
  EXPECT_THAT(metrics, HasSubstr("vesal_jobs{state=\"queued\"} 0"));
  EXPECT_THAT(metrics, HasSubstr("vesal_requests_total{route=\"POST /api/v1/login\",status=\"200\"} 1"));
}

TEST(Api, ModelsSayWhatTheyAreFor) {
  TestServer server;
  const Value models = json_of(server.admin().get("/api/v1/models")).at("models");
  ASSERT_EQ(models.items().size(), 1u);
  const Dict& model = models.items()[0].as_dict();
  EXPECT_EQ(model.at("name").as_string(), "spleen_ct_phantom");
  EXPECT_TRUE(model.at("not_for_diagnosis").as_bool());
  EXPECT_THAT(model.at("license").as_string(), HasSubstr("Apache"));
  EXPECT_EQ(model.at("labels").as_dict().at("1").as_string(), "spleen");
  EXPECT_EQ(model.at("dice").as_float(), 0.854);
}

TEST(Api, BodiesAreBounded) {
  TestServer server;
  Caller nobody(server.port());
  EXPECT_EQ(nobody.post("/api/v1/login", Dict{{"user", std::string(100'000, 'a')}, {"password", "x"}})->status, 413);
  EXPECT_EQ(nobody.post("/api/v1/login", List{})->status, 400);
  httplib::Client client("127.0.0.1", server.port());
  EXPECT_EQ(client.Post("/api/v1/login", "{\"user\": ", "application/json")->status, 422);
  EXPECT_EQ(client.Post("/api/v1/login", "user=admin", "application/x-www-form-urlencoded")->status, 415);
  httplib::MultipartFormDataItems form{{"file", "x", "x.txt", "text/plain"}};
  EXPECT_EQ(client.Post("/api/v1/login", form)->status, 415);
  // A small body that inflates to a large one.
  client.set_compress(true);
  const auto bomb = client.Post("/api/v1/login", "{\"user\": \"" + std::string(5'000'000, 'a') + "\"}", "application/json");
  ASSERT_TRUE(bomb);
  EXPECT_EQ(bomb->status, 413);
  EXPECT_EQ(server.admin().get("/api/v1/me")->status, 200);
}

/// What is left of a refused body must not be taken for the next request.
TEST(Api, ARefusedBodyIsNoRequest) {
  TestServer server;
  const std::string hidden = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string body = hidden + std::string(100'000, ' ') + hidden;
  const std::string out = raw(server.port(), "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
                                                 std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(answers(out), 1) << out.substr(0, 500);
  EXPECT_THAT(out, StartsWith("HTTP/1.1 413"));
  const std::string both =
      raw(server.port(), "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden);
  EXPECT_EQ(answers(both), 1) << both;
  EXPECT_THAT(both, StartsWith("HTTP/1.1 400"));
  const std::string twice =
      raw(server.port(), "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nabcde" + hidden);
  EXPECT_EQ(answers(twice), 1) << twice;
  const std::string get =
      raw(server.port(), "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" + hidden);
  EXPECT_EQ(answers(get), 1) << get;
  EXPECT_THAT(get, StartsWith("HTTP/1.1 400"));
}

TEST(Api, OddPathsAreRefused) {
  TestServer server;
  const auto status = [&](const std::string& line) { return raw(server.port(), line + "\r\nHost: x\r\nContent-Length: 0\r\n\r\n").substr(9, 3); };
  EXPECT_EQ(status("GET /a%0Ab HTTP/1.1"), "400");
  EXPECT_EQ(status("POST /a%0Ab HTTP/1.1"), "400");
  EXPECT_EQ(status("GET /a%00b HTTP/1.1"), "400");
  EXPECT_EQ(status("GET /" + std::string(5000, 'a') + " HTTP/1.1"), "400");
  EXPECT_EQ(status("GET /../../etc/passwd.txt HTTP/1.1"), "404");
  EXPECT_EQ(status("OPTIONS /api/v1/me HTTP/1.1"), "405");
  const std::string ranges = raw(server.port(), "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=99999-,0-1,0-1\r\n\r\n");
  EXPECT_THAT(ranges, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ranges, HasSubstr("{\"live\""));
}

TEST(Api, AFolderOfThePageIsNotLeft) {
  const TempDir folder;
  std::filesystem::create_directories(folder / "web");
  write_file(folder / "web/index.html", "<p>page</p>");
  write_file(folder / "secret.txt", "classified");
  std::filesystem::create_directories(folder / "data");
  server::Server server({.data = folder / "data", .page = folder / "web"}, {.port = 0});
  const auto get = [&](const std::string& path) { return raw(server.port(), "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); };
  EXPECT_THAT(get("/"), HasSubstr("<p>page</p>"));
  for (const char* path : {"/../secret.txt", "/%2e%2e/secret.txt", "//../secret.txt", "/..%2fsecret.txt", "/x/../../secret.txt"})
    EXPECT_THAT(get(path), Not(HasSubstr("classified"))) << path;
  EXPECT_THAT(get("/../secret.txt"), StartsWith("HTTP/1.1 40"));
}

TEST(Audit, SaysWhoDidWhatAndShowsWhatWasChanged) {
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  const std::string id = doctor.upload("Nguyen Van A.nii", "x");
  EXPECT_EQ(doctor.get("/api/v1/jobs/0123")->status, 404);
  const Value log = json_of(server.admin().get("/api/v1/audit")).at("entries");
  const std::string text = to_json(log);
  EXPECT_THAT(text, HasSubstr("\"POST /api/v1/uploads/{id}/complete\""));
  EXPECT_THAT(text, HasSubstr("id=" + id));
  EXPECT_THAT(text, Not(HasSubstr("Nguyen")));
  EXPECT_EQ(log.items()[0].as_dict().at("user").as_string(), "doctor");
  EXPECT_EQ(log.items()[0].as_dict().at("outcome").as_int(), 404) << "who looks for what he may not see is put down, too";
  const server::AuditState state = server::verify_audit(server.folder());
  EXPECT_EQ(state.entries, static_cast<std::int64_t>(log.items().size()));
  EXPECT_EQ(state.last, log.items()[0].as_dict().at("hash").as_string());

  const auto tampered = [&](const std::string& statement) {
    const TempDir copy;
    std::filesystem::create_directories(copy / "data");
    for (const char* name : {"server.sqlite", "server.sqlite-wal"})
      if (std::filesystem::exists(server.folder() / name)) std::filesystem::copy_file(server.folder() / name, copy / "data" / name);
    server::Database(server::database_file(copy / "data")).execute(statement);
    try {
      server::verify_audit(copy / "data");
    } catch (const Error& e) { return std::string(e.what()); }
    return std::string();
  };
  EXPECT_EQ(tampered("SELECT 1"), "");
  EXPECT_THAT(tampered("UPDATE audit SET user = 'nobody' WHERE id = 3"), HasSubstr("entry 3 was changed"));
  EXPECT_THAT(tampered("DELETE FROM audit WHERE id = 2"), HasSubstr("entry 2 is missing"));
  EXPECT_THAT(tampered("UPDATE audit SET hash = 'x' WHERE id = 4"), HasSubstr("entry 4 was changed"));
}

}  // namespace
}  // namespace vesal::tests
