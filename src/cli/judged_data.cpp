#include "cli/judged_data.h"

namespace vesal::cli {

std::map<std::int64_t, std::string> bundle_classes(const bundle::BundleFacts& facts) {
  std::map<std::int64_t, std::string> names = facts.output_channels;
  if (!facts.has_background() && names.size() == 1) return {{1, names.begin()->second}};
  names.erase(0);
  return names;
}

judge::LabelMap label_map_for(const std::string& given, const judge::CaseSet& set, const std::map<std::int64_t, std::string>& classes) {
  if (!given.empty()) return judge::parse_label_map(given, set.labels, classes);
  return judge::label_map_by_names(set.labels, classes);
}

}  // namespace vesal::cli
