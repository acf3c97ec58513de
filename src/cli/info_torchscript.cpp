// `vesal info model.ts`: what a TorchScript archive carries beside the network. Nothing of it is run.
#include "base/json.h"
#include "bundle/checkpoint.h"
#include "bundle/torchscript_archive.h"
#include "cli/info.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

bool matches(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return false;
  try {
    return bundle::is_torchscript(path);
  } catch (const Error&) { return false; }
}

Dict describe(const fs::path& path) {
  const bundle::TorchscriptFacts archive = bundle::torchscript_facts(path);
  Dict out{{"file", path.string()},      {"kind", "network"},
           {"format", "torchscript"},    {"file_bytes", fs::file_size(path)},
           {"tensors", archive.tensors}, {"tensor_bytes", archive.tensor_bytes}};
  try {
    bundle::check_torchscript_code(path);
  } catch (const Error& e) { out["refused"] = e.what(); }
  List documents;
  for (const auto& [name, text] : archive.documents) documents.items.emplace_back(name);
  out["documents"] = std::move(documents);
  const auto metadata = archive.documents.find("metadata.json");
  if (metadata == archive.documents.end()) return out;
  const Value meta = with_context(path.string() + ": metadata.json", [&] { return parse_json(metadata->second); });
  for (const char* key : {"name", "version", "task", "description", "authors", "copyright", "monai_version"})
    if (const Value* value = meta.is_dict() ? meta.as_dict().find(key) : nullptr) out[key] = *value;
  return out;
}

const RegisterDescriber registered({.kind = "network", .priority = 30, .matches = matches, .describe = describe, .print = {}});

}  // namespace
}  // namespace vesal::cli
