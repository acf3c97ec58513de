#include "train/loss.h"

#include <mutex>
#include <set>

#include "base/log.h"
#include "nn/tensor.h"

namespace vesal::train {

using torch::Tensor;

Reduction parse_reduction(const std::string& name) {
  if (name == "none") return Reduction::none;
  if (name == "mean") return Reduction::mean;
  if (name == "sum") return Reduction::sum;
  throw Error(ErrorKind::config, "reduction '" + name + "', want none, mean or sum");
}

Tensor reduce(const Tensor& loss, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean: return loss.mean();
    case Reduction::sum: return loss.sum();
    case Reduction::none: break;
  }
  return loss;
}

Value Loss::call(const CallArgs& args) {
  const Args bound = bind(name_, {required("input", "predictions"), required("target", "ground truth")}, args);
  return with_context(name_, [&]() -> Value {
    const torch::NoGradGuard no_grad;
    Tensor input = nn::tensor_of(bound["input"]);
    const Tensor target = nn::tensor_of(bound["target"]);
    if (!input.is_floating_point()) input = input.to(torch::kFloat32);
    const Tensor loss = nn::torch_call([&] { return forward(input, target); });
    if (loss.numel() == 1 && loss.dim() == 0) return loss.item<double>();
    return nn::to_array(loss);
  });
}

std::optional<Tensor> parse_weights(const Args& args, const std::string& name) {
  if (args.is_none(name)) return std::nullopt;
  const Value& v = args[name];
  Tensor weights;
  if (v.is_array()) {
    weights = nn::to_tensor(v.as_array()).to(torch::kFloat32).clone();
  } else if (v.is_sequence()) {
    weights = torch::tensor(args.get<std::vector<double>>(name), torch::kFloat32);
  } else {
    weights = torch::tensor(args.get<double>(name), torch::kFloat32);
  }
  if (weights.dim() > 1 || weights.numel() == 0)
    throw Error(ErrorKind::config, args.component() + ": " + name + " must be a number or one number per class");
  if (!(weights.min().item<double>() >= 0)) throw Error(ErrorKind::config, args.component() + ": " + name + " must be no less than 0");
  return weights;
}

Tensor apply_weights(const Tensor& loss, const std::optional<Tensor>& weights, std::int64_t classes, int channel_axis) {
  if (!weights || classes == 1) return loss;
  if (weights->dim() == 0) return loss * weights->to(loss);
  if (weights->size(0) != classes)
    throw Error(ErrorKind::shape, std::to_string(weights->size(0)) + " weights for " + std::to_string(classes) +
                                      " classes (without include_background the background has none)");
  std::vector<std::int64_t> shape(loss.dim(), 1);
  shape[channel_axis] = classes;
  return loss * weights->to(loss).view(shape);
}

Tensor one_hot(const Tensor& labels, std::int64_t classes, const Tensor& like) {
  if (labels.dim() < 2 || labels.size(1) != 1)
    throw Error(ErrorKind::shape, "to_onehot_y wants labels [B, 1, ...], got " + to_string(labels.sizes().vec()));
  const Tensor index = labels.to(torch::kInt64);
  if (index.numel() > 0) {
    const auto [low, high] = torch::aminmax(index);
    if (low.item<std::int64_t>() < 0 || high.item<std::int64_t>() >= classes)
      throw Error(ErrorKind::shape, "labels reach from " + std::to_string(low.item<std::int64_t>()) + " to " +
                                        std::to_string(high.item<std::int64_t>()) + ", the prediction has " + std::to_string(classes) + " classes");
  }
  std::vector<std::int64_t> shape = labels.sizes().vec();
  shape[1] = classes;
  return torch::zeros(shape, like.options()).scatter_(1, index, 1);
}

Preparation Preparation::read(const Args& args) {
  Preparation p{args.get<bool>("include_background"), args.get<bool>("to_onehot_y"), args.get<bool>("sigmoid"), args.get<bool>("softmax")};
  if (!args.is_none("other_act")) throw Error(ErrorKind::unsupported, args.component() + ": other_act: only sigmoid and softmax are available");
  if (p.sigmoid && p.softmax) throw Error(ErrorKind::config, args.component() + ": sigmoid and softmax exclude each other");
  return p;
}

std::pair<Tensor, Tensor> Preparation::apply(Tensor input, Tensor target) const {
  if (input.dim() < 2) throw Error(ErrorKind::shape, "predictions must be [B, C, ...], got " + to_string(input.sizes().vec()));
  if (sigmoid) input = torch::sigmoid(input);
  const std::int64_t classes = input.size(1);
  const auto ignored = [&](bool flag, const char* name) {
    if (flag && classes == 1) warn_once(std::string("a prediction of one channel: ") + name + " is ignored");
    return flag && classes > 1;
  };
  if (ignored(softmax, "softmax=True")) input = torch::softmax(input, 1);
  if (ignored(to_onehot_y, "to_onehot_y=True")) target = one_hot(target, classes, input.detach());
  if (ignored(!include_background, "include_background=False")) {
    input = input.slice(1, 1);
    if (target.dim() > 1) target = target.slice(1, 1);
  }
  if (target.sizes() != input.sizes())
    throw Error(ErrorKind::shape, "ground truth " + to_string(target.sizes().vec()) + " against predictions " + to_string(input.sizes().vec()));
  return {input, target.to(input.scalar_type())};
}

std::vector<Param> preparation_params() {
  return {optional("include_background", true, "count channel 0 too"),
          optional("to_onehot_y", false, "turn labels [B, 1, ...] into one channel per class"),
          optional("sigmoid", false, "apply a sigmoid to the predictions"),
          optional("softmax", false, "apply a softmax over the channels of the predictions"),
          optional("other_act", nullptr, "another activation; not available")};
}

std::vector<Param> operator+(std::vector<Param> a, const std::vector<Param>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void warn_once(const std::string& message) {
  static std::mutex mutex;
  static std::set<std::string> given;
  const std::lock_guard lock(mutex);
  if (given.insert(message).second) log::warning("{}", message);
}

void check_dense(const Tensor& input, const Tensor& target) {
  if (input.dim() < 2 || input.dim() != target.dim() || (target.size(1) != 1 && target.size(1) != input.size(1)))
    throw Error(ErrorKind::shape, "predictions " + to_string(input.sizes().vec()) +
                                      " want a ground truth of as many axes with 1 or as many channels, got " + to_string(target.sizes().vec()));
}

}  // namespace vesal::train
