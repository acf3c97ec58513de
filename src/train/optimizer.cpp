#include "train/optimizer.h"

#include "nn/tensor.h"

namespace vesal::train {

using torch::Tensor;

Dict settings_of(const Args& args) {
  Dict settings;
  for (const auto& [name, value] : args.all())
    if (name.as_string() != "params") settings[name] = value;
  return settings;
}

void check_settings(const Dict& settings, std::initializer_list<const char*> not_negative) {
  for (const char* name : not_negative)
    if (!(settings.at(name).as_float() >= 0)) throw Error(ErrorKind::config, std::string(name) + " must be no less than 0");
  const Value* betas = settings.find("betas");
  if (!betas) return;
  if (!betas->is_sequence() || betas->items().size() != 2) throw Error(ErrorKind::config, "betas must be two numbers");
  for (const Value& beta : betas->items())
    if (!(beta.as_float() >= 0 && beta.as_float() < 1)) throw Error(ErrorKind::config, "betas must lie in [0, 1)");
}

Optimizer::Optimizer(std::string name, const Value& params, const Dict& defaults) : name_(std::move(name)) {
  const auto tensors = [](const Value& list) {
    std::vector<Tensor> out;
    const std::vector<Value> one{list};
    for (const Value& v : list.is_sequence() ? list.items() : one) out.push_back(nn::tensor_of(v));
    return out;
  };
  if (!params.is_sequence() || params.items().empty()) throw Error(ErrorKind::config, name_ + ": params must be a list of parameters or of groups");
  if (!params.items()[0].is_dict()) {
    groups_.push_back({tensors(params), Dict(defaults)});
  } else {
    for (const Value& given : params.items()) {
      Dict settings = defaults;
      for (const auto& [key, value] : given.as_dict())
        if (key.as_string() != "params") settings[key] = value;
      groups_.push_back({tensors(given.as_dict().at("params")), std::move(settings)});
    }
  }
  std::size_t count = 0;
  for (Group& group : groups_) {
    if (!group.settings.as_dict().contains("initial_lr")) group.settings.mutable_dict()["initial_lr"] = group.setting("lr");
    for (const Tensor& p : group.params)
      if (!p.is_leaf() || !p.is_floating_point()) throw Error(ErrorKind::config, name_ + ": params must be the parameters of a network");
    count += group.params.size();
  }
  memories_.resize(count);
}

Tensor& Optimizer::Memory::buffer(const std::string& name, const Tensor& like) {
  Tensor& found = buffers[name];
  if (!found.defined()) found = torch::zeros_like(like, torch::MemoryFormat::Preserve);
  return found;
}

void Optimizer::step() {
  const torch::NoGradGuard no_grad;
  nn::torch_call([&] {
    std::size_t i = 0;
    for (Group& group : groups_) {
      for (Tensor& p : group.params) {
        Memory& memory = memories_[i++];
        if (!p.grad().defined()) continue;
        ++memory.step;
        update(p, p.grad(), memory, group);
      }
    }
  });
}

void Optimizer::zero_grad(bool set_to_none) {
  for (Group& group : groups_) {
    for (Tensor& p : group.params) {
      if (!p.grad().defined()) continue;
      if (set_to_none) p.mutable_grad().reset();
      else p.mutable_grad().detach_().zero_();
    }
  }
}

Value Optimizer::state_dict() const {
  Dict state;
  List groups;
  std::int64_t i = 0;
  for (const Group& group : groups_) {
    Dict settings = group.settings.as_dict();
    List numbers;
    for (std::size_t k = 0; k < group.params.size(); ++k, ++i) {
      numbers.items.emplace_back(i);
      const Memory& memory = memories_[static_cast<std::size_t>(i)];
      if (memory.step == 0) continue;
      Dict entry{{"step", Array::full({}, DType::f32, static_cast<double>(memory.step))}};
      for (const auto& [name, tensor] : memory.buffers) entry[name] = nn::to_array(tensor.contiguous());
      state[i] = std::move(entry);
    }
    settings["params"] = std::move(numbers);
    groups.items.push_back(std::move(settings));
  }
  return Dict{{"state", std::move(state)}, {"param_groups", std::move(groups)}};
}

void Optimizer::load_state_dict(const Value& given) {
  const auto fail = [&](const std::string& why) { throw Error(ErrorKind::weights, "the state does not fit " + name_ + ": " + why); };
  if (!given.is_dict() || !given.as_dict().contains("state") || !given.as_dict().contains("param_groups")) fail("it is no state of an optimizer");
  const auto& groups = given.as_dict().at("param_groups").items();
  if (groups.size() != groups_.size()) fail(std::to_string(groups.size()) + " parameter groups instead of " + std::to_string(groups_.size()));
  const Dict& state = given.as_dict().at("state").as_dict();

  std::vector<Memory> memories(memories_.size());
  std::size_t i = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto& numbers = groups[g].as_dict().at("params").items();
    if (numbers.size() != groups_[g].params.size())
      fail(std::to_string(numbers.size()) + " parameters instead of " + std::to_string(groups_[g].params.size()) + ": is it of another network?");
    for (std::size_t k = 0; k < numbers.size(); ++k, ++i) {
      const Value* entry = state.find(numbers[k]);
      if (!entry) continue;
      for (const auto& [key, value] : entry->as_dict()) {
        if (key.as_string() == "step") {
          memories[i].step = static_cast<std::int64_t>(value.is_array() ? value.as_array().item() : value.as_float());
        } else if (value.is_array()) {
          const Tensor& p = groups_[g].params[k];
          Tensor buffer = nn::to_tensor(value.as_array()).to(p.device(), p.scalar_type(), false, true);
          if (buffer.dim() > 0 && buffer.sizes() != p.sizes())
            fail(key.as_string() + " of parameter " + std::to_string(i) + " is " + to_string(nn::shape_of(buffer)) + ", the parameter " +
                 to_string(nn::shape_of(p)) + ": is it of another network?");
          memories[i].buffers[key.as_string()] = std::move(buffer);
        }
      }
      memories[i].step = std::max<std::int64_t>(memories[i].step, 1);  // SGD keeps no count
    }
  }
  memories_ = std::move(memories);
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const auto& [key, value] : groups[g].as_dict())
      if (key.as_string() != "params") groups_[g].settings.mutable_dict()[key] = value;
}

std::optional<Value> Optimizer::attribute(std::string_view name) {
  const auto self = std::static_pointer_cast<Optimizer>(shared_from_this());
  if (name == "param_groups") {
    List list;
    for (const Group& group : groups_) list.items.push_back(group.settings);
    return Value(std::move(list));
  }
  if (name == "step") return make_function("step", [self](const CallArgs&) -> Value { return self->step(), Value(); });
  if (name == "zero_grad") {
    return make_function("zero_grad", [self](const CallArgs& args) -> Value {
      self->zero_grad(vesal::bind("zero_grad", {optional("set_to_none", false, "free the gradients")}, args).get<bool>("set_to_none"));
      return {};
    });
  }
  if (name == "state_dict") return make_function("state_dict", [self](const CallArgs&) { return self->state_dict(); });
  if (name == "load_state_dict") {
    return make_function("load_state_dict", [self](const CallArgs& args) -> Value {
      self->load_state_dict(vesal::bind("load_state_dict", {required("state_dict", "what state_dict() gave")}, args)["state_dict"]);
      return {};
    });
  }
  return std::nullopt;
}

}  // namespace vesal::train
