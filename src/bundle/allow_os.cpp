// os, os.path, glob: paths are joined, taken apart and looked up; folders can be made, as configurations do for their output.
// Nothing is deleted, written or started, and of the environment only what launchers of distributed training set can be read.
#include <algorithm>
#include <cstdlib>

#include "base/ranks.h"
#include "bundle/allow.h"
#include "bundle/expr_runtime.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;

const char* const kVariables[]{"RANK",       "LOCAL_RANK",  "WORLD_SIZE",  "LOCAL_WORLD_SIZE",    "NODE_RANK",
                               "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT", "CUDA_VISIBLE_DEVICES"};

Value variable(const std::string& name, const Value* fallback) {
  if (std::find(std::begin(kVariables), std::end(kVariables), name) == std::end(kVariables))
    throw Error(ErrorKind::refused, "environment variable '" + name + "' is not on the allow-list");
  if (const char* text = std::getenv(name.c_str())) return text;
  // Slurm and Kubernetes say the same by other names.
  if (const auto seat = ranks::seat_from_environment()) {
    if (name == "RANK") return std::to_string(seat->rank);
    if (name == "WORLD_SIZE") return std::to_string(seat->size);
    if (name == "LOCAL_RANK") return std::to_string(seat->local_rank);
    if (name == "LOCAL_WORLD_SIZE") return std::to_string(seat->local_size);
    if (name == "MASTER_ADDR") return seat->address;
    if (name == "MASTER_PORT") return std::to_string(seat->port);
  }
  if (fallback) return *fallback;
  throw Error(ErrorKind::config,
              "environment variable '" + name + "' is not set; a launcher of several processes sets it: `vesal launch --ranks N -- bundle run ...`");
}

/// os.environ["LOCAL_RANK"]
class Environ : public Object {
 public:
  std::string type_name() const override { return "environ"; }
  std::optional<Value> index(const Value& key) override { return variable(key.as_string(), nullptr); }
  std::optional<Value> attribute(std::string_view name) override {
    if (name != "get") return std::nullopt;
    return make_function("os.environ.get", [](const CallArgs& call) {
      const Args a = bind("os.environ.get", {required("key", "name"), optional("default", nullptr, "if not set")}, call);
      return variable(a["key"].as_string(), &a["default"]);
    });
  }
};

Value join(const CallArgs& args) {
  std::string path;
  for (const Value& v : args.positional) {
    const std::string part = path_text(v);
    path = part.starts_with('/') || path.empty() ? part : path.ends_with('/') ? path + part : path + "/" + part;
  }
  if (args.positional.empty()) expr::fail("os.path.join needs an argument");
  return path;
}

/// "a/b/" as ("a/b", "").
std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  std::string head = path.substr(0, slash + 1);
  if (const auto end = head.find_last_not_of('/'); end != std::string::npos) head.resize(end + 1);
  return {head, path.substr(slash + 1)};
}

std::pair<std::string, std::string> split_extension(const std::string& path) {
  const std::string base = split(path).second;
  const auto dot = base.rfind('.');
  if (dot == std::string::npos || base.find_first_not_of('.') > dot) return {path, ""};
  return {path.substr(0, path.size() - (base.size() - dot)), base.substr(dot)};
}

Value normal(const std::string& path) {
  std::string text = fs::path(path).lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text.empty() ? "." : text;
}

std::string absolute(const std::string& path) { return path.starts_with('/') ? path : fs::current_path().string() + "/" + path; }

std::string only_path(const CallArgs& args) {
  if (args.positional.size() != 1 || !args.named.empty()) expr::fail("one path is expected");
  return path_text(args.positional[0]);
}

template <class F>
Function::Body of_path(F f) {
  return [f](const CallArgs& args) -> Value { return f(only_path(args)); };
}

std::string expanded(const std::string& path) {
  const char* home = std::getenv("HOME");
  return home && (path == "~" || path.starts_with("~/")) ? home + path.substr(1) : path;
}

