// vesal serve: the page and the API.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "base/cancel.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "server/server.h"

namespace vesal::cli {
namespace {

struct Options {
  server::Settings settings;
  server::Listening where;
  std::string most_file = "16G", quota = "200G", most_memory;
  bool allow_public = false;
};

void check(const Options& o) {
  if (o.where.certificate.empty() != o.where.key.empty()) throw Error(ErrorKind::usage, "--tls-cert and --tls-key go together");
  if (!server::is_local(o.where.host) && o.where.certificate.empty() && !o.allow_public)
    throw Error(ErrorKind::usage, "other machines could read what is sent to " + o.where.host +
                                      "; give --tls-cert and --tls-key, or --allow-public if something before this server does TLS");
}

int run(Options o) {
  check(o);
  o.settings.most_file = parse_bytes(o.most_file);
  o.settings.quota = parse_bytes(o.quota);
  if (!o.most_memory.empty()) set_memory_limit(parse_bytes(o.most_memory));
  o.settings.software = "vesal " VESAL_VERSION;
  server::Server server(o.settings, o.where);
  const bool secure = !o.where.certificate.empty();
  const std::string address = fmt::format("{}://{}:{}/", secure ? "https" : "http", o.where.host, server.port());
  if (globals().json) {
    Dict line{{"event", "serving"}, {"address", address}, {"port", server.port()}};
    if (server.first_password()) line["user"] = "admin", line["one_time_password"] = *server.first_password();
    fmt::print("{}\n", to_json(line, -1));
  } else {
    fmt::print("vesal serves {}\n", address);
    if (server.first_password()) fmt::print("Log in as \"admin\" with the one-time password {}\n", *server.first_password());
  }
  std::fflush(stdout);
  while (!ending_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  log::info("stopping; a job under way goes on at the next start");
  return 0;
}

const RegisterCommand command({
    "serve",
    "Serve the page and the API: scans in, masks out, for doctors and programs",
    "  vesal serve --data /var/lib/vesal-server\n"
    "  vesal serve --data /var/lib/vesal-server --host 0.0.0.0 --port 443 --tls-cert cert.pem --tls-key key.pem\n"
    "\n"
    "The first start makes the user \"admin\" and prints a one-time password. Listens on 127.0.0.1 unless --host says otherwise.\n"
    "docs/server.md tells more.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("--data", o->settings.data, "Folder for users, uploads, jobs and results")->required();
      app.add_option("--port", o->where.port, "Port to listen on; 0 for a free one")->check(CLI::Range(0, 65535))->capture_default_str();
      app.add_option("--host", o->where.host, "Address to listen on; 0.0.0.0 for all")->capture_default_str();
      app.add_option("--tls-cert", o->where.certificate, "Certificate (PEM), with those that lead to its authority")->check(CLI::ExistingFile);
      app.add_option("--tls-key", o->where.key, "Its key (PEM)")->check(CLI::ExistingFile);
      app.add_flag("--allow-public", o->allow_public, "Other addresses than this machine's without TLS: something before this server does it");
      app.add_option("--web", o->settings.page, "Folder with the page, instead of the one built in")->check(CLI::ExistingDirectory);
      app.add_option("--models", o->settings.models, "Folders with bundles, instead of where bundles are looked for")->check(CLI::ExistingDirectory);
      app.add_option("--max-file", o->most_file, "Largest file that is taken")->capture_default_str();
      app.add_option("--quota", o->quota, "Most that one user's uploads may take")->capture_default_str();
      app.add_option("--max-memory", o->most_memory, "Most memory; a job that is forecast to take more fails with the numbers");
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
