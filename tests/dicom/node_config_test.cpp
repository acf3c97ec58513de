#include "dicom/node_config.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "dicom/association.h"
#include "dicom/dicomweb.h"
#include "dicom/multipart.h"
#include "paths.h"

namespace vesal::dicom {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kRules = R"(
nodes:
  pacs: {aet: ORTHANC, host: 10.0.0.5, port: 4242, fetch: get}
  web:
    url: https://pacs.example/dicom-web/
    user: vesal
    password_env: VESAL_TEST_PASSWORD
rules:
  - name: spleen
    series: "modality=CT,slices>=40"
    callers: [CT1]
    bundle: bundles/spleen
    quiet: 1m
    send_to: [pacs, web]
limits: {associations: 4, object: 500MB, keep: 7d, acse: 500ms}
allow: {callers: [CT1, PACS], addresses: [10.0.0.0/8]}
)";

NodeConfig read(const std::string& text) {
  const tests::TempDir dir;
  write_file(dir / "rules.yaml", text);
  return read_node_config(dir / "rules.yaml");
}

std::string refusal(const std::string& text) {
  try {
    read(text);
    return "taken";
  } catch (const Error& e) { return e.what(); }
}

TEST(NodeConfig, IsRead) {
  const NodeConfig c = read(kRules);
  EXPECT_EQ(c.peers.at("pacs").port, 4242);
  EXPECT_TRUE(c.peers.at("pacs").get);
  EXPECT_EQ(c.peers.at("web").url, "https://pacs.example/dicom-web");
  ASSERT_EQ(c.rules.size(), 1u);
  EXPECT_EQ(c.rules[0].quiet, Milliseconds(60'000));
  EXPECT_EQ(c.rules[0].broken, Milliseconds(600'000));
  EXPECT_THAT(c.rules[0].results, ElementsAre("seg"));
  EXPECT_TRUE(c.rules[0].bundle.is_absolute());
  EXPECT_EQ(c.limits.object, 500'000'000u);
  EXPECT_EQ(c.limits.acse, Milliseconds(500));
  EXPECT_EQ(c.limits.keep, Milliseconds(7ll * 24 * 3600 * 1000));
}

TEST(NodeConfig, SaysWhatIsWrong) {
  EXPECT_THAT(refusal("nodes: {pacs: {aet: A, host: h, pport: 1}}"), HasSubstr("nodes: pacs: 'pport' is no key here; there are"));
  EXPECT_THAT(refusal("nodes: {pacs: {host: h}}"), HasSubstr("aet: is missing"));
  EXPECT_THAT(refusal("nodes: {pacs: {aet: THIS-IS-MUCH-TOO-LONG, host: h}}"), HasSubstr("no AE title"));
  EXPECT_THAT(refusal("nodes: {web: {url: \"https://x/y\", password: secret}}"), HasSubstr("password_env"));
  EXPECT_THAT(refusal("nodes: {web: {url: \"https://u:p@x/y\"}}"), HasSubstr("url"));
  EXPECT_THAT(refusal("rules: [{name: a, bundle: b, send_to: nobody}]"), HasSubstr("'nobody' is none of the nodes"));
  EXPECT_THAT(refusal("rules: [{name: a, bundle: b}, {name: a, bundle: c}]"), HasSubstr("name of another rule"));
  EXPECT_THAT(refusal("rules: [{name: a, bundle: b, quiet: soon}]"), HasSubstr("a duration is wanted"));
  EXPECT_THAT(refusal("limits: {pdu: 1}"), HasSubstr("from 4096 to 131072"));
  EXPECT_THAT(refusal("limits: {object: 3 apples}"), HasSubstr("an amount is wanted"));
  EXPECT_THAT(refusal("allow: {addresses: [10.0.0.0/33]}"), HasSubstr("no address or range"));
  EXPECT_THAT(refusal("tls: {certificate: a, key: b}"), HasSubstr("ca: is missing"));
  EXPECT_THAT(refusal("rules: {a: b}"), HasSubstr("a list is wanted"));
}

TEST(NodeConfig, SecretsStandElsewhere) {
  const Secret secret = read(kRules).peers.at("web").password;
  unsetenv("VESAL_TEST_PASSWORD");
  EXPECT_THROW(secret.read(), Error);
  setenv("VESAL_TEST_PASSWORD", "wide open", 1);
  EXPECT_EQ(secret.read(), "wide open");
  const tests::TempDir dir;
  write_file(dir / "token", "first line\nsecond\n");
  EXPECT_EQ((Secret{"", dir / "token"}).read(), "first line");
}

TEST(NodeConfig, KnowsAddresses) {
  EXPECT_TRUE(address_allowed("1.2.3.4", {}));
  EXPECT_TRUE(address_allowed("10.255.0.1", {"192.168.0.1", "10.0.0.0/8"}));
  EXPECT_TRUE(address_allowed("192.168.0.1", {"192.168.0.1"}));
  EXPECT_FALSE(address_allowed("192.168.0.2", {"192.168.0.1"}));
  EXPECT_FALSE(address_allowed("11.0.0.1", {"10.0.0.0/8"}));
  EXPECT_TRUE(address_allowed("fd00::7", {"fd00::/8"}));
  EXPECT_FALSE(address_allowed("fe80::7", {"fd00::/8"}));
  EXPECT_FALSE(address_allowed("nonsense", {"0.0.0.0/0"}));
}

TEST(NodeConfig, PausesGrowToTheLongest) {
  const Limits limits{.first_pause = Milliseconds(100), .longest_pause = Milliseconds(350)};
  EXPECT_EQ(pause_after(limits, 1), Milliseconds(100));
  EXPECT_EQ(pause_after(limits, 2), Milliseconds(200));
  EXPECT_EQ(pause_after(limits, 3), Milliseconds(350));
  EXPECT_EQ(pause_after(limits, 1'000'000), Milliseconds(350));
}

TEST(Peer, IsALiteralToo) {
  const Peer peer = parse_peer("ORTHANC@127.0.0.1:4242");
  EXPECT_EQ(peer.aet, "ORTHANC");
  EXPECT_EQ(peer.host, "127.0.0.1");
  EXPECT_EQ(peer.port, 4242);
  EXPECT_TRUE(parse_peer("http://127.0.0.1:8042/dicom-web").web());
  for (const char* bad : {"pacs", "A@b", "A@b:0", "A@b:99999", "@b:1", "A@:1", "ftp://x", "https://u@h/x", "https://h/x?y"})
    EXPECT_THROW(parse_peer(bad), Error) << bad;
}

TEST(Association, ChoosesTransferSyntaxes) {
  const std::string implicit = "1.2.840.10008.1.2", plain = "1.2.840.10008.1.2.1", j2k = "1.2.840.10008.1.2.4.90", mpeg = "1.2.840.10008.1.2.4.100";
  EXPECT_EQ(choose_transfer_syntax({implicit, plain}), plain);
  EXPECT_EQ(choose_transfer_syntax({implicit}), implicit);
  EXPECT_EQ(choose_transfer_syntax({j2k, plain}), j2k) << "what is offered first";
  EXPECT_EQ(choose_transfer_syntax({mpeg}), "");
  EXPECT_TRUE(is_storage_class("1.2.840.10008.5.1.4.1.1.2"));
  EXPECT_TRUE(is_storage_class("1.2.840.10008.5.1.4.1.1.66.4"));
  EXPECT_FALSE(is_storage_class("1.2.840.10008.5.1.4.1.2.2.1"));
}

TEST(Multipart, ComesInAnyPieces) {
  const std::string body =
      "preamble\r\n--b1\r\nContent-Type: application/dicom\r\n\r\nfirst\r\n--b\r\n--b1 \r\nA: b\r\n\r\n\r\n--b1\r\n\r\nthird\r\n--b1--\r\nepilogue";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    std::vector<std::string> parts;
    bool open = false;
    MultipartReader reader("multipart/related; type=\"application/dicom\"; boundary=\"b1\"",
                           {[&] {
                              parts.emplace_back();
                              open = true;
                            },
                            [&](std::string_view bytes) { parts.back() += bytes; }, [&] { open = false; }});
    for (std::size_t at = 0; at < body.size(); at += piece) reader.add(std::string_view(body).substr(at, piece));
    reader.finish();
    EXPECT_FALSE(open);
    EXPECT_THAT(parts, ElementsAre("first\r\n--b", "", "third")) << piece;
  }
}

TEST(Multipart, RefusesWhatIsNone) {
  const MultipartReader::Sink none{[] {}, [](std::string_view) {}, [] {}};
  for (const char* type : {"application/json", "multipart/related", "multipart/related; boundary=", ""})
    EXPECT_THROW(MultipartReader(type, none), Error);
  MultipartReader cut("multipart/related; boundary=b", none);
  cut.add("--b\r\n\r\nhalf");
  EXPECT_THROW(cut.finish(), Error);
  MultipartReader headers("multipart/related; boundary=b", none);
  headers.add("--b\r\n");
  EXPECT_THROW(for (int i = 0; i < 100; ++i) headers.add(std::string(1000, 'x')), Error);
}

TEST(Stow, IsBelievedOnlyWhenItNamesTheObject) {
  EXPECT_EQ(stow_refusal(R"({"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}}]}})", "1.2"), "");
  EXPECT_THAT(stow_refusal(R"({"00081198":{"vr":"SQ","Value":[{"00081155":{"Value":["1.2"]},"00081197":{"Value":[272]}}]}})", "1.2"),
              HasSubstr("272"));
  EXPECT_NE(stow_refusal("{}", "1.2"), "");
  EXPECT_NE(stow_refusal(R"({"00081199":{"Value":[{"00081155":{"Value":["1.3"]}}]}})", "1.2"), "");
  EXPECT_THROW(stow_refusal("<html>", "1.2"), Error);
}

}  // namespace
}  // namespace vesal::dicom
