// Evaluators: a network over a data set, without training (monai.engines).
#pragma once
#include <vector>

#include "infer/inferer.h"
#include "infer/workflow.h"

namespace vesal::infer {

class Evaluator : public Workflow {
 public:
  using Workflow::Workflow;
  /// One pass, counted as epoch `global_epoch`: what a trainer asks for when it validates. The best metric is kept between runs.
  void run_as_epoch(std::int64_t global_epoch);
  void run() override { run_as_epoch(1); }
  std::optional<Value> attribute(std::string_view name) override;  ///< run(global_epoch=1) and all of Workflow's

 protected:
  /// What the inferer makes of a batch with this network: arrays, as the network returns them.
  static Value infer(const Value& inferer, const Value& network, const Prepared& batch);
};

/// The arguments all evaluators have, in the peer's order; `networks` stand third.
std::vector<Param> evaluator_params(const std::vector<Param>& networks);
Workflow::Options evaluator_options(const Args& args);
/// The argument `inferer`; None is a SimpleInferer.
Value inferer_or_simple(const Args& args);

}  // namespace vesal::infer
