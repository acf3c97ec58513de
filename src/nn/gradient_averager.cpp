#include "nn/gradient_averager.h"

#ifdef VESAL_C10D
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <unordered_set>

namespace vesal::nn {
namespace {

using torch::autograd::Node;

/// Everything the outputs were computed from.
std::unordered_set<const Node*> reachable(const Tensors& outputs) {
  std::unordered_set<const Node*> seen;
  std::vector<Node*> open;
  const auto visit = [&](Node* node) {
    if (node && seen.insert(node).second) open.push_back(node);
  };
  for (const Tensor& t : outputs)
    if (t.requires_grad()) visit(t.grad_fn().get());
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    for (const auto& edge : node->next_edges()) visit(edge.function.get());
  }
  return seen;
}

}  // namespace

GradientAverager::GradientAverager(std::vector<std::pair<std::string, Tensor>> parameters, std::shared_ptr<TensorGroup> group, const Options& options)
    : options_(options), group_(std::move(group)) {
  for (auto& [name, tensor] : parameters) parameters_.push_back({name, tensor});
  constexpr std::int64_t kFirst = 1 << 20;  // a small one, so that the travelling begins early
  std::int64_t bytes = 0;
  for (std::size_t i = parameters_.size(); i-- > 0;) {
    const Tensor& t = parameters_[i].tensor;
    const std::int64_t limit = buckets_.size() <= 1 ? std::min(kFirst, options_.bucket_bytes) : options_.bucket_bytes;
    const bool other = !buckets_.empty() && parameters_[buckets_.back().parameters[0]].tensor.scalar_type() != t.scalar_type();
    if (buckets_.empty() || other || bytes >= limit) {
      buckets_.emplace_back();
      bytes = 0;
    }
    bytes += static_cast<std::int64_t>(t.nbytes());
    parameters_[i].bucket = buckets_.size() - 1;
    buckets_.back().parameters.push_back(i);
    auto accumulator = torch::autograd::impl::grad_accumulator(t);
    parameters_[i].hook = accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
        [this, i](const torch::autograd::variable_list& outputs, const torch::autograd::variable_list&) {
          const std::lock_guard lock(mutex_);
          if (expecting_ && !finishing_) {
            finishing_ = true;
            torch::autograd::Engine::get_default_engine().queue_callback([this] { finish(); });
          }
          ready(i, true);
          return outputs;
        }));
    parameters_[i].accumulator = std::move(accumulator);
  }
}

GradientAverager::~GradientAverager() {
  for (Parameter& p : parameters_) p.accumulator->del_post_hook(p.hook);
}

void GradientAverager::prepare(const Tensors& outputs) {
  const std::lock_guard lock(mutex_);
  next_ = 0;
  expecting_ = true;
  finishing_ = false;
  for (Bucket& b : buckets_) {
    b.waiting = b.parameters.size();
    b.work.reset();
  }
  for (Parameter& p : parameters_) p.ready = p.used = false;
  if (!options_.find_unused) return;
  const auto nodes = reachable(outputs);
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!nodes.contains(parameters_[i].accumulator.get())) ready(i, false);
}

/// Called with the lock held.
void GradientAverager::ready(std::size_t parameter, bool used) {
  if (!expecting_) return;
  Parameter& p = parameters_[parameter];
  if (p.ready)
    throw Error(ErrorKind::unsupported, "parameter " + p.name + " gets its gradient twice in one backward pass: the network is evaluated in parts");
  p.ready = true;
  p.used = used;
  --buckets_[p.bucket].waiting;
  while (next_ < buckets_.size() && buckets_[next_].waiting == 0) send(buckets_[next_++]);
}

void GradientAverager::send(Bucket& bucket) {
  const torch::NoGradGuard no_grad;
  Tensors parts;
  for (const std::size_t i : bucket.parameters) {
    const Parameter& p = parameters_[i];
    const Tensor& gradient = p.tensor.grad();
    parts.push_back(p.used && gradient.defined() ? gradient.detach().reshape({-1}) : torch::zeros({p.tensor.numel()}, p.tensor.options()));
  }
  bucket.flat = {torch::cat(parts).div_(ranks::size())};
  ranks::meeting([&] { bucket.work = group_->process_group(bucket.flat[0].device())->allreduce(bucket.flat); });
}

void GradientAverager::finish() {
  const torch::NoGradGuard no_grad;
  const std::lock_guard lock(mutex_);
  expecting_ = false;
  std::string idle;
  std::size_t count = 0;
  for (const Parameter& p : parameters_)
    if (!p.ready && count++ == 0) idle = p.name;
  if (count)
    throw Error(ErrorKind::config, std::to_string(count) + " parameters have no part in the loss (the first is " + idle +
                                       "): give DistributedDataParallel find_unused_parameters=true");
  ranks::meeting([&] {
    // Where no rank used a parameter, its gradient stays as it is.
    std::vector<Tensor> used;
    if (options_.find_unused) {
      used = {torch::zeros({static_cast<std::int64_t>(parameters_.size())}, torch::kInt32)};
      for (std::size_t i = 0; i < parameters_.size(); ++i) used[0].data_ptr<std::int32_t>()[i] = parameters_[i].used;
      group_->wait(*group_->process_group(torch::kCPU)->allreduce(used), "gradients");
    }
    for (Bucket& bucket : buckets_) {
      group_->wait(*bucket.work, "gradients");
      std::int64_t at = 0;
      for (const std::size_t i : bucket.parameters) {
        Parameter& p = parameters_[i];
        const std::int64_t n = p.tensor.numel();
        if (used.empty() || used[0].data_ptr<std::int32_t>()[i] > 0) {
          const Tensor mean = bucket.flat[0].narrow(0, at, n).view(p.tensor.sizes());
          if (p.tensor.grad().defined()) p.tensor.mutable_grad().detach().copy_(mean);
          else p.tensor.mutable_grad() = mean.clone();
        }
        at += n;
      }
      bucket.flat.clear();
      bucket.work.reset();
    }
  });
}

}  // namespace vesal::nn
#endif
