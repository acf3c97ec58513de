// TorchScript archives (torch.jit.save, MONAI's ckpt_export): a whole network in one file, run by libtorch.
#pragma once
#include <filesystem>
#include <string>

#include "nn/network.h"

namespace vesal::nn {

/// The network of a `.ts` file, in evaluation mode. It takes as many inputs as its forward() does and gives a tensor, a tuple or list
/// of tensors, or a dict of tensors by name. Throws Error(format) when the archive is broken, Error(refused) when its code could reach
/// files, Error(unsupported) for other formats.
NetworkPtr load_torchscript(const std::filesystem::path& path, const std::string& device = "cpu");

}  // namespace vesal::nn
