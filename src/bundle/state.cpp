#include "bundle/state.h"

#include <algorithm>

namespace vesal::bundle {

std::string LoadReport::summary() const {
  std::string s;
  const auto line = [&](const char* what, const std::vector<std::string>& names) {
    if (names.empty()) return;
    s += (s.empty() ? "" : "; ") + std::to_string(names.size()) + " " + what + ": ";
    for (std::size_t i = 0; i < std::min<std::size_t>(5, names.size()); ++i) s += (i ? ", " : "") + names[i];
    if (names.size() > 5) s += ", ...";
  };
  line("of the wrong shape", misshapen);
  line("missing", missing);
  line("unexpected", unexpected);
  return s.empty() ? std::to_string(loaded.size()) + " loaded" : s;
}

}  // namespace vesal::bundle
