// What a node does with callers that stall, flood, trickle, lie and shout: nobody else waits for it.
#include <arpa/inet.h>
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/diutil.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/memory.h"
#include "base/tcp.h"
#include "dicom/child.h"
#include "dicom/made_study.h"
#include "dicom/node.h"
#include "dicom/toolkit.h"
#include "paths.h"

namespace vesal::tests {
namespace {
namespace fs = std::filesystem;
using namespace dicom;
using Clock = std::chrono::steady_clock;

tcp::Socket call(int port) { return tcp::connect("127.0.0.1", port, Clock::now() + std::chrono::seconds(5)); }

/// Whether the other side has closed the connection, within the time.
bool closed_within(const tcp::Socket& socket, double seconds) {
  return eventually(seconds, [&] {
    char bytes[4096];
    const ssize_t n = ::recv(socket.fd(), bytes, sizeof bytes, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  });
}

class HostileNode : public testing::Test {
 protected:
  void start(const std::function<void(Limits&)>& change) {
    NodeConfig config;
    config.limits.free = 0;
    config.limits.acse = Milliseconds(1000);
    config.limits.dimse = Milliseconds(1000);
    change(config.limits);
    node_ = std::make_unique<Node>(Node::Options{config, dir_ / "store", "VESAL", "127.0.0.1", port_, {}}, worker_);
  }
  int echo() const { return run_tool({"echoscu", "-to", "5", "-ta", "5", "-aec", "VESAL", "127.0.0.1", std::to_string(node_->port())}); }
  bool stored_nothing() const { return fs::is_empty(dir_ / "store/studies") && fs::is_empty(dir_ / "store/incoming"); }

  TempDir dir_;
  QuickWorker worker_;
  int port_ = 0;
  std::unique_ptr<Node> node_;
};

TEST_F(HostileNode, CutsOffThoseWhoSayNothing) {
  start([](Limits&) {});
  std::vector<tcp::Socket> silent;
  for (int i = 0; i < 5; ++i) silent.push_back(call(node_->port()));
  EXPECT_EQ(echo(), 0) << "the others do not wait for them";
  for (const tcp::Socket& socket : silent) EXPECT_TRUE(closed_within(socket, 4));
}

TEST_F(HostileNode, CutsOffThoseWhoTrickle) {
  start([](Limits&) {});
  const tcp::Socket socket = call(node_->port());
  const auto begin = Clock::now();
  ASSERT_TRUE(tcp::send(socket, std::string("\x01\x00\x00\x00\x10\x00", 6)));  // an association request of 4096 bytes...
  while (!closed_within(socket, 0.05) && Clock::now() - begin < std::chrono::seconds(10)) tcp::send(socket, "x");  // ...one by one
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(4));
  EXPECT_EQ(echo(), 0);
}

TEST_F(HostileNode, SurvivesFloods) {
  start([](Limits& limits) { limits.per_address = 6; });
  std::vector<tcp::Socket> flood;
  for (int i = 0; i < 300; ++i) flood.push_back(call(node_->port()));
  int closed = 0;
  for (const tcp::Socket& socket : flood) closed += closed_within(socket, 4) ? 1 : 0;
  EXPECT_EQ(closed, 300) << "six at once, the others are closed at once, and in the end all";
  EXPECT_TRUE(eventually(5, [&] { return echo() == 0; }));
}

TEST_F(HostileNode, RefusesAssociationsBeyondItsLimit) {
  start([](Limits& limits) {
    limits.associations = 1;
    limits.acse = Milliseconds(4000);
  });
  const tcp::Socket holds = call(node_->port());
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::string out;
  EXPECT_NE(run_tool({"echoscu", "-aec", "VESAL", "127.0.0.1", std::to_string(node_->port())}, &out), 0);
  EXPECT_THAT(out, testing::HasSubstr("Local Limit Exceeded"));
}

TEST_F(HostileNode, TakesNoGarbage) {
  start([](Limits& limits) { limits.per_address = 100; });
  std::mt19937 random(7);
  const std::uint64_t before = resident_memory();
  for (int i = 0; i < 60; ++i) {
    const tcp::Socket socket = call(node_->port());
    std::string bytes(1 + random() % 3000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (i % 3 == 0) bytes.replace(0, std::min<std::size_t>(bytes.size(), 6), std::string("\x01\x00\x7f\xff\xff\xff", 6));  // 2 GB announced
    if (i % 3 == 1) bytes[0] = static_cast<char>(i % 9);
    tcp::send(socket, bytes);
  }
  EXPECT_EQ(echo(), 0);
  EXPECT_TRUE(eventually(6, [&] { return echo() == 0; }));
  EXPECT_LT(resident_memory(), before + (200u << 20));
  EXPECT_TRUE(stored_nothing());
}

TEST_F(HostileNode, RefusesObjectsThatAreTooLarge) {
  start([](Limits& limits) { limits.object = 200'000; });
  const MadeStudy small = make_study(dir_ / "small", "small", 1), large = make_study(dir_ / "large", "large", 1, 1024);
  const std::string port = std::to_string(node_->port());
  EXPECT_NE(run_tool({"storescu", "-aec", "VESAL", "127.0.0.1", port, large.files[0].string()}), 0);
  EXPECT_TRUE(stored_nothing());
  EXPECT_EQ(run_tool({"storescu", "-aec", "VESAL", "127.0.0.1", port, small.files[0].string()}), 0);
}

TEST_F(HostileNode, ADeepNestIsNoObject) {
  const std::string element("\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff", 20);
  std::string bytes(128, '\0');
  bytes += std::string(
      "DICM\x02\x00\x10\x00UI\x14\x00"
      "1.2.840.10008.1.2.1\x00",
      32);
  for (int i = 0; i < 200'000; ++i) bytes += element;  // ReferencedImageSequence in itself
  const fs::path file = dir_ / "deep.dcm";
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_THROW(read_object_facts(file), Error);
}

/// What arrives whole but is no object gets a status of failure, and the association goes on.
TEST_F(HostileNode, RefusesWhatIsNotTheObjectItWasSaidToBe) {
  start([](Limits&) {});
  const MadeStudy study = make_study(dir_ / "in", "lies", 2);
  std::string bytes = read_text(study.files[0]);
  const auto at = bytes.rfind(study.study);  // in the data set; storescu reads the classes and instances only
  bytes[at] = 'x';
  write_file(study.files[0], bytes);
  std::string out;
  run_tool({"storescu", "-v", "-aec", "VESAL", "127.0.0.1", std::to_string(node_->port()), study.files[0].string()}, &out);
  EXPECT_THAT(out, testing::HasSubstr("CannotUnderstand"));
  EXPECT_TRUE(stored_nothing());
  EXPECT_EQ(run_tool({"storescu", "-aec", "VESAL", "127.0.0.1", std::to_string(node_->port()), study.files[1].string()}), 0);
}

/// A command set of sequences in sequences, as deep as the limits let it be: DCMTK's parser calls itself for each.
TEST_F(HostileNode, SurvivesADeepNestAsACommand) {
  port_ = free_port();
  Child caller([&] {  // a process of its own, made before there are threads; it calls until the node is there
    start_toolkit();
    T_ASC_Network* network = nullptr;
    T_ASC_Parameters* parameters = nullptr;
    T_ASC_Association* association = nullptr;
    ASC_initializeNetwork(NET_REQUESTOR, 0, 5, &network);
    ASC_createAssociationParameters(&parameters, 16384);
    ASC_setAPTitles(parameters, "DEEP", "VESAL", nullptr);
    ASC_setPresentationAddresses(parameters, "localhost", ("127.0.0.1:" + std::to_string(port_)).c_str());
    const char* syntax = UID_LittleEndianImplicitTransferSyntax;
    ASC_addPresentationContext(parameters, 1, UID_VerificationSOPClass, &syntax, 1);
    if (!eventually(10, [&] { return ASC_requestAssociation(network, parameters, &association).good(); })) return 2;
    std::string nest;
    for (int i = 0; i < 8000; ++i) nest += std::string("\x08\x00\x40\x11\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff", 16);
    DUL_PDV pdv{static_cast<unsigned long>(nest.size()), 1, DUL_COMMANDPDV, OFTrue, nest.data()};
    DUL_PDVLIST list{};
    list.count = 1;
    list.pdv = &pdv;
    return DUL_WritePDVs(&association->DULassociation, &list).good() ? 0 : 3;
  });
  start([](Limits&) {});
  EXPECT_EQ(caller.wait(), 0);
  EXPECT_EQ(echo(), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(echo(), 0);
}

TEST_F(HostileNode, AMessageThatStopsInItsMiddleHoldsNobody) {
  start([](Limits&) {});
  const MadeStudy study = make_study(dir_ / "in", "half", 1, 1024);
  // storescu through a pipe that stops after 100 KB and keeps the connection.
  const tcp::Socket listener = tcp::listen(0);
  std::thread pipe([&] {
    const tcp::Socket from = tcp::accept(listener, std::chrono::seconds(5)), to = call(node_->port());
    std::atomic<bool> over{false};
    std::thread back([&] {
      char bytes[4096];
      for (ssize_t n; (n = ::recv(to.fd(), bytes, sizeof bytes, 0)) > 0;) ::send(from.fd(), bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL);
      over = true;
      ::shutdown(from.fd(), SHUT_RDWR);
    });
    char bytes[4096];
    std::size_t passed = 0;
    for (ssize_t n; passed < 100'000 && (n = ::recv(from.fd(), bytes, sizeof bytes, 0)) > 0; passed += static_cast<std::size_t>(n))
      ::send(to.fd(), bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL);
    EXPECT_TRUE(eventually(6, [&] { return over.load(); })) << "the node has not let go";
    ::shutdown(to.fd(), SHUT_RDWR);
    back.join();
  });
  EXPECT_NE(run_tool({"storescu", "-aec", "VESAL", "127.0.0.1", std::to_string(tcp::port_of(listener)), study.files[0].string()}), 0);
  pipe.join();
  EXPECT_EQ(echo(), 0);
  EXPECT_TRUE(stored_nothing());
}

}  // namespace
}  // namespace vesal::tests
