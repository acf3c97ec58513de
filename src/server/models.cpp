#include "server/models.h"

#include <sstream>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/bundle_folder.h"

namespace vesal::server {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kResident = 2;

/// The metadata's word, else the first line of the licence that lies beside.
std::string licence_of(const bundle::BundleFacts& facts) {
  if (const Value* said = facts.metadata.as_dict().find("license"); said && said->is_string()) return said->as_string();
  for (const char* name : {"LICENSE", "docs/LICENSE", "LICENSE.txt", "docs/data_license.txt"}) {
    std::error_code ignored;
    if (!fs::is_regular_file(facts.folder / name, ignored)) continue;
    std::istringstream lines(read_text(facts.folder / name, 1 << 20));
    for (std::string line; std::getline(lines, line);)
      if (const auto begin = line.find_first_not_of(" \t\r"); begin != std::string::npos)
        return line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
  }
  return "";
}

/// The lowest Dice of those that the authors give, as nobody knows which of their scans are like the next one; none if they give none.
Value dice_of(const bundle::BundleFacts& facts) {
  Value lowest;
  const Value* metrics = facts.metadata.as_dict().find("eval_metrics");
  if (metrics && metrics->is_dict())
    for (const auto& [name, value] : metrics->as_dict())
      if (name.is_string() && value.is_number() && lower(name.as_string()).find("dice") != std::string::npos)
        if (lowest.is_none() || value.as_float() < lowest.as_float()) lowest = value.as_float();
  return lowest;
}

}  // namespace

std::map<std::string, fs::path> Models::bundles() const { return bundle::list_bundles(roots_.empty() ? bundle::bundle_roots() : roots_); }

std::vector<Dict> Models::describe() const {
  std::vector<Dict> out;
  for (const auto& [name, folder] : bundles()) {
    try {
      const bundle::BundleFacts facts = bundle::read_bundle_facts(folder);
      Dict labels;
      for (const auto& [channel, label] : facts.output_channels)
        if (channel > 0 || !facts.has_background()) labels[std::to_string(channel)] = label;
      out.push_back({{"name", name},
                     {"title", facts.name},
                     {"version", facts.version},
                     {"task", facts.task},
                     {"description", facts.description},
                     {"intended_use", facts.intended_use},
                     {"not_for_diagnosis", facts.not_for_diagnosis()},
                     {"license", licence_of(facts)},
                     {"labels", labels},
                     {"dice", dice_of(facts)}});
    } catch (const Error& e) { log::warning("bundle {} is left out: {}", name, e.what()); }
  }
  return out;
}

fs::path Models::folder(const std::string& name) const {
  const auto all = bundles();
  const auto found = all.find(name);
  if (found == all.end()) throw Error(ErrorKind::not_found, "there is no such model");
  return found->second;
}

std::shared_ptr<const infer::Segmenter> Models::segmenter(const std::string& name) {
  const std::lock_guard lock(mutex_);
  for (auto it = resident_.begin(); it != resident_.end(); ++it)
    if (it->first == name) {
      resident_.splice(resident_.begin(), resident_, it);
      return it->second;
    }
  if (resident_.size() >= kResident) resident_.pop_back();  // before the next one needs its memory
  infer::Segmenter::Options options;
  options.bundle = folder(name);
  resident_.emplace_front(name, std::make_shared<const infer::Segmenter>(options));
  return resident_.front().second;
}

void Models::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  resident_.remove_if([&](const auto& r) { return r.first == name; });
}

}  // namespace vesal::server
