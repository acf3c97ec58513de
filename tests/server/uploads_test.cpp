// Scans that come in pieces, and those who send what they should not.
#include <gmock/gmock.h>

#include "base/file.h"
#include "server/test_server.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::SizeIs;

Dict upload_of(const std::string& path, std::int64_t size) { return {{"name", "scan"}, {"files", List{{Dict{{"path", path}, {"size", size}}}}}}; }

TEST(Uploads, GoOnWhereTheyBrokeOff) {
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  const std::string bytes = "0123456789";
  const std::string id = json_of(doctor.post("/api/v1/uploads", upload_of("a/scan.nii.gz", 10))).at("id").as_string();
  const std::string file = "/api/v1/uploads/" + id + "/files/0?offset=";
  EXPECT_EQ(json_of(doctor.put(file + "0", bytes.substr(0, 4))).at("there").as_int(), 4);
  const auto wrong = doctor.put(file + "6", bytes.substr(6));
  EXPECT_EQ(wrong->status, 409);
  EXPECT_EQ(json_of(wrong).at("detail").as_dict().at("there").as_int(), 4);
  EXPECT_EQ(doctor.post("/api/v1/uploads/" + id + "/complete")->status, 409);
  EXPECT_EQ(doctor.put(file + "4", bytes.substr(4) + "x")->status, 413);
  EXPECT_EQ(json_of(doctor.put(file + "4", bytes.substr(4))).at("there").as_int(), 10);
  const Dict whole = json_of(doctor.post("/api/v1/uploads/" + id + "/complete"));
  EXPECT_EQ(whole.at("files").items()[0].as_dict().at("there").as_int(), 10);
  EXPECT_EQ(read_text((*server).services().uploads.scan_of(id)), bytes);
  EXPECT_EQ(doctor.put(file + "10", "x")->status, 409) << "complete";
}

/// A caller without a declared length is stopped where the file ends.
TEST(Uploads, AStreamThatDoesNotEndIsCutOff) {
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  const std::string id = json_of(doctor.post("/api/v1/uploads", upload_of("scan.nii", 100'000))).at("id").as_string();
  httplib::Client client("127.0.0.1", server.port());
  const std::string piece(50'000, 'x');
  const auto result = client.Put(
      "/api/v1/uploads/" + id + "/files/0?offset=0", doctor.headers(),
      [&](std::size_t offset, httplib::DataSink& sink) {
        if (offset > 400'000) sink.done();
        else sink.write(piece.data(), piece.size());
        return true;
      },
      "application/octet-stream");
  if (result) { EXPECT_EQ(result->status, 413); }
  EXPECT_LE(fs::file_size((*server).services().uploads.scan_of(id)), 100'000u);
}

TEST(Uploads, NamesThatClimbAreRefusedAndNamesAreNoPaths) {
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  for (const char* path : {"../x", "a/../../x", "/etc/passwd", "a\\..\\x", "", "a//b", "a\nb", ".."})
    EXPECT_EQ(doctor.post("/api/v1/uploads", upload_of(path, 1))->status, 400) << path;
  const std::string id = doctor.upload("Nguyen Van A/scan.nii", "x");
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(server.folder() / "uploads")) names.push_back(entry.path().filename().string());
  EXPECT_THAT(names, testing::UnorderedElementsAre(id, "0.nii"));
  for (const char* id : {"..", "%2e%2e", "..%2f..%2fserver.sqlite", "%2e%2e%2fjobs"})
    EXPECT_EQ(doctor.get("/api/v1/uploads/" + std::string(id))->status, 404) << id;
}

TEST(Uploads, SizesAndQuotasAreLookedAtFirst) {
  TestServer server([](server::Settings& s) { s.most_file = 1000, s.quota = 1500; });
  Caller doctor = server.user("doctor", "doctor");
  EXPECT_EQ(doctor.post("/api/v1/uploads", upload_of("a.nii", 1001))->status, 413);
  EXPECT_EQ(doctor.post("/api/v1/uploads", upload_of("a.nii", 0))->status, 400);
  EXPECT_EQ(doctor.post("/api/v1/uploads", upload_of("a.nii", -5))->status, 400);
  const auto first = doctor.post("/api/v1/uploads", upload_of("a.nii", 1000));
  EXPECT_EQ(first->status, 201);
  const auto over = doctor.post("/api/v1/uploads", upload_of("a.nii", 600));
  EXPECT_EQ(over->status, 413);
  EXPECT_EQ(json_of(over).at("kind").as_string(), "quota");
  EXPECT_EQ(doctor.remove("/api/v1/uploads/" + json_of(first).at("id").as_string())->status, 200);
  EXPECT_EQ(doctor.post("/api/v1/uploads", upload_of("a.nii", 600))->status, 201);
}

TEST(Uploads, MoreThanTheDiskHoldsIsRefused) {
  TestServer server([](server::Settings& s) { s.most_file = s.quota = 1ull << 62; });
  Caller doctor = server.user("doctor", "doctor");
  EXPECT_EQ(doctor.post("/api/v1/uploads", upload_of("a.nii", 1ll << 60))->status, 507);
}

TEST(Uploads, BelongToTheirOwner) {
  TestServer server;
  Caller one = server.user("one", "doctor"), other = server.user("other", "doctor");
  const std::string id = one.upload("scan.nii", "x"), path = "/api/v1/uploads/" + id;
  EXPECT_EQ(one.get(path)->status, 200);
  for (Caller* caller : {&other, &server.admin()}) {
    EXPECT_EQ(caller->get(path)->status, 404);
    EXPECT_EQ(caller->put(path + "/files/0?offset=1", "y")->status, 404);
    EXPECT_EQ(caller->post(path + "/complete")->status, 404);
    EXPECT_EQ(caller->remove(path)->status, 404);
    EXPECT_EQ(caller->post("/api/v1/jobs", Dict{{"upload", id}, {"model", "spleen_ct_phantom"}})->status, 404);
    EXPECT_THAT(json_of(caller->get("/api/v1/uploads")).at("uploads").items(), SizeIs(0));
  }
}

}  // namespace
}  // namespace vesal::tests
