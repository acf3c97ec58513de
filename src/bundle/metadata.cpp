#include "bundle/metadata.h"

#include <algorithm>

#include "bundle/expr_eval.h"

namespace vesal::bundle {
namespace {

/// The letters of a spatial_shape.
class SizeNames : public expr::Environment {
 public:
  SizeNames(std::int64_t p, std::int64_t n) : p_(p), n_(n) {}
  std::optional<Value> name(const std::string& name) const override {
    if (name == "p") return p_;
    if (name == "n") return n_;
    throw Error(ErrorKind::config, "a size may use n and p, not '" + name + "'");
  }
  Value reference(const std::string& id) const override { throw Error(ErrorKind::config, "a size cannot refer to @" + id); }

 private:
  std::int64_t p_, n_;
};

class Faults {
 public:
  std::vector<std::string> lines;

  void add(const std::string& id, const std::string& fault) { lines.push_back(id + ": " + fault); }
  /// The value of a key if it is there and as it should be.
  const Value* check(const Dict& dict, const std::string& above, const std::string& key, bool (*right)(const Value&), const char* wanted,
                     bool needed) {
    const std::string id = above.empty() ? key : above + "::" + key;
    const Value* v = dict.find(key);
    if (!v) {
      if (needed) add(id, "is missing");
      return nullptr;
    }
    if (right(*v)) return v;
    add(id, "must be " + std::string(wanted) + ", not " + v->repr().substr(0, 100));
    return nullptr;
  }
};

bool is_text(const Value& v) { return v.is_string(); }
bool is_dict(const Value& v) { return v.is_dict(); }
bool is_bool(const Value& v) { return v.is_bool(); }
bool is_count(const Value& v) { return v.is_int() && v.as_int() >= 0; }
bool is_list(const Value& v) { return v.is_list(); }
bool is_dtype_name(const Value& v) { return v.is_string() && dtype_from_name(v.as_string()); }
bool is_version(const Value& v) {
  return is_text(v) && !v.as_string().empty() && std::all_of(v.as_string().begin(), v.as_string().end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '-' || c == '+' || c == '_';
         });
}
bool is_shape(const Value& v) {
  if (!v.is_list()) return false;
  try {
    for (const Value& size : v.items()) (void)spatial_size(size);
  } catch (const Error&) { return false; }
  return true;
}
/// [] if unknown, [MIN, MAX], or the values there are.
bool is_range(const Value& v) {
  if (!v.is_list()) return false;
  const auto& values = v.items();
  if (!std::all_of(values.begin(), values.end(), [](const Value& n) { return n.is_number() || n.is_string(); })) return false;
  return values.size() != 2 || !values[0].is_number() || !values[1].is_number() || values[0].as_float() <= values[1].as_float();
}

/// Of formats beside the main network's only what they say is checked.
void check_tensor(Faults& faults, const std::string& id, const Dict& spec) {
  const Value* type = faults.check(spec, id, "type", is_text, "what sort of data it is, such as \"image\"", true);
  const bool tensor = id.starts_with("network_data_format::") && (!type || *type != Value("object"));  // an object of Python's has no shape
  faults.check(spec, id, "format", is_text, "what is stored, such as \"segmentation\"", tensor);
  faults.check(spec, id, "modality", is_text, "a text such as \"CT\"", false);
  faults.check(spec, id, "num_channels", is_count, "a count of channels", tensor);
  faults.check(spec, id, "spatial_shape", is_shape, "a list of sizes: numbers, \"*\", or expressions of n and p", tensor);
  faults.check(spec, id, "dtype", is_dtype_name, "a type such as \"float32\"", tensor);
  faults.check(spec, id, "value_range", is_range, "[MIN, MAX], the values there are, or []", true);
  faults.check(spec, id, "is_patch_data", is_bool, "true or false", false);
  faults.check(spec, id, "channel_def", is_dict, "a dict of channel numbers and what they hold", false);
}

void check_data_format(Faults& faults, const std::string& id, const Dict& format) {
  for (const char* side : {"inputs", "outputs"}) {
    const Value* sides = faults.check(format, id, side, is_dict, "a dict of names and what they hold", true);
    if (!sides) continue;
    for (const auto& [name, spec] : sides->as_dict()) {
      const std::string below = id + "::" + side + "::" + name.str();
      if (spec.is_dict()) check_tensor(faults, below, spec.as_dict());
      else if (!spec.is_number() && !spec.is_string()) faults.add(below, "must be a dict, a number, a text or a boolean");
    }
  }
}

struct Property {
  const char* name;
  const char* id;
};
constexpr Property kTrain[]{{"bundle_root", "bundle_root"},
                            {"device", "device"},
                            {"dataset_dir", "dataset_dir"},
                            {"trainer", "train::trainer"},
                            {"max_epochs", "train::trainer::max_epochs"},
                            {"train_dataset", "train::dataset"},
                            {"train_inferer", "train::inferer"}};
constexpr Property kInfer[]{{"bundle_root", "bundle_root"}, {"device", "device"},           {"dataset_dir", "dataset_dir"}, {"dataset", "dataset"},
                            {"evaluator", "evaluator"},     {"network_def", "network_def"}, {"inferer", "inferer"}};
constexpr const char* kMeta[]{"version", "monai_version", "pytorch_version", "numpy_version"};

}  // namespace

