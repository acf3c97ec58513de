// Optimizer: changes parameters along their gradients (torch.optim).
#pragma once
#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "base/registry.h"

namespace vesal::train {

/// Attributes for expressions: param_groups, step(), zero_grad(set_to_none=False), state_dict(), load_state_dict(dict), in PyTorch's
/// form. One thread at a time.
class Optimizer : public Object {
 public:
  /// Parameters with the same settings ("lr", "weight_decay", ...), a dict.
  struct Group {
    std::vector<torch::Tensor> params;
    Value settings;
    double setting(const char* name) const { return settings.as_dict().at(name).as_float(); }
    bool flag(const char* name) const { return settings.as_dict().at(name).truthy(); }
  };
  /// params: tensors, or dicts {"params": tensors, setting: value}; defaults: settings that a dict does not give.
  Optimizer(std::string name, const Value& params, const Dict& defaults);
  std::string type_name() const override { return name_; }
  std::optional<Value> attribute(std::string_view name) override;

  void step();  ///< parameters without a gradient stay as they are
  void zero_grad(bool set_to_none = false);
  std::vector<Group>& groups() { return groups_; }

  /// {"state": {number: {"step": ..., buffer: array}}, "param_groups": [{settings, "params": [numbers]}]}
  Value state_dict() const;
  /// Throws Error(weights) if groups or shapes differ from this optimizer's.
  void load_state_dict(const Value& state);

 protected:
  /// What is remembered of one parameter.
  struct Memory {
    std::int64_t step = 0;
    std::map<std::string, torch::Tensor> buffers;
    /// The buffer of that name, zeros like `like` at first.
    torch::Tensor& buffer(const std::string& name, const torch::Tensor& like);
  };
  /// One step of one parameter, without autograd; memory.step counts from 1.
  virtual void update(torch::Tensor& parameter, const torch::Tensor& gradient, Memory& memory, const Group& group) = 0;

 private:
  std::string name_;
  std::vector<Group> groups_;
  std::vector<Memory> memories_;  ///< in the order of the parameters of all groups
};

/// The arguments of a component but for params, as settings of a group.
Dict settings_of(const Args& args);
/// Throws Error(config) unless betas are two numbers in [0, 1) and the named settings no less than 0.
void check_settings(const Dict& settings, std::initializer_list<const char*> not_negative);

}  // namespace vesal::train
