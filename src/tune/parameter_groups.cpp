// Which parameters of a network are meant by a part's name or a pattern.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "base/error.h"
#include "engine/parts.h"
#include "tune/start_weights.h"

namespace vesal::tune {
namespace {

std::string pattern_of_part(const std::string& part, const std::string& network) {
  const engine::NetworkParts* parts = engine::find_parts(network);
  if (!parts)
    throw Error(ErrorKind::usage,
                fmt::format("which parameters of {} are its {} is not known; give a regular expression over their names", network, part));
  return part == "encoder" ? parts->encoder : part == "decoder" ? parts->decoder : parts->head;
}

std::regex compiled(const std::string& pattern) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error&) { throw Error(ErrorKind::usage, "'" + pattern + "' is no regular expression"); }
}

}  // namespace

std::vector<std::string> matching(const std::string& pattern, const std::vector<std::string>& parameters) {
  std::vector<std::string> names;
  if (pattern.empty()) return names;
  const std::regex regex = compiled(pattern);
  std::copy_if(parameters.begin(), parameters.end(), std::back_inserter(names),
               [&](const std::string& name) { return std::regex_search(name, regex); });
  return names;
}

std::vector<std::string> head_parameters(const std::string& network, const std::vector<std::string>& parameters) {
  return matching(pattern_of_part("head", network), parameters);
}

std::string freeze_pattern(const std::vector<std::string>& freeze, const std::string& network, const std::vector<std::string>& parameters) {
  std::string all;
  for (const std::string& one : freeze) {
    const bool part = one == "encoder" || one == "decoder" || one == "head";
    const std::string pattern = part ? pattern_of_part(one, network) : one;
    if (pattern.empty() || matching(pattern, parameters).empty())
      throw Error(ErrorKind::usage,
                  fmt::format("--freeze {}: no parameter of {} is called so; there are encoder, decoder, head, and names such as {}", one, network,
                              fmt::join(parameters.begin(), parameters.begin() + std::min<std::size_t>(3, parameters.size()), ", ")));
    all += (all.empty() ? "" : "|") + (freeze.size() > 1 ? "(?:" + pattern + ")" : pattern);
  }
  if (!all.empty() && matching(all, parameters).size() == parameters.size())
    throw Error(ErrorKind::usage, "every parameter would be frozen: nothing is left to train");
  return all;
}

}  // namespace vesal::tune
