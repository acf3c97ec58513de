#include "cli/network_format.h"

#include "base/json.h"
#include "base/registry.h"
#include "bundle/expr_eval.h"

namespace vesal::cli {
namespace {

class Letters : public bundle::expr::Environment {
 public:
  explicit Letters(const ShapeLetters& letters) : letters_(letters) {}
  std::optional<Value> name(const std::string& name) const override {
    if (name == "p") return Value(letters_.p);
    if (name == "n") return Value(letters_.n);
    return std::nullopt;
  }
  Value reference(const std::string& id) const override {
    throw Error(ErrorKind::config, "a spatial shape refers to @" + id + "; it may use p and n");
  }

 private:
  ShapeLetters letters_;
};

std::int64_t extent(const Value& entry, const ShapeLetters& letters) {
  if (entry == Value("*")) return letters.any;
  if (!entry.is_string()) return cast<std::int64_t>(entry);
  return cast<std::int64_t>(bundle::expr::evaluate(bundle::expr::parse(entry.as_string()), std::make_shared<Letters>(letters)));
}

/// The entry called `usual`, or the first.
const std::pair<Value, Value>& pick(const Value& formats, const char* what, const char* usual) {
  const Dict& dict = formats.as_dict();
  if (dict.empty()) throw Error(ErrorKind::config, std::string(what) + " is empty");
  for (const auto& entry : dict)
    if (entry.first == Value(usual)) return entry;
  return *dict.begin();
}

DType dtype_of(const Dict& format) {
  const std::string& name = format.at("dtype").as_string();
  if (const auto type = dtype_from_name(name)) return *type;
  throw Error(ErrorKind::config, "dtype '" + name + "' is unknown");
}

}  // namespace

Shape NetworkFormat::input_shape(const ShapeLetters& letters) const {
  constexpr std::int64_t kLargest = 1 << 14, kMostVoxels = std::int64_t{1} << 31;
  Shape shape{1, input_channels};
  for (const Value& entry : spatial_shape)
    with_context("metadata: spatial_shape of " + input + ": " + entry.repr(), [&] {
      shape.push_back(extent(entry, letters));
      if (shape.back() < 1 || shape.back() > kLargest)
        throw Error(ErrorKind::config, std::to_string(shape.back()) + " is no extent, want 1.." + std::to_string(kLargest));
    });
  if (numel_of(shape) > kMostVoxels) throw Error(ErrorKind::memory, "an input of " + to_string(shape) + " is too large");
  return shape;
}

NetworkFormat network_format(const bundle::ConfigParser& parser) {
  if (!parser.get("_meta_", Value()).truthy())
    throw Error(ErrorKind::usage, "no metadata: name it with --meta_file (metadata.json beside the config file is found by itself)");
  const Value formats = parser.get("_meta_::network_data_format");
  return with_context("metadata: network_data_format", [&] {
    NetworkFormat out;
    const auto& [in_name, in] = pick(formats.as_dict().at("inputs"), "inputs", "image");
    const auto& [out_name, result] = pick(formats.as_dict().at("outputs"), "outputs", "pred");
    out.input = in_name.str();
    out.output = out_name.str();
    with_context("inputs: " + out.input, [&, &in = in] {
      out.input_channels = cast<std::int64_t>(in.as_dict().at("num_channels"));
      out.spatial_shape = in.as_dict().at("spatial_shape").items();
      out.input_dtype = dtype_of(in.as_dict());
      if (out.input_channels < 1 || out.spatial_shape.empty() || out.spatial_shape.size() > 4)
        throw Error(ErrorKind::config, std::to_string(out.input_channels) + " channels, " + std::to_string(out.spatial_shape.size()) + " axes");
    });
    with_context("outputs: " + out.output, [&, &result = result] {
      out.output_channels = cast<std::int64_t>(result.as_dict().at("num_channels"));
      out.output_dtype = dtype_of(result.as_dict());
    });
    return out;
  });
}

std::map<std::string, std::string> export_documents(const std::vector<std::filesystem::path>& config_files, const bundle::ConfigParser& parser) {
  std::map<std::string, std::string> documents;
  for (const auto& file : config_files)
    if (!documents.emplace(file.stem().string() + ".json", to_json(bundle::ConfigParser::load_config_file(file))).second)
      throw Error(ErrorKind::usage, "two config files are called '" + file.stem().string() + "'; the export needs different names");
  const Value meta = parser.get("_meta_", Value());
  documents["metadata.json"] = to_json(meta.is_none() ? Value(Dict()) : meta);
  return documents;
}

}  // namespace vesal::cli
