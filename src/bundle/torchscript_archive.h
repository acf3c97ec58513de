// What can be known of a TorchScript archive (torch.jit.save) without running it.
#pragma once
#include <filesystem>
#include <map>
#include <string>

namespace vesal::bundle {

/// Throws Error(refused) if the code of an archive names an operator that reads or writes files; Error(format) when it is broken.
void check_torchscript_code(const std::filesystem::path& path);

struct TorchscriptFacts {
  std::map<std::string, std::string> documents;  ///< files put in beside the network, by name: "metadata.json", "inference.json"
  std::uint64_t tensors = 0, tensor_bytes = 0;
};
TorchscriptFacts torchscript_facts(const std::filesystem::path& path);

}  // namespace vesal::bundle