const AllowFunctions functions{
    {"os.path.join", join},
    {"os.path.exists", of_path([](const std::string& p) {
       std::error_code ec;
       return fs::exists(p, ec);
     })},
    {"os.path.isfile", of_path([](const std::string& p) {
       std::error_code ec;
       return fs::is_regular_file(p, ec);
     })},
    {"os.path.isdir", of_path([](const std::string& p) {
       std::error_code ec;
       return fs::is_directory(p, ec);
     })},
    {"os.path.getsize", of_path([](const std::string& p) {
       std::error_code ec;
       const auto size = fs::file_size(p, ec);
       if (ec) throw Error(ErrorKind::not_found, p + ": " + ec.message());
       return static_cast<std::int64_t>(size);
     })},
    {"os.path.basename", of_path([](const std::string& p) { return split(p).second; })},
    {"os.path.dirname", of_path([](const std::string& p) { return split(p).first; })},
    {"os.path.split", of_path([](const std::string& p) {
       return Tuple{{split(p).first, split(p).second}};
     })},
    {"os.path.splitext", of_path([](const std::string& p) {
       return Tuple{{split_extension(p).first, split_extension(p).second}};
     })},
    {"os.path.normpath", of_path([](const std::string& p) { return normal(p); })},
    {"os.path.abspath", of_path([](const std::string& p) { return normal(absolute(p)); })},
    {"os.path.realpath", of_path([](const std::string& p) {
       std::error_code ec;
       return fs::weakly_canonical(absolute(p), ec).string();
     })},
    {"os.path.isabs", of_path([](const std::string& p) { return p.starts_with('/'); })},
    {"os.path.expanduser", of_path(expanded)},
    {"os.getcwd", [](const CallArgs&) { return Value(fs::current_path().string()); }},
    {"os.fspath", of_path([](const std::string& p) { return p; })},
};
const AllowBound listdir("os.listdir", {optional("path", ".", "a folder")}, [](const Args& a) {
  const std::string folder = path_text(a["path"]);
  std::error_code ec;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    expr::spend();
    names.push_back(it->path().filename().string());
  }
  if (ec) throw Error(ErrorKind::not_found, folder + ": " + ec.message());
  std::sort(names.begin(), names.end());
  return Value(List{{names.begin(), names.end()}});
});
const AllowBound makedirs("os.makedirs",
                          {required("name", "a folder"), optional("mode", 0777, "ignored"), optional("exist_ok", false, "no error if it is there")},
                          [](const Args& a) {
                            const std::string folder = path_text(a["name"]);
                            std::error_code ec;
                            if (!fs::create_directories(folder, ec) && !ec && !a.get<bool>("exist_ok")) expr::fail(folder + " is there already");
                            if (ec) throw Error(ErrorKind::io, folder + ": " + ec.message());
                            return Value();
                          });
const AllowBound glob({"glob.glob", "glob.iglob"}, {required("pathname", "the pattern"), optional("recursive", false, "** goes through all folders")},
                      [](const Args& a) {
                        const auto found = glob_files(path_text(a["pathname"]), a.get<bool>("recursive"));
                        return Value(List{{found.begin(), found.end()}});
                      });
const Allow environ("os.environ", Value(std::make_shared<Environ>()));
const Allow getenv_function("os.getenv", [](const CallArgs& args) { return call_value(*Environ().attribute("get"), args); });
const Allow separator("os.sep", "/");
const Allow path_separator("os.path.sep", "/");
const Allow line_separator("os.linesep", "\n");
// Python code of bundles is never imported, so where it would be looked for means nothing.
const Allow sys_path("sys.path.append", [](const CallArgs&) { return Value(); });
const Allow sys_path_insert("sys.path.insert", [](const CallArgs&) { return Value(); });

}  // namespace
}  // namespace vesal::bundle
