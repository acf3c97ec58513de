#include "transforms/folder_layout.h"

#include <filesystem>

#include "base/file.h"
#include "base/registry.h"

namespace vesal::transforms {
namespace {

namespace fs = std::filesystem;

/// Python's os.path.splitext()[0]: leading dots belong to the name.
std::string without_extension(const std::string& name) {
  const auto dot = name.rfind('.'), first = name.find_first_not_of('.');
  return dot == std::string::npos || first == std::string::npos || dot < first ? name : name.substr(0, dot);
}

std::string stem_of(const std::string& name) {
  const std::string stem = without_extension(name);
  return name.substr(stem.size()) == ".gz" ? without_extension(stem) : stem;
}

const std::vector<Param>& params() {
  static const std::vector<Param> list{required("output_dir", "folder of the results"),
                                       optional("postfix", "", "appended to the subject's name"),
                                       optional("extension", "", "extension of the results"),
                                       optional("parent", false, "a folder per subject"),
                                       optional("makedirs", false, "accepted; folders are made when a file is written"),
                                       optional("data_root_dir", "", "keep the folders of the input below this one")};
  return list;
}

const Register registered({
    .kind = "layout",
    .name = "FolderLayout",
    .aliases = {},
    .summary = "Names of the files SaveImage writes",
    .params = params(),
    .make = [](const Args& args) -> Value {
      return std::make_shared<FolderLayout>(FolderLayout::Options{args.get<std::string>("output_dir"), args.get<std::string>("postfix"),
                                                                  args.get<std::string>("extension"), args.get<bool>("parent"),
                                                                  args.get<std::string>("data_root_dir")});
    },
});

}  // namespace

std::string FolderLayout::filename(const std::string& subject, const Value& index, const Dict& more) const {
  const auto slash = subject.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : slash == 0 ? "/" : subject.substr(0, slash);
  const std::string stem = stem_of(slash == std::string::npos ? subject : subject.substr(slash + 1));
  fs::path below;
  if (!options_.data_root_dir.empty() && !folder.empty())
    below = fs::absolute(folder).lexically_normal().lexically_relative(fs::absolute(options_.data_root_dir + "/.").lexically_normal());
  std::string name = options_.postfix.empty() ? stem : stem + "_" + options_.postfix;
  if (!index.is_none()) name += "_" + index.str();
  for (const auto& [key, value] : more) name += "_" + key.str() + "-" + value.str();
  if (options_.parent) below /= stem;
  below /= name;
  std::string path = inside(options_.output_dir, below.lexically_normal()).lexically_normal().string();
  const std::string& ext = options_.extension;
  return path + (ext.empty() || ext[0] == '.' ? ext : "." + ext);
}

std::optional<Value> FolderLayout::attribute(std::string_view name) {
  if (name != "filename") return std::nullopt;
  auto self = std::static_pointer_cast<FolderLayout>(shared_from_this());
  return make_function("filename", [self](const CallArgs& args) -> Value {
    const Args bound =
        bind("filename", {optional("subject", "subject", ""), optional("idx", nullptr, ""), {.name = "kwargs", .doc = "", .rest = true}}, args);
    return self->filename(bound["subject"].str(), bound["idx"], bound["kwargs"].as_dict());
  });
}

}  // namespace vesal::transforms
