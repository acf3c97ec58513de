// The same over TLS.
#include <gmock/gmock.h>

#include "base/file.h"
#include "dicom/child.h"
#include "server/test_server.h"

namespace vesal::tests {
namespace {

using testing::HasSubstr;

TEST(Tls, CookiesAreForSecureConnectionsOnly) {
  if (run_tool({"openssl", "version"}) != 0) GTEST_SKIP() << "the openssl command is not installed";
  const TempDir dir;
  const std::string certificate = (dir / "cert.pem").string(), key = (dir / "key.pem").string();
  ASSERT_EQ(run_tool({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                      "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate}),
            0);
  server::Server server({.data = dir / "data"}, {.port = 0, .certificate = certificate, .key = key});
  httplib::SSLClient client("localhost", server.port());
  client.set_ca_cert_path(certificate.c_str());
  const auto login = client.Post("/api/v1/login", to_json(Dict{{"user", "admin"}, {"password", *server.first_password()}}, -1), "application/json");
  ASSERT_TRUE(login) << httplib::to_string(login.error());
  EXPECT_EQ(login->status, 200);
  EXPECT_THAT(login->get_header_value("Set-Cookie"), HasSubstr("; Secure"));
  EXPECT_THAT(login->get_header_value("Strict-Transport-Security"), HasSubstr("max-age="));
  httplib::Client plain("127.0.0.1", server.port());
  EXPECT_FALSE(plain.Get("/health/live")) << "nothing without TLS";
}

TEST(Tls, DamagedCertificatesAreRefused) {
  const TempDir dir;
  write_file(dir / "cert.pem", "no certificate");
  EXPECT_THROW(server::Server({.data = dir / "data"}, {.port = 0, .certificate = dir / "cert.pem", .key = dir / "cert.pem"}), Error);
}

}  // namespace
}  // namespace vesal::tests
