// torch.nn.parallel.DistributedDataParallel: the same network on every rank, its gradients averaged over the ranks.
#include <algorithm>

#include "base/ranks.h"
#include "nn/gradient_averager.h"
#include "nn/network.h"

namespace vesal::nn {
namespace {

class DistributedDataParallel : public Network {
 public:
  struct Options {
    bool broadcast_buffers = true, find_unused = false;
    std::int64_t bucket_bytes = 25 << 20;
  };
  DistributedDataParallel(NetworkPtr module, const Options& options)
      : Network("DistributedDataParallel"), module_(std::move(module)), options_(options) {
    connect();
  }

  Tensors forward(const Tensors& inputs) override {
    const bool learning = torch::GradMode::is_enabled();
    share_buffers();
    Tensors outputs = module_->forward(inputs);
    buffers_moved_ = learning;
#ifdef VESAL_C10D
    if (averager_ && learning) averager_->prepare(outputs);
#endif
    return outputs;
  }
  std::vector<Array> predict(const std::vector<Array>& inputs) override {
    share_buffers();
    buffers_moved_ = false;
    return module_->predict(inputs);
  }
  std::vector<std::string> output_keys() const override { return module_->output_keys(); }
  void train(bool on) override { module_->train(on); }
  bool training() const override { return module_->training(); }
  void to(const torch::Device& device) override { module_->to(device); }
  torch::Device device() const override { return module_->device(); }
  std::vector<std::pair<std::string, Tensor>> named_parameters() const override { return prefixed(module_->named_parameters()); }
  std::vector<std::pair<std::string, Tensor>> named_state() const override { return prefixed(module_->named_state()); }
  std::optional<Value> attribute(std::string_view name) override {
    if (name == "module") return Value(module_);
    return Network::attribute(name);
  }

 private:
  static std::vector<std::pair<std::string, Tensor>> prefixed(std::vector<std::pair<std::string, Tensor>> list) {
    for (auto& entry : list) entry.first = "module." + entry.first;
    return list;
  }

  void connect() {
#ifdef VESAL_C10D
    group_ = tensor_group();
    if (!group_) return;
    std::vector<Tensor> everything, parameters;
    std::string shapes;
    for (const auto& [name, tensor] : module_->named_state()) {
      everything.push_back(tensor);
      shapes += name + to_string(shape_of(tensor));
    }
    for (const std::string& theirs : ranks::gather("DistributedDataParallel", shapes))
      if (theirs != shapes) throw Error(ErrorKind::config, "the ranks have different networks: other layers or sizes");
    group_->broadcast(everything);
    std::vector<std::pair<std::string, Tensor>> learning;
    for (const auto& entry : module_->named_parameters()) {
      parameters.push_back(entry.second);
      if (entry.second.requires_grad()) learning.push_back(entry);
    }
    for (const Tensor& tensor : everything)
      if (std::none_of(parameters.begin(), parameters.end(), [&](const Tensor& p) { return p.is_same(tensor); })) buffers_.push_back(tensor);
    if (learning.empty()) throw Error(ErrorKind::config, "DistributedDataParallel: no parameter of " + module_->type_name() + " learns");
    averager_ = std::make_unique<GradientAverager>(learning, group_, GradientAverager::Options{options_.bucket_bytes, options_.find_unused});
#endif
  }

  /// Running means and the like are rank 0's at every forward pass, as in PyTorch: before each training pass, and before the first
  /// evaluation after one.
  void share_buffers() {
#ifdef VESAL_C10D
    if (group_ && options_.broadcast_buffers && buffers_moved_ && !buffers_.empty()) group_->broadcast(buffers_);
#endif
  }

  NetworkPtr module_;
  Options options_;
  bool buffers_moved_ = true;
#ifdef VESAL_C10D
  std::shared_ptr<TensorGroup> group_;
  std::vector<Tensor> buffers_;
  std::unique_ptr<GradientAverager> averager_;
#endif
};

const Register component({
    .kind = "network",
    .name = "torch.nn.parallel.DistributedDataParallel",
    .aliases = {"torch.nn.parallel.distributed.DistributedDataParallel"},
    .summary = "A network that learns the same on every rank: gradients are averaged over the ranks",
    .params = {required("module", "the network"), optional("device_ids", nullptr, "accepted; the network stays where it is"),
               optional("output_device", nullptr, "accepted; outputs stay where they are"), optional("dim", 0, "accepted; batches are not split"),
               optional("broadcast_buffers", true, "rank 0's buffers (running means) at each forward pass"),
               optional("process_group", nullptr, "only the one of all ranks"), optional("bucket_cap_mb", 25, "gradients travel in such parts"),
               optional("find_unused_parameters", false, "some parameters may have no part in an output"),
               optional("check_reduction", false, "accepted"), optional("gradient_as_bucket_view", false, "accepted"),
               optional("static_graph", false, "accepted")},
    .make = [](const Args& args) -> Value {
      const auto module = args.get<NetworkPtr>("module");
      if (!module) throw Error(ErrorKind::config, "module is no network");
      if (!args.is_none("process_group")) throw Error(ErrorKind::unsupported, "process_group: only the one of all ranks");
      if (!ranks::started()) throw Error(ErrorKind::config, "torch.distributed.init_process_group() comes before DistributedDataParallel");
      DistributedDataParallel::Options o;
      o.broadcast_buffers = args.get<bool>("broadcast_buffers");
      o.find_unused = args.get<bool>("find_unused_parameters");
      const double megabytes = args.get<double>("bucket_cap_mb");
      if (!(megabytes > 0 && megabytes < 4096)) throw Error(ErrorKind::config, "bucket_cap_mb must be positive");
      o.bucket_bytes = static_cast<std::int64_t>(megabytes * (1 << 20));
      return std::make_shared<DistributedDataParallel>(module, o);
    },
});

}  // namespace
}  // namespace vesal::nn
