// TorchPiece: operators of a network that libtorch runs, as one function of arrays.
#pragma once
#include "nn/flat_program.h"

namespace vesal::nn {

/// Runs operators one after the other and lets go of each tensor after its last use. Copies share the operators; one thread at a time.
class TorchPiece {
 public:
  /// `ops` of one program in their order; `inputs` and `outputs` are numbers of its tensors.
  TorchPiece(std::vector<FlatOp> ops, std::vector<std::size_t> inputs, std::vector<std::size_t> outputs);
  /// Dense float32 arrays in and out.
  std::vector<Array> operator()(const std::vector<Array>& inputs) const;

 private:
  std::vector<FlatOp> ops_;
  std::vector<std::vector<std::size_t>> dead_;  ///< per operator the tensors that nobody needs after it
  std::vector<std::size_t> inputs_, outputs_;
};

}  // namespace vesal::nn
