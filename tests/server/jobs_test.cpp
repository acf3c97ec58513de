// Scans through the built-in bundle, and who may see what came of them.
#include <gmock/gmock.h>

#include <thread>

#include "base/file.h"
#include "base/registry.h"
#include "image/formats.h"
#include "infer/segmenter.h"
#include "server/test_server.h"

namespace vesal::tests {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string start(Caller& doctor, const std::string& upload) {
  return json_of(doctor.post("/api/v1/jobs", Dict{{"upload", upload}, {"model", "spleen_ct_phantom"}})).at("id").as_string();
}

/// Its state once it has ended.
std::string ended(Caller& caller, const std::string& job) {
  for (int i = 0; i < 1200; ++i) {
    const std::string state = json_of(caller.get("/api/v1/jobs/" + job)).at("state").as_string();
    if (state != "queued" && state != "running") return state;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return "never";
}

std::string sent(const image::Image& mask) {
  const TempDir folder;
  image::write_image(folder / "mask.nii.gz", mask);
  return read_text(folder / "mask.nii.gz");
}

/// Builds without libtorch serve everything but results.
#define SKIP_WITHOUT_NETWORKS() \
  if (!components::find("UNet")) GTEST_SKIP() << "this build has no networks"

TEST(Jobs, EndWithTheMaskOfTheCommandLine) {
  SKIP_WITHOUT_NETWORKS();
  SKIP_WITHOUT_SHARED("ct_3mm/ct.nii.gz");
  TestServer server;
  Caller doctor = server.user("doctor", "doctor"), viewer = server.user("viewer", "viewer");
  const std::string scan = read_text(shared("ct_3mm/ct.nii.gz"), 1ull << 30);
  const std::string upload = doctor.upload("ct.nii.gz", scan), job = start(doctor, upload), path = "/api/v1/jobs/" + job;
  EXPECT_EQ(doctor.get(path + "/mask.nii.gz")->status, 409) << "not yet";
  std::string events;
  httplib::Client watching("127.0.0.1", server.port());
  watching.set_read_timeout(120);
  const auto stream = watching.Get(path + "/events", doctor.headers(), [&](const char* data, std::size_t size) {
    events.append(data, size);
    return true;
  });
  ASSERT_TRUE(stream) << "ends by itself with the job";
  EXPECT_THAT(events, HasSubstr("\"state\":\"done\""));
  EXPECT_THAT(events, HasSubstr("\"seconds_left\""));
  ASSERT_EQ(ended(doctor, job), "done");

  const TempDir folder;
  infer::Segmenter::Options options;
  options.bundle = source_dir() / "bundles/spleen_ct_phantom";
  const infer::Segmenter segmenter(options);
  const infer::Segmentation made = segmenter.segment(shared("ct_3mm/ct.nii.gz"));
  image::write_image(folder / "mask.nii.gz", made.mask);
  EXPECT_EQ(doctor.get(path + "/mask.nii.gz")->body, read_text(folder / "mask.nii.gz"));
  EXPECT_EQ(doctor.get(path + "/scan.nii.gz")->body, scan);
  EXPECT_THAT(doctor.get(path + "/preview.png")->body, testing::StartsWith("\x89PNG"));
  EXPECT_THAT(doctor.get(path + "/results/glb")->body, testing::StartsWith("glTF"));
  EXPECT_EQ(doctor.get(path + "/results/seg")->status, 501) << "the scan is no DICOM";
  EXPECT_EQ(doctor.get(path + "/results/nothing")->status, 400);
  const Dict report = json_of(doctor.get(path)).at("report").as_dict();
  EXPECT_GT(report.at("labels").items()[0].as_dict().at("ml").as_float(), 0);
  EXPECT_EQ(doctor.remove("/api/v1/uploads/" + upload)->status, 409) << "the job uses it";

  // A correction: the same grid, whole numbers.
  image::Image mask = image::read_image(folder / "mask.nii.gz");
  EXPECT_EQ(doctor.get(path + "/correction")->status, 404);
  EXPECT_EQ(doctor.put(path + "/correction", "no image")->status, 422);
  EXPECT_EQ(doctor.put(path + "/correction", sent(mask.with(mask.array().slice(0, 1, mask.shape()[0]))))->status, 422);
  image::Image moved = mask;
  moved.affine(0, 3) += 5;
  EXPECT_EQ(doctor.put(path + "/correction", sent(moved))->status, 422);
  Array half = mask.array().to(DType::f32).contiguous();
  half = half.clone();
  half.data<float>()[0] = 0.5f;
  EXPECT_EQ(doctor.put(path + "/correction", sent(mask.with(half)))->status, 422);
  EXPECT_EQ(doctor.get(path + "/correction")->status, 404);
  Array better = mask.array().contiguous().clone();
  better.data<std::uint8_t>()[0] = 1;
  EXPECT_FALSE(json_of(doctor.get(path)).at("corrected").as_bool());
  EXPECT_EQ(doctor.put(path + "/correction", sent(mask.with(better)))->status, 200);
  EXPECT_TRUE(json_of(doctor.get(path)).at("corrected").as_bool());
  write_file(folder / "back.nii.gz", doctor.get(path + "/correction")->body);
  EXPECT_EQ(image::read_image(folder / "back.nii.gz").array().contiguous().data<std::uint8_t>()[0], 1);
  EXPECT_EQ(doctor.get(path + "/mask.nii.gz")->body, read_text(folder / "mask.nii.gz")) << "the model's mask stays";

  // Others.
  for (Caller* other : {&viewer, &server.admin()}) {
    for (const char* what : {"", "/mask.nii.gz", "/scan.nii.gz", "/preview.png", "/results/glb", "/correction", "/events"})
      EXPECT_EQ(other->get(path + what)->status, 404) << what;
    EXPECT_THAT(json_of(other->get("/api/v1/jobs")).at("jobs").items(), SizeIs(0));
  }
  EXPECT_EQ(server.admin().remove(path)->status, 404);
  EXPECT_EQ(server.admin().put(path + "/correction", sent(mask))->status, 404);
  EXPECT_EQ(doctor.patch(path, Dict{{"shared", true}})->status, 200);
  EXPECT_EQ(viewer.get(path + "/mask.nii.gz")->status, 200);
  EXPECT_EQ(server.admin().remove(path)->status, 404) << "shared is for looking";
  EXPECT_EQ(doctor.remove(path)->status, 200);
  EXPECT_EQ(doctor.get(path)->status, 404);
  EXPECT_EQ(doctor.remove("/api/v1/uploads/" + upload)->status, 200);
  EXPECT_TRUE(std::filesystem::is_empty(server.folder() / "jobs"));
  EXPECT_TRUE(std::filesystem::is_empty(server.folder() / "uploads"));
}

/// A DICOM folder, sent file by file.
TEST(Jobs, MakeDicomObjectsOfDicomScans) {
  SKIP_WITHOUT_NETWORKS();
  SKIP_WITHOUT_SHARED("ct_dicom/series");
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  List files;
  std::vector<std::string> contents;
  for (const auto& entry : std::filesystem::directory_iterator(shared("ct_dicom/series"))) {
    contents.push_back(read_text(entry.path()));
    files.items.push_back(Dict{{"path", "series/" + entry.path().filename().string()}, {"size", static_cast<std::int64_t>(contents.back().size())}});
  }
  const std::string upload = json_of(doctor.post("/api/v1/uploads", Dict{{"name", "series"}, {"files", files}})).at("id").as_string();
  const std::string path = "/api/v1/uploads/" + upload;
  for (std::size_t n = 0; n < contents.size(); ++n)
    ASSERT_EQ(doctor.put(path + "/files/" + std::to_string(n) + "?offset=0", contents[n])->status, 200);
  EXPECT_EQ(doctor.get(path + "/series")->status, 409);
  ASSERT_EQ(doctor.post(path + "/complete")->status, 200);
  const Value volumes = json_of(doctor.get(path + "/series")).at("series");
  ASSERT_THAT(volumes.items(), SizeIs(1));
  EXPECT_EQ(volumes.items()[0].as_dict().at("slices").as_int(), static_cast<std::int64_t>(contents.size()));
  const std::string uid = volumes.items()[0].as_dict().at("series").as_string();
  const auto start_series = [&](const std::string& series) {
    return json_of(doctor.post("/api/v1/jobs", Dict{{"upload", upload}, {"model", "spleen_ct_phantom"}, {"series", series}})).at("id").as_string();
  };
  const std::string other = start_series("1.2.3"), job = start_series(uid);
  EXPECT_EQ(ended(doctor, other), "failed") << "there is no such series";
  ASSERT_EQ(ended(doctor, job), "done");
  const auto seg = doctor.get("/api/v1/jobs/" + job + "/results/seg");
  ASSERT_EQ(seg->status, 200);
  EXPECT_EQ(seg->body.substr(128, 4), "DICM");
  EXPECT_EQ(doctor.get("/api/v1/jobs/" + job + "/results/seg")->body, seg->body) << "made once";
  const TempDir folder;
  write_file(folder / "scan.nii.gz", doctor.get("/api/v1/jobs/" + job + "/scan.nii.gz")->body);
  write_file(folder / "mask.nii.gz", doctor.get("/api/v1/jobs/" + job + "/mask.nii.gz")->body);
  const image::Image scan = image::read_image(folder / "scan.nii.gz"), mask = image::read_image(folder / "mask.nii.gz");
  EXPECT_EQ(scan.shape(), mask.shape());
  EXPECT_LT(image::max_difference(scan.affine, mask.affine), 1e-4);
}

TEST(Jobs, FailWithWordsAndCanBeTriedAgain) {
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  const std::string job = start(doctor, doctor.upload("scan.nii.gz", "this is no scan"));
  EXPECT_EQ(ended(doctor, job), "failed");
  const Dict facts = json_of(doctor.get("/api/v1/jobs/" + job));
  EXPECT_EQ(facts.at("error_kind").as_string(), "format");
  EXPECT_EQ(facts.at("error").as_string().find(server.folder().string()), std::string::npos) << "folders of the server are nobody's business";
  EXPECT_EQ(doctor.get("/api/v1/jobs/" + job + "/mask.nii.gz")->status, 409);
  EXPECT_EQ(doctor.post("/api/v1/jobs/" + job + "/cancel")->status, 409);
  EXPECT_EQ(doctor.post("/api/v1/jobs/" + job + "/retry")->status, 200);
  EXPECT_EQ(ended(doctor, job), "failed");
}

TEST(Jobs, AreRefusedWhereTheyMakeNoSense) {
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  const std::string upload = doctor.upload("scan.nii.gz", "x");
  const auto status = [&](const Dict& body) { return doctor.post("/api/v1/jobs", body)->status; };
  EXPECT_EQ(status({{"upload", upload}, {"model", "nothing"}}), 404);
  EXPECT_EQ(status({{"upload", upload}, {"model", (source_dir() / "bundles/spleen_ct_phantom").string()}}), 404) << "no paths";
  EXPECT_EQ(status({{"upload", "x"}, {"model", "spleen_ct_phantom"}}), 404);
  EXPECT_EQ(status({{"upload", upload}}), 400);
  EXPECT_EQ(status({{"upload", upload}, {"model", "spleen_ct_phantom"}, {"series", "description~(a+)+$"}}), 400);
}

TEST(Jobs, AreCancelledWhileTheyRunAndTheNextOneIsDone) {
  SKIP_WITHOUT_NETWORKS();
  SKIP_WITHOUT_SHARED("ct_dicom/ct.nii.gz");
  TestServer server;
  Caller doctor = server.user("doctor", "doctor");
  const std::string upload = doctor.upload("ct.nii.gz", read_text(shared("ct_dicom/ct.nii.gz"), 1ull << 30));
  const std::string first = start(doctor, upload), second = start(doctor, upload), third = start(doctor, upload);
  EXPECT_EQ(doctor.post("/api/v1/jobs/" + third + "/cancel")->status, 200);
  EXPECT_EQ(ended(doctor, third), "cancelled");
  // It has a network to load first: enough time.
  const auto at_work = [&] { return json_of(doctor.get("/api/v1/jobs/" + first)).at("state").as_string() == "running"; };
  for (int i = 0; i < 5000 && !at_work(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(doctor.remove("/api/v1/jobs/" + first)->status, 409) << "it is running";
  EXPECT_EQ(doctor.post("/api/v1/jobs/" + first + "/cancel")->status, 200);
  EXPECT_EQ(ended(doctor, first), "cancelled");
  EXPECT_EQ(ended(doctor, second), "done");
  EXPECT_EQ(doctor.post("/api/v1/jobs/" + first + "/retry")->status, 200);
  EXPECT_EQ(ended(doctor, first), "done");
  EXPECT_EQ(doctor.get("/api/v1/jobs/" + first + "/mask.nii.gz")->body, doctor.get("/api/v1/jobs/" + second + "/mask.nii.gz")->body);
}

}  // namespace
}  // namespace vesal::tests
