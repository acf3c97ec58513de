// Who a node talks to: an application entity (DIMSE) or a DICOMweb service, and the secrets for it.
#pragma once
#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include "dicom/settings.h"

namespace vesal::dicom {

/// Where a secret is; it is read each time it is needed, and never kept or logged.
struct Secret {
  std::string variable;        ///< of the environment
  std::filesystem::path file;  ///< its first line
  bool given() const { return !variable.empty() || !file.empty(); }
  /// Throws Error(config | not_found | io) naming the place, never the value.
  std::string read() const;
};

/// Certificates in PEM files. Paths that are empty are not used.
struct Tls {
  bool on = false;
  std::filesystem::path certificate, key;  ///< ours
  std::filesystem::path authorities;       ///< whom we trust: the other side's certificate, or those that signed it
  bool verify = true;                      ///< whether the other side must show a certificate that we trust
};

struct Peer {
  std::string name;
  std::string aet, host;  ///< empty for DICOMweb
  int port = 104;
  Tls tls;
  bool get = false;  ///< fetch by C-GET over our association; otherwise by C-MOVE to our port

  std::string url;  ///< DICOMweb: the service's root, without a slash at the end
  std::string user;
  Secret password, token;

  std::chrono::milliseconds connect_timeout{10'000}, timeout{60'000};
  bool web() const { return !url.empty(); }
};

/// "nodes:" of a file. Throws Error(config) naming file, node and key; relative paths are below `folder`.
std::map<std::string, Peer> read_peers(Settings nodes, const std::filesystem::path& folder);
/// "AET@host:port" or "https://..." as a peer of that name. Throws Error(usage).
Peer parse_peer(const std::string& text);
/// A TLS section: certificate, key, ca, verify.
Tls read_tls(Settings section, const std::filesystem::path& folder);
/// Whether it may be an AE title: 1 to 16 printable characters, no backslash, not only blanks (PS3.5 6.2).
bool is_aet(const std::string& text);

}  // namespace vesal::dicom
