#include "dicom/peer.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/file.h"

namespace vesal::dicom {
namespace {
namespace fs = std::filesystem;

fs::path below(const fs::path& folder, const std::string& path) {
  return path.empty() || fs::path(path).is_absolute() ? fs::path(path) : folder / path;
}

Secret read_secret(Settings& s, const std::string& what, const fs::path& folder) {
  if (s.has(what)) s.fail(what, "secrets do not stand in this file; say " + what + "_env: VARIABLE or " + what + "_file: PATH");
  Secret secret{s.text(what + "_env", ""), below(folder, s.text(what + "_file", ""))};
  if (!secret.variable.empty() && !secret.file.empty()) s.fail(what + "_env", "and " + what + "_file are both given; one is enough");
  return secret;
}

std::optional<int> port_of(const std::string& text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int port = std::stoi(text);
  return port >= 1 && port <= 65535 ? std::optional<int>(port) : std::nullopt;
}

std::string checked_url(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  const bool web = url.starts_with("http://") || url.starts_with("https://");
  if (!web || url.find_first_of(" \t\r\n@?#") != std::string::npos) return "";
  return url;
}

Peer read_peer(Settings s, const std::string& name, const fs::path& folder) {
  Peer peer;
  peer.name = name;
  peer.connect_timeout = s.duration("connect_timeout", peer.connect_timeout);
  peer.timeout = s.duration("timeout", peer.timeout);
  if (s.has("tls")) peer.tls = read_tls(s.section("tls"), folder);
  if (s.has("url")) {
    const std::string url = s.text("url");
    peer.url = checked_url(url);
    if (peer.url.empty()) s.fail("url", "'" + url + "' is no http:// or https:// address (names and passwords go into user, password_env)");
    peer.user = s.text("user", "");
    peer.password = read_secret(s, "password", folder);
    peer.token = read_secret(s, "token", folder);
  } else {
    peer.aet = s.text("aet");
    if (!is_aet(peer.aet)) s.fail("aet", "'" + peer.aet + "' is no AE title: 1 to 16 characters");
    peer.host = s.text("host");
    if (peer.host.size() > 57 || peer.host.find_first_of(" :/") != std::string::npos)
      s.fail("host", "'" + peer.host + "' is no name or IPv4 address of a host");
    peer.port = static_cast<int>(s.integer("port", 104, 1, 65535));
    const std::string fetch = s.text("fetch", "move");
    if (fetch != "move" && fetch != "get") s.fail("fetch", "move or get is wanted, not '" + fetch + "'");
    peer.get = fetch == "get";
  }
  s.done();
  return peer;
}

}  // namespace

std::string Secret::read() const {
  std::string value;
  if (!variable.empty()) {
    const char* text = std::getenv(variable.c_str());
    if (!text) throw Error(ErrorKind::config, "the environment variable " + variable + " is not set");
    value = text;
  } else {
    value = read_text(file, 64 << 10);
  }
  value.erase(std::min(value.find_first_of("\r\n"), value.size()));
  return value;
}

Tls read_tls(Settings s, const fs::path& folder) {
  Tls tls;
  tls.on = true;
  tls.certificate = below(folder, s.text("certificate", ""));
  tls.key = below(folder, s.text("key", ""));
  tls.authorities = below(folder, s.text("ca", ""));
  tls.verify = s.flag("verify", true);
  if (tls.certificate.empty() != tls.key.empty()) s.fail("certificate", "and key go together");
  if (tls.verify && tls.authorities.empty()) s.fail("ca", "is missing: whose certificates to trust; verify: false trusts anyone");
  s.done();
  return tls;
}

bool is_aet(const std::string& text) {
  if (text.empty() || text.size() > 16 || text.find_first_not_of(' ') == std::string::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
}

std::map<std::string, Peer> read_peers(Settings nodes, const fs::path& folder) {
  std::map<std::string, Peer> peers;
  for (const std::string& name : nodes.keys()) peers.emplace(name, read_peer(nodes.section(name), name, folder));
  return peers;
}

Peer parse_peer(const std::string& text) {
  Peer peer;
  peer.name = text;
  if (text.starts_with("http://") || text.starts_with("https://")) {
    peer.url = checked_url(text);
    if (!peer.url.empty()) return peer;
  }
  const auto at = text.find('@'), colon = text.rfind(':');
  if (at != std::string::npos && colon != std::string::npos && colon > at + 1) {
    const std::optional<int> port = port_of(text.substr(colon + 1));
    peer.aet = text.substr(0, at);
    peer.host = text.substr(at + 1, colon - at - 1);
    if (port && is_aet(peer.aet) && peer.host.size() <= 57) {
      peer.port = *port;
      return peer;
    }
  }
  throw Error(ErrorKind::usage, "'" + text + "' is no node: a name of the nodes file, AET@HOST:PORT, or the https:// root of a DICOMweb service");
}

}  // namespace vesal::dicom
