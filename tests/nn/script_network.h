// Networks written as TorchScript in a test.
#pragma once
#include <torch/script.h>

#include <map>

#include "nn/torchscript.h"
#include "paths.h"

namespace vesal::tests {

/// The network whose forward() is this text; `self.name` are its weights.
inline nn::NetworkPtr script(const std::string& source, const std::map<std::string, torch::Tensor>& weights = {}) {
  torch::jit::Module module("Drawn");
  module.register_attribute("training", c10::BoolType::get(), false);
  for (const auto& [name, tensor] : weights) module.register_parameter(name, tensor, false);
  module.define(source);
  const TempDir dir;
  module.save((dir / "drawn.ts").string());
  return nn::load_torchscript(dir / "drawn.ts");
}

}  // namespace vesal::tests