std::int64_t spatial_size(const Value& size, std::int64_t p, std::int64_t n, std::int64_t any) {
  Value v = size;
  if (size.is_string() && size.as_string() == "*") v = any;
  else if (size.is_string()) v = expr::evaluate(expr::parse(size.as_string()), std::make_shared<SizeNames>(p, n));
  if (!v.is_int() || v.as_int() < 1) throw Error(ErrorKind::config, size.repr() + " is no size");
  return v.as_int();
}

std::vector<std::string> metadata_faults(const Value& metadata) {
  if (!metadata.is_dict()) return {"metadata must be a dict, not a " + metadata.type_name()};
  const Dict& dict = metadata.as_dict();
  Faults faults;
  faults.check(dict, "", "version", is_version, "a version made of letters, digits and . - + _", true);
  for (const char* key : {"monai_version", "pytorch_version", "numpy_version", "task", "description", "authors", "copyright"})
    faults.check(dict, "", key, is_text, "a text", true);
  const bool old = dict.contains("optional_packages_version");  // its name before MONAI 1.5
  faults.check(dict, "", old ? "optional_packages_version" : "required_packages_version", is_dict, "a dict of packages and versions", true);
  faults.check(dict, "", "changelog", is_dict, "a dict of versions and what changed", false);
  faults.check(dict, "", "eval_metrics", is_dict, "a dict of names and numbers", false);
  faults.check(dict, "", "references", is_list, "a list of publications", false);
  bool any_format = false;
  for (const auto& [key, value] : dict) {
    if (!key.is_string() || !key.as_string().ends_with("_data_format")) continue;
    any_format = true;
    if (value.is_dict()) check_data_format(faults, key.as_string(), value.as_dict());
    else faults.add(key.as_string(), "must be a dict with inputs and outputs");
  }
  if (!any_format) faults.add("network_data_format", "is missing");
  return faults.lines;
}

std::vector<std::string> missing_properties(const ConfigParser& parser, const std::string& workflow_type) {
  const auto any_of = [&](std::initializer_list<const char*> names) { return std::find(names.begin(), names.end(), workflow_type) != names.end(); };
  const bool train = any_of({"train", "training"});
  if (!train && !any_of({"infer", "inference", "eval", "evaluation"}))
    throw Error(ErrorKind::usage, "workflow type '" + workflow_type + "' is none of train, training, infer, inference, eval, evaluation");
  std::vector<std::string> missing;
  for (const Property& p : train ? std::span<const Property>(kTrain) : std::span<const Property>(kInfer))
    if (!parser.contains(p.id)) missing.push_back(std::string(p.name) + (p.name == std::string(p.id) ? "" : " (id " + std::string(p.id) + ")"));
  for (const char* key : kMeta)
    if (!parser.contains(std::string("_meta_::") + key)) missing.push_back(std::string(key) + " (of the metadata)");
  return missing;
}

}  // namespace vesal::bundle
