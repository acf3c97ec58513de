// pathlib.Path, for joining, looking up and reading; mkdir makes folders.
#include "base/file.h"
#include "bundle/allow.h"
#include "bundle/expr_runtime.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;

Value made(fs::path p) {
  std::string text = p.lexically_normal().string();
  // pathlib keeps "..", and drops a slash at the end.
  if (text.find("..") != std::string::npos || p.string().find("..") != std::string::npos) text = p.string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return std::make_shared<PathObject>(text.empty() ? "." : text);
}

Value joined(const CallArgs& args) {
  fs::path p;
  for (const Value& v : args.positional) p /= path_text(v);
  return made(p);
}

Value make_folder(const fs::path& path, const CallArgs& call) {
  const Args a = bind("mkdir",
                      {optional("mode", 0777, "ignored"), optional("parents", false, "make the folders above too"),
                       optional("exist_ok", false, "no error if it is there")},
                      call);
  std::error_code ec;
  const bool fresh = a.get<bool>("parents") ? fs::create_directories(path, ec) : fs::create_directory(path, ec);
  if (ec) throw Error(ErrorKind::io, path.string() + ": " + ec.message());
  if (!fresh && !a.get<bool>("exist_ok")) expr::fail(path.string() + " is there already");
  return {};
}

Value paths(const std::vector<std::string>& found) {
  List list;
  for (const std::string& f : found) list.items.push_back(made(f));
  return list;
}

using Method = Value (*)(const fs::path& path, const CallArgs& args);
const std::map<std::string_view, Method> kMethods{
    {"exists",
     [](const fs::path& p, const CallArgs&) -> Value {
       std::error_code ec;
       return fs::exists(p, ec);
     }},
    {"is_file",
     [](const fs::path& p, const CallArgs&) -> Value {
       std::error_code ec;
       return fs::is_regular_file(p, ec);
     }},
    {"is_dir",
     [](const fs::path& p, const CallArgs&) -> Value {
       std::error_code ec;
       return fs::is_directory(p, ec);
     }},
    {"absolute", [](const fs::path& p, const CallArgs&) -> Value { return made(fs::absolute(p)); }},
    {"resolve",
     [](const fs::path& p, const CallArgs&) -> Value {
       std::error_code ec;
       return made(fs::weakly_canonical(fs::absolute(p), ec));
     }},
    {"as_posix", [](const fs::path& p, const CallArgs&) -> Value { return p.string(); }},
    {"read_text", [](const fs::path& p, const CallArgs&) -> Value { return read_text(p, expr::kMaxString); }},
    {"mkdir", make_folder},
    {"joinpath",
     [](const fs::path& p, const CallArgs& args) -> Value {
       CallArgs all{{p.string()}, {}};
       all.positional.insert(all.positional.end(), args.positional.begin(), args.positional.end());
       return joined(all);
     }},
    {"glob",
     [](const fs::path& p, const CallArgs& args) -> Value { return paths(glob_files((p / path_text(args.positional.at(0))).string(), true)); }},
    {"rglob",
     [](const fs::path& p, const CallArgs& args) -> Value {
       return paths(glob_files((p / "**" / path_text(args.positional.at(0))).string(), true));
     }},
    {"iterdir", [](const fs::path& p, const CallArgs&) -> Value { return paths(glob_files((p / "*").string(), false)); }},
    {"with_suffix",
     [](const fs::path& p, const CallArgs& args) -> Value { return made(fs::path(p).replace_extension(args.positional.at(0).as_string())); }},
    {"with_name",
     [](const fs::path& p, const CallArgs& args) -> Value { return made(fs::path(p).replace_filename(args.positional.at(0).as_string())); }},
};

const AllowFunctions classes{{"pathlib.Path", joined}, {"pathlib.PurePath", joined}};

}  // namespace

std::optional<Value> PathObject::attribute(std::string_view name) {
  if (name == "name") return Value(path.filename().string());
  if (name == "stem") return Value(path.stem().string());
  if (name == "suffix") return Value(path.extension().string());
  if (name == "parent") return made(path.has_parent_path() ? path.parent_path() : fs::path("."));
  if (name == "parts") {
    Tuple t;
    for (const auto& part : path) t.items.emplace_back(part.string());
    return t;
  }
  const auto it = kMethods.find(name);
  if (it == kMethods.end()) return std::nullopt;
  return make_function("Path." + std::string(name), [p = path, method = it->second, name = it->first](const CallArgs& args) {
    try {
      return method(p, args);
    } catch (const std::out_of_range&) { expr::fail("Path." + std::string(name) + " needs an argument"); }
  });
}

}  // namespace vesal::bundle
