// Requests to a web service by libcurl, bounded in time and bytes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dicom/peer.h"

namespace vesal::dicom {

struct HttpRequest {
  std::string method = "GET", url;
  std::vector<std::string> headers = {};          ///< "Name: value"
  std::vector<std::filesystem::path> files = {};  ///< of a body
  std::string before = {}, after = {}, end = {};  ///< of a body: before and after each file, and at the end
};

struct HttpResponse {
  long status = 0;
  std::string type;  ///< Content-Type with its parameters
};

/// Sends the request with the peer's name, password, token and certificates. `take` gets the body piece by piece as it comes, if the status is
/// one of success; else up to 64 KB of it are in the error. Returns for 2xx; throws Error(refused | not_found) for other statuses, Error(io) for
/// no connection, silence for longer than peer.timeout, or a body above `limit`; Error(cancelled) on Ctrl-C. No redirects are followed: they could
/// lead secrets and patients' data elsewhere.
HttpResponse http(const Peer& peer, const HttpRequest& request, std::uint64_t limit,
                  const std::function<void(const std::string& type, std::string_view)>& take);

}  // namespace vesal::dicom
