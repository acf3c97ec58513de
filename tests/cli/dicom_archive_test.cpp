// vesal dicom echo, find, send, fetch against Orthanc.
#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "dicom/folder_sink.h"
#include "dicom/listener.h"
#include "dicom/made_study.h"
#include "dicom/orthanc.h"
#include "paths.h"

namespace vesal::tests {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;

std::size_t files_in(const fs::path& folder) {
  std::size_t n = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) n += entry.is_regular_file() ? 1 : 0;
  return n;
}

TEST(DicomArchive, IsAskedAndFetchedFromInEveryWay) {
  if (!Orthanc::installed()) GTEST_SKIP() << "Orthanc is not installed (Debian: orthanc, orthanc-dicomweb)";
  const TempDir dir;
  const int port = free_port();
  const Orthanc orthanc(port);
  const MadeStudy study = make_study(dir / "in", "cli", 3);
  write_file(dir / "nodes.yaml", "nodes:\n  pacs: {aet: ORTHANC, host: 127.0.0.1, port: " + std::to_string(orthanc.port()) +
                                     ", fetch: get}\n  web: {url: \"" + orthanc.web().url + "\"}\n");
  const std::string nodes = (dir / "nodes.yaml").string();
  const auto vesal = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--nodes", nodes});
    return run_program(words);
  };
  for (const char* node : {"pacs", "web"}) EXPECT_EQ(vesal({"dicom", "echo", node}).exit_code, 0) << node;
  EXPECT_EQ(vesal({"dicom", "echo", "ORTHANC@127.0.0.1:" + std::to_string(orthanc.port())}).exit_code, 0);
  EXPECT_EQ(vesal({"dicom", "echo", "nobody"}).exit_code, 3);
  EXPECT_EQ(vesal({"dicom", "echo", "OTHER@127.0.0.1:" + std::to_string(orthanc.port())}).exit_code, 7) << "refused: another AE title";
  EXPECT_EQ(vesal({"dicom", "echo", "A@127.0.0.1:" + std::to_string(free_port())}).exit_code, 4);

  // Twice: the archive keeps one.
  ProgramResult sent = vesal({"dicom", "send", (dir / "in").string(), "--to", "pacs"});
  EXPECT_THAT(sent.out, HasSubstr("3 of 3 objects sent")) << sent.err;
  sent = vesal({"dicom", "send", (dir / "in").string(), "--to", "web"});
  EXPECT_THAT(sent.out, HasSubstr("3 of 3 objects sent")) << sent.err;
  EXPECT_EQ(orthanc.instances(study.study, "CT").size(), 3u);

  for (const char* node : {"pacs", "web"}) {
    const ProgramResult found = vesal({"dicom", "find", "--from", node, "--accession", "cli", "--json"});
    ASSERT_EQ(found.exit_code, 0) << found.err;
    const Value list = parse_json(found.out);
    ASSERT_EQ(list.items().size(), 1u) << found.out;
    EXPECT_EQ(list.items()[0].as_dict().at("StudyInstanceUID").as_string(), study.study);
    EXPECT_EQ(found.out.find("Test^"), std::string::npos) << "no names of patients";
  }

  const std::vector<std::vector<std::string>> ways{
      {"--from", "pacs"}, {"--from", "web"}, {"--from", "pacs", "--method", "move", "--port", std::to_string(port), "--bind", "127.0.0.1"}};
  for (const auto& way : ways) {
    const fs::path out = dir / way[1] / std::to_string(way.size());
    std::vector<std::string> words{"dicom", "fetch", "--accession", "cli", "-o", out.string()};
    words.insert(words.end(), way.begin(), way.end());
    const ProgramResult fetched = vesal(words);
    EXPECT_EQ(fetched.exit_code, 0) << fetched.err;
    EXPECT_EQ(files_in(out), 3u);
  }
  {
    dicom::FolderSink elsewhere(dir / "elsewhere");
    dicom::Listener::Options reception;
    reception.aet = "VESAL";
    reception.address = "127.0.0.1";
    reception.port = port;
    const dicom::Listener other(reception, elsewhere);
    const ProgramResult astray = vesal({"dicom", "fetch", "--accession", "cli", "-o", (dir / "astray").string(), "--from", "pacs", "--method", "move",
                                        "--port", std::to_string(free_port()), "--bind", "127.0.0.1"});
    EXPECT_EQ(astray.exit_code, 3) << astray.out;
    EXPECT_THAT(astray.err, HasSubstr("at another address or port"));
  }
  EXPECT_EQ(vesal({"dicom", "fetch", "--from", "pacs", "--accession", "none", "-o", (dir / "x").string()}).exit_code, 3);
  EXPECT_EQ(vesal({"dicom", "fetch", "--from", "pacs", "-o", (dir / "x").string()}).exit_code, 2);
}

}  // namespace
}  // namespace vesal::tests
