// vesal info FILE...: says what a scan, a checkpoint or a bundle is.
#include "cli/info.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/command.h"

namespace vesal::cli {
namespace {

std::vector<Describer>& describers() {
  static std::vector<Describer> table;
  return table;
}

const Describer& describer_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) throw Error(ErrorKind::not_found, path.string() + ": no such file or folder");
  auto& table = describers();
  std::stable_sort(table.begin(), table.end(), [](const Describer& a, const Describer& b) { return a.priority > b.priority; });
  for (const Describer& d : table)
    if (d.matches(path)) return d;
  std::string kinds;
  for (const Describer& d : table) kinds += (kinds.empty() ? "" : ", ") + d.kind;
  throw Error(ErrorKind::unsupported, path.string() + ": none of what info describes (" + kinds + ")");
}

std::string plain(const Dict& facts) {
  std::string text;
  for (const auto& [key, value] : facts) text += fmt::format("{:<14}{}\n", key.str(), value.str());
  return text;
}

int info(const std::vector<std::string>& paths) {
  List all;
  for (const std::string& path : paths) {
    const Describer& describer = describer_of(path);
    const Dict facts = describer.describe(path);
    if (globals().json) all.items.emplace_back(facts);
    else fmt::print("{}{}", &path == &paths.front() ? "" : "\n", describer.print ? describer.print(facts) : plain(facts));
  }
  if (globals().json) fmt::print("{}\n", to_json(all.items.size() == 1 ? all.items.front() : Value(all)));
  return 0;
}

const RegisterCommand registered({.name = "info",
                                  .summary = "Describe a scan, a checkpoint or a bundle",
                                  .examples = "  vesal info ct.nii.gz\n  vesal --json info ct.nii.gz models/model.pt\n",
                                  .setup = [](CLI::App& app) -> std::function<int()> {
                                    auto paths = std::make_shared<std::vector<std::string>>();
                                    app.add_option("FILE", *paths, "Files or folders to describe")->required();
                                    return [paths] { return info(*paths); };
                                  }});

}  // namespace

RegisterDescriber::RegisterDescriber(Describer describer) { describers().push_back(std::move(describer)); }

}  // namespace vesal::cli
