// The rules file of a node: whom it serves, what it makes of a study, where results go, and what nobody may exceed.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dicom/peer.h"

namespace vesal::dicom {

using Milliseconds = std::chrono::milliseconds;

struct Rule {
  std::string name;
  std::string series;                ///< which series of a study, as `vesal segment --series` takes it; empty: the best volume
  std::vector<std::string> callers;  ///< AE titles whose studies it is for; empty: all
  std::filesystem::path bundle;
  std::vector<std::string> results;  ///< kinds of objects: seg, sr, ...
  std::vector<std::string> send_to;  ///< names of peers
  Milliseconds quiet{30'000};        ///< a study is complete when nothing has come for so long
  Milliseconds broken{600'000};      ///< and so long when its delivery broke off: the sender will bring the rest, and one result is to come of it
};

struct Limits {
  int associations = 32;                 ///< at once; more are refused with "local limit exceeded"
  int per_address = 16;                  ///< connections at once from one address
  std::uint32_t pdu = 131'072;           ///< bytes of a PDU that we take, 4096 to 131072
  std::uint64_t object = 2'000'000'000;  ///< bytes of one data set
  std::uint64_t association_bytes = 100'000'000'000;
  std::int64_t association_instances = 100'000;
  Milliseconds acse{30'000};           ///< until a connection has asked for an association
  Milliseconds dimse{60'000};          ///< without a message, and for 64 KB of one: who is slower is cut off
  std::uint64_t store = 0;             ///< bytes of received objects on the disk; 0: no limit
  std::uint64_t free = 1'000'000'000;  ///< bytes that must stay free on the disk
  int attempts = 8;                    ///< of a job that ends with an error
  int interruptions = 30;              ///< of a job by the end of the process: a study that kills it must not do so for ever
  int send_attempts = 200;             ///< with the longest pause, two days
  Milliseconds first_pause{10'000}, longest_pause{900'000};
  Milliseconds keep{30ll * 24 * 3600 * 1000};  ///< received studies and results, after the last of their jobs has ended
};

struct NodeConfig {
  std::map<std::string, Peer> peers;
  std::vector<Rule> rules;
  Limits limits;
  std::vector<std::string> allowed_aets;       ///< calling AE titles; empty: all
  std::vector<std::string> allowed_addresses;  ///< "10.0.0.7", "10.0.0.0/8", "fd00::/8"; empty: all
  Tls tls;
};

/// Throws Error(not_found | format | config) naming the file, the section and the key. Relative paths are below the file's folder.
NodeConfig read_node_config(const std::filesystem::path& file);
/// Whether an address lies in one of the ranges, or there are none.
bool address_allowed(const std::string& address, const std::vector<std::string>& ranges);
/// The pause before an attempt after so many failed ones: doubled each time, up to the longest.
Milliseconds pause_after(const Limits& limits, int failed);

}  // namespace vesal::dicom
