// Associations over TLS: who shows a certificate that the other trusts talks, others do not.
#include <gmock/gmock.h>

#include "dicom/child.h"
#include "dicom/made_study.h"
#include "dicom/node.h"
#include "dicom/scu.h"
#include "paths.h"

namespace vesal::tests {
namespace {
using namespace dicom;

class TlsNode : public testing::Test {
 protected:
  /// A key and a certificate that signs itself.
  Tls made(const std::string& name) {
    Tls tls;
    tls.on = true;
    tls.key = dir_ / (name + ".key");
    tls.certificate = dir_ / (name + ".pem");
    EXPECT_EQ(run_tool({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-keyout", tls.key.string(),
                        "-out", tls.certificate.string()}),
              0);
    return tls;
  }
  void echo(const Tls& tls) {
    Peer peer;
    peer.name = "node";
    peer.aet = "VESAL";
    peer.host = "127.0.0.1";
    peer.port = node_->port();
    peer.timeout = Milliseconds(4000);
    peer.tls = tls;
    Scu(peer, "TEST", query_contexts(false)).echo();
  }
  TempDir dir_;
  QuickWorker worker_;
  std::unique_ptr<Node> node_;
};

TEST_F(TlsNode, TalksToWhomItTrusts) {
  if (run_tool({"openssl", "version"}) != 0) GTEST_SKIP() << "the openssl command is not installed";
  Tls ours = made("node"), theirs = made("friend"), stranger = made("stranger");
  ours.authorities = theirs.certificate;
  theirs.authorities = stranger.authorities = ours.certificate;
  NodeConfig config;
  config.limits.free = 0;
  config.limits.acse = Milliseconds(2000);
  config.tls = ours;
  node_ = std::make_unique<Node>(Node::Options{config, dir_ / "store", "VESAL", "127.0.0.1", 0, {}}, worker_);
  EXPECT_NO_THROW(echo(theirs));
  EXPECT_THROW(echo(stranger), Error) << "it is not known here";
  EXPECT_THROW(echo(Tls{}), Error) << "in the clear";
  Tls doubting = theirs;
  doubting.authorities = stranger.certificate;
  EXPECT_THROW(echo(doubting), Error) << "the node is not whom it trusts";
  EXPECT_NO_THROW(echo(theirs));
  // DCMTK's own tool, as any other implementation.
  const std::vector<std::string> tool{"echoscu", "+tls",  theirs.key.string(), theirs.certificate.string(),  "+cf", ours.certificate.string(),
                                      "-aec",    "VESAL", "127.0.0.1",         std::to_string(node_->port())};
  EXPECT_EQ(run_tool(tool), 0);
}

TEST_F(TlsNode, SaysWhichFileIsWrong) {
  NodeConfig config;
  config.tls.on = true;
  config.tls.certificate = config.tls.key = config.tls.authorities = dir_ / "none.pem";
  try {
    Node(Node::Options{config, dir_ / "store", "VESAL", "127.0.0.1", 0, {}}, worker_);
    FAIL() << "it serves";
  } catch (const Error& e) { EXPECT_THAT(e.what(), testing::HasSubstr("none.pem")); }
}

}  // namespace
}  // namespace vesal::tests
