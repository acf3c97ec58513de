// `vesal info model.pt`: what a checkpoint holds.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bundle/checkpoint.h"
#include "bundle/safetensors.h"
#include "cli/info.h"

namespace vesal::cli {
namespace {

using bundle::CheckpointFormat;
namespace fs = std::filesystem;

bool is_checkpoint(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return false;
  constexpr std::array kEndings{".pt", ".pth", ".ts", ".ckpt", ".safetensors"};
  if (std::find(kEndings.begin(), kEndings.end(), path.extension()) != kEndings.end()) return true;
  try {
    return bundle::checkpoint_format(path) != CheckpointFormat::unknown;
  } catch (const Error&) { return false; }
}

/// Batch norm's statistics are in a state_dict but are no parameters.
bool is_buffer(const std::string& name) {
  constexpr std::array<std::string_view, 3> kBuffers{"running_mean", "running_var", "num_batches_tracked"};
  return std::any_of(kBuffers.begin(), kBuffers.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

void describe_state(Dict& out, const bundle::StateDict& state) {
  std::int64_t parameters = 0, buffers = 0, bytes = 0;
  Dict types;
  List tensors;
  for (const auto& [name, array] : state) {
    (is_buffer(name) ? buffers : parameters) += array.numel();
    bytes += static_cast<std::int64_t>(array.nbytes());
    const std::string type(vesal::name_of(array.dtype()));
    Value& count = types[type];
    count = count.is_none() ? 1 : count.as_int() + 1;
    List shape;
    for (std::int64_t extent : array.shape()) shape.items.emplace_back(extent);
    tensors.items.push_back(Dict{{"name", name}, {"dtype", type}, {"shape", std::move(shape)}});
  }
  out["parameters"] = parameters;
  out["buffer_elements"] = buffers;
  out["tensor_bytes"] = bytes;
  out["tensor_count"] = state.size();
  out["dtypes"] = std::move(types);
  out["tensors"] = std::move(tensors);
}

Dict describe(const fs::path& path) {
  const CheckpointFormat format = bundle::checkpoint_format(path);
  Dict out{{"file", path.string()}, {"kind", "checkpoint"}, {"format", bundle::name_of(format)}, {"file_bytes", fs::file_size(path)}};
  if (format == CheckpointFormat::safetensors) {
    bundle::SafetensorsMetadata metadata;
    describe_state(out, bundle::read_safetensors(path, &metadata));
    Dict strings;
    for (const auto& [key, value] : metadata) strings[key] = value;
    out["metadata"] = std::move(strings);
    return out;
  }
  const Value tree = bundle::read_checkpoint(path);
  std::string wrapper;
  try {
    const bundle::StateDict state = bundle::find_state_dict(tree, "", &wrapper);
    if (!wrapper.empty()) out["state_dict_key"] = wrapper;
    describe_state(out, state);
  } catch (const Error& e) { out["note"] = e.what(); }
  if (tree.is_dict() && (!wrapper.empty() || out.contains("note"))) {
    Dict keys;
    for (const auto& [key, value] : tree.as_dict()) {
      const bool small = value.is_none() || value.is_number() || (value.is_string() && value.as_string().size() < 200);
      keys[key.str()] = small ? value : Value(value.type_name());
    }
    out["keys"] = std::move(keys);
  }
  return out;
}

std::string print(const Dict& d) {
  std::string s;
  for (const auto& [key, value] : d) {
    if (key == Value("tensors")) continue;
    s += fmt::format("{:<16} {}\n", key.str(), value.str());
  }
  const Value* tensors = d.find("tensors");
  if (!tensors) return s;
  std::size_t width = 4;
  for (const Value& t : tensors->items()) width = std::max(width, t.as_dict().at("name").as_string().size());
  s += fmt::format("\n{:<{}}  {:<9} shape\n", "name", width, "dtype");
  for (const Value& t : tensors->items())
    s += fmt::format("{:<{}}  {:<9} {}\n", t.as_dict().at("name").as_string(), width, t.as_dict().at("dtype").as_string(),
                     t.as_dict().at("shape").repr());
  return s;
}

const RegisterDescriber registered({.kind = "checkpoint", .priority = 20, .matches = is_checkpoint, .describe = describe, .print = print});

}  // namespace
}  // namespace vesal::cli
