// vesal bundle init_bundle: a new bundle that runs, to start from.
#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "bundle/checkpoint.h"
#include "bundle/config.h"
#include "cli/command.h"
#include "cli/component_spec.h"
#include "cli/starter_bundle.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path folder;
  std::string checkpoint, network;
};

/// A folder under a temporary name, removed again unless it is put into its place.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& path) : path_(path), temporary_(path) {
    temporary_ += ".new";
    std::error_code ec;
    if (!fs::create_directory(temporary_, ec)) throw Error(ErrorKind::io, temporary_.string() + ": " + (ec ? ec.message() : "is there already"));
  }
  ~NewFolder() {
    std::error_code ec;
    fs::remove_all(temporary_, ec);
  }
  fs::path operator/(const std::string& name) const { return temporary_ / name; }
  void commit() { fs::rename(temporary_, path_); }

 private:
  fs::path path_, temporary_;
};

const char* const kDefaultNetwork = R"({"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2,
  "channels": [16, 32, 64, 128, 256], "strides": [2, 2, 2, 2], "num_res_units": 2, "norm": "batch"})";

int init(Options o) {
  if (o.folder.filename().empty()) o.folder = o.folder.parent_path();  // "new/" as "new"
  std::error_code ec;
  if (fs::exists(o.folder, ec)) throw Error(ErrorKind::usage, o.folder.string() + " is there already");
  if (!fs::is_directory(fs::absolute(o.folder).parent_path(), ec))
    throw Error(ErrorKind::not_found, fs::absolute(o.folder).parent_path().string() + ": no such folder");
  const Value network = component_spec(o.network.empty() ? kDefaultNetwork : o.network);
  if (!network.is_dict() || !network.as_dict().contains("_target_")) throw Error(ErrorKind::usage, "--network needs a \"_target_\"");

  NewFolder folder(o.folder);
  for (const auto& [name, text] : starter_bundle(o.folder.filename().string(), network)) write_file(folder / name, text);
  fs::create_directory(folder / "models");
  if (!o.checkpoint.empty()) {
    (void)bundle::read_state_dict(o.checkpoint);  // a checkpoint that cannot be read is refused now
    fs::copy_file(o.checkpoint, folder / "models/model.pt");
  } else if (!o.network.empty()) {
    bundle::ConfigParser parser(Dict{{"network", network}});
    const auto made = parser.get_parsed_content("network").object<bundle::Stateful>();
    if (!made) throw Error(ErrorKind::usage, "--network: that is no network");
    bundle::write_state_dict(folder / "models/model.pt", made->state_dict());
  }
  folder.commit();
  log::info("{}: a new bundle; change configs/metadata.json and configs/inference.json to what it is to be", o.folder.string());
  return 0;
}

const RegisterCommand command({
    "bundle init_bundle",
    "Make a new bundle that runs, in MONAI's layout, to start from",
    "  vesal bundle init_bundle my_bundle\n"
    "  vesal bundle init_bundle my_bundle --ckpt_file model.pt --network '{\"_target_\": \"SegResNet\", \"out_channels\": 3}'\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("DIR,--bundle_dir", o->folder, "Folder to make; the one above must be there")->required();
      app.add_option("--ckpt_file", o->checkpoint, "Checkpoint to copy to models/model.pt");
      app.add_option("--network", o->network, "Network, as JSON, name or file; without --ckpt_file its random weights are stored");
      return [o] { return init(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
