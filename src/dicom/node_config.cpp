#include "dicom/node_config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "bundle/yaml.h"

namespace vesal::dicom {
namespace {
namespace fs = std::filesystem;

struct Range {
  std::array<std::uint8_t, 16> bytes{};
  int bits = 0;
};

std::array<std::uint8_t, 16> mapped(const in_addr& v4) {
  std::array<std::uint8_t, 16> out{};
  out[10] = out[11] = 0xff;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&v4), 4, out.begin() + 12);
  return out;
}

/// IPv4 addresses as IPv6 ones (::ffff:a.b.c.d), so that both are compared in one way.
std::optional<Range> parse_range(const std::string& text) {
  const auto slash = text.find('/');
  const std::string address = text.substr(0, slash);
  Range range;
  in_addr v4{};
  in6_addr v6{};
  int most = 128, before = 0;
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    range.bytes = mapped(v4);
    most = 32;
    before = 96;
  } else if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&v6), 16, range.bytes.begin());
  } else {
    return std::nullopt;
  }
  int bits = most;
  if (slash != std::string::npos) {
    const std::string digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    bits = std::stoi(digits);
    if (bits > most) return std::nullopt;
  }
  range.bits = before + bits;
  return range;
}

bool same_bits(const Range& a, const Range& b, int bits) {
  for (int i = 0; i < bits; ++i) {
    const auto byte = static_cast<std::size_t>(i / 8);
    if (((a.bytes[byte] ^ b.bytes[byte]) >> (7 - i % 8)) & 1) return false;
  }
  return true;
}

Limits read_limits(Settings s) {
  Limits l;
  l.associations = static_cast<int>(s.integer("associations", l.associations, 1, 1000));
  l.per_address = static_cast<int>(s.integer("per_address", l.per_address, 1, 1000));
  l.pdu = static_cast<std::uint32_t>(s.integer("pdu", l.pdu, 4096, 131'072));
  l.object = s.bytes("object", l.object);
  l.association_bytes = s.bytes("association_bytes", l.association_bytes);
  l.association_instances = s.integer("association_instances", l.association_instances, 1, 100'000'000);
  l.acse = s.duration("acse", l.acse);
  l.dimse = s.duration("dimse", l.dimse);
  l.store = s.bytes("store", l.store);
  l.free = s.bytes("free", l.free);
  l.attempts = static_cast<int>(s.integer("attempts", l.attempts, 1, 1000));
  l.interruptions = static_cast<int>(s.integer("interruptions", l.interruptions, 1, 100'000));
  l.send_attempts = static_cast<int>(s.integer("send_attempts", l.send_attempts, 1, 1'000'000));
  l.first_pause = s.duration("first_pause", l.first_pause);
  l.longest_pause = s.duration("longest_pause", l.longest_pause);
  l.keep = s.duration("keep", l.keep);
  for (const auto& [key, value] : {std::pair{"acse", l.acse}, std::pair{"dimse", l.dimse}})
    if (value < Milliseconds(100)) s.fail(key, "at least 100ms is wanted");
  s.done();
  return l;
}

Rule read_rule(Settings s, const fs::path& folder) {
  Rule rule;
  rule.name = s.text("name");
  rule.series = s.text("series", "");
  rule.callers = s.texts("callers");
  const fs::path bundle = s.text("bundle");
  rule.bundle = bundle.is_absolute() ? bundle : folder / bundle;
  rule.results = s.texts("results");
  if (rule.results.empty()) rule.results = {"seg"};
  rule.send_to = s.texts("send_to");
  rule.quiet = s.duration("quiet", rule.quiet);
  rule.broken = std::max(rule.quiet, s.duration("broken", rule.broken));
  s.done();
  return rule;
}

}  // namespace

NodeConfig read_node_config(const fs::path& file) {
  const Value root = with_context("reading " + file.string(), [&] { return bundle::parse_yaml(read_text(file, 1 << 20)); });
  Settings s(root, file.string());
  const fs::path folder = fs::absolute(file).parent_path();
  NodeConfig config;
  config.peers = read_peers(s.section("nodes"), folder);
  config.limits = read_limits(s.section("limits"));
  Settings allow = s.section("allow");
  config.allowed_aets = allow.texts("callers");
  config.allowed_addresses = allow.texts("addresses");
  for (const std::string& range : config.allowed_addresses)
    if (!parse_range(range)) allow.fail("addresses", "'" + range + "' is no address or range (10.0.0.7, 10.0.0.0/8, fd00::/8)");
  allow.done();
  if (s.has("tls")) {
    config.tls = read_tls(s.section("tls"), folder);
    if (config.tls.certificate.empty()) s.section("tls").fail("certificate", "is missing: a node that serves TLS needs its own");
  }
  std::set<std::string> names;
  for (Settings& section : s.sections("rules")) {
    Rule rule = read_rule(section, folder);
    if (!names.insert(rule.name).second) section.fail("name", "'" + rule.name + "' is the name of another rule");
    for (const std::string& to : rule.send_to)
      if (!config.peers.contains(to)) section.fail("send_to", "'" + to + "' is none of the nodes in this file");
    config.rules.push_back(std::move(rule));
  }
  s.done();
  return config;
}

bool address_allowed(const std::string& address, const std::vector<std::string>& ranges) {
  if (ranges.empty()) return true;
  const std::optional<Range> given = parse_range(address);
  return given && std::any_of(ranges.begin(), ranges.end(), [&](const std::string& text) {
           const std::optional<Range> range = parse_range(text);
           return range && same_bits(*given, *range, range->bits);
         });
}

Milliseconds pause_after(const Limits& limits, int failed) {
  Milliseconds pause = limits.first_pause;
  for (int i = 1; i < failed && pause < limits.longest_pause; ++i) pause *= 2;
  return std::min(pause, limits.longest_pause);
}

}  // namespace vesal::dicom
