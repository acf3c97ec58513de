// SupervisedTrainer (monai.engines.SupervisedTrainer): batches through a network, its loss back, one optimizer step each.
#include <fmt/format.h>

#include <utility>

#include "base/random.h"
#include "base/ranks.h"
#include "bundle/checkpoint.h"
#include "infer/handler_tools.h"
#include "infer/inferer.h"
#include "infer/last_checkpoint.h"
#include "infer/workflow.h"
#include "nn/network.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/training_checks.h"

namespace vesal::train {
namespace {

using torch::Tensor;

/// Why a loader has no batch. MONAI's engines then do nothing; a training that did nothing would look like one that went well.
std::string why_empty(infer::Loader& loader) {
  const Value dataset = loader.attribute("dataset").value_or(Value()), size = loader.attribute("batch_size").value_or(Value());
  const std::int64_t items = dataset.is_object() ? dataset.as_object()->length().value_or(0) : 0;
  if (items == 0 || size.is_none()) return "the dataset is empty";
  return fmt::format("{} item{} not fill a batch of {}, and drop_last leaves out what is not full", items, items == 1 ? " does" : "s do", size.str());
}

class SupervisedTrainer : public infer::Workflow {
 public:
  SupervisedTrainer(Options options, const Args& args)
      : Workflow(std::move(options)),
        network_(args.get<nn::NetworkPtr>("network")),
        optimizer_(args.get<std::shared_ptr<Optimizer>>("optimizer")),
        loss_(args["loss_function"]),
        inferer_(args["inferer"]),
        set_to_none_(args.get<bool>("optim_set_to_none")) {
    if (!network_ || !optimizer_) throw Error(ErrorKind::config, "SupervisedTrainer wants a network and an optimizer");
    if (!loss_.is_object()) throw Error(ErrorKind::config, "SupervisedTrainer: loss_function is no loss but " + loss_.type_name());
    const bool plain = inferer_.is_none() || inferer_.object<infer::SimpleInferer>();
    if (inferer_.object<infer::Inferer>() && !plain)
      throw Error(ErrorKind::unsupported, "SupervisedTrainer trains through a SimpleInferer, not through " + inferer_.type_name());
    if (plain) inferer_ = Value();
    on(infer::Event::started, [](Workflow&) { infer::forget_checkpoint(); });
    // What libtorch draws (dropout) hangs on the epoch, not on the epochs this process has run before.
    on(infer::Event::epoch_started, [](Workflow& w) { torch::manual_seed(mix_seed(global_seed(), static_cast<std::uint64_t>(w.state().epoch))); });
  }
  std::string type_name() const override { return "SupervisedTrainer"; }
  /// Also the network and the optimizer, arrays copied by whoever writes them.
  Value memory() const override {
    Value memory = Workflow::memory();
    memory.mutable_dict()["network"] = bundle::to_value(own_network()->state_dict());
    memory.mutable_dict()["optimizer"] = optimizer_->state_dict();
    return memory;
  }
  void recall(const Value& memory) override {
    const Dict& m = memory.as_dict();
    own_network()->load_state_dict(bundle::find_state_dict(m.at("network")), true);
    optimizer_->load_state_dict(m.at("optimizer"));
    Workflow::recall(memory);
  }
  void run() override {
    if (state().epoch_length == 0) throw Error(ErrorKind::config, "there is nothing to train on: " + why_empty(*this->options().data_loader));
    Workflow::run();
  }
  std::optional<Value> attribute(std::string_view name) override {
    if (name == "network") return Value(network_);
    if (name == "optimizer") return Value(optimizer_);
    if (name == "loss_function") return loss_;
    return Workflow::attribute(name);
  }

 protected:
  std::string progress_title() const override { return fmt::format("epoch {}/{}", state().epoch, state().max_epochs); }

  void iterate(const infer::Batch& items) override {
    const Prepared p = prepare(items);
    network_->train(true);  // a validation may have changed it
    nn::use_thread_count();
    const torch::Device device = network_->device();
    const Tensor inputs = nn::to_tensor(p.inputs.to(DType::f32)).to(device);
    if (first_ && ranks::size() == 1)  // a pass of its own would have to meet those of the other ranks
      check_memory(Value(network_), loss_, options().data_loader->attribute("dataset").value_or(Value()), p.inputs.shape(), shape_of(p.targets));
    optimizer_->zero_grad(set_to_none_);
    const Value prediction = nn::torch_call([&] { return predict(inputs, p.extra); });
    Columns columns{{"image", p.inputs}, {"label", p.targets}, {"pred", detached(prediction)}};
    set_output(items, columns);
    fire(infer::Event::forward_completed);
    nn::torch_call([&] {
      const Tensor loss = loss_of(prediction, p.targets, device, items);
      if (loss.numel() != 1) throw Error(ErrorKind::shape, "the loss must be one number to train on, got " + to_string(loss.sizes().vec()));
      const double value = loss.item<double>();
      check_loss(value, state(), items, p.inputs);
      columns.emplace_back("loss", value);
      set_output(items, columns);
      fire(infer::Event::loss_completed);
      ranks::meeting([&] { loss.backward(); });
    });
    fire(infer::Event::backward_completed);
    optimizer_->step();
    if (std::exchange(first_, false)) report_memory();
    fire(infer::Event::model_completed);
  }

 private:
  /// Of an array or a tensor; else none.
  static Shape shape_of(const Value& targets) { return nn::is_tensor(targets) ? nn::shape_of(nn::tensor_of(targets)) : Shape(); }

  /// Without what wraps it for several ranks.
  nn::NetworkPtr own_network() const { return infer::unwrapped(Value(network_)).object<nn::Network>(); }

  /// A tensor, or a tuple of what a network with several outputs gives.
  Value predict(const Tensor& inputs, const CallArgs& extra) const {
    CallArgs args{{nn::to_value(inputs)}, extra.named};
    args.positional.insert(args.positional.end(), extra.positional.begin(), extra.positional.end());
    if (inferer_.is_none()) return network_->call(args);
    args.positional.insert(args.positional.begin() + 1, Value(network_));
    return call_value(inferer_, args);
  }

  static Value detached(const Value& prediction) {
    if (prediction.is_sequence()) {
      Tuple out;
      for (const Value& v : prediction.items()) out.items.push_back(detached(v));
      return out;
    }
    return nn::to_array(nn::tensor_of(prediction));
  }

  Tensor loss_of(const Value& prediction, const Value& targets, const torch::Device& device, const infer::Batch& items) const {
    const bool tensor = nn::is_tensor(targets);
    const Value target = tensor ? nn::to_value(nn::tensor_of(targets).to(device)) : targets;
    if (auto known = loss_.object<Loss>(); known && tensor && !prediction.is_sequence())
      return with_context(known->type_name() + ": " + described(items),
                          [&] { return nn::torch_call([&] { return known->forward(nn::tensor_of(prediction), nn::tensor_of(target)); }); });
    return nn::tensor_of(call_value(loss_, {{prediction, target}, {}}));
  }

  nn::NetworkPtr network_;
  std::shared_ptr<Optimizer> optimizer_;
  Value loss_, inferer_;
  bool set_to_none_, first_ = true;
};

std::vector<Param> trainer_params() {
  std::vector<Param> params{required("device", "where the network runs"),    required("max_epochs", "epochs to train"),
                            required("train_data_loader", "the batches"),    required("network", "the network"),
                            required("optimizer", "changes its parameters"), required("loss_function", "callable (prediction, target) -> loss")};
  for (Param& p : infer::engine_params("key_train_metric", "train_handlers")) {
    if (p.name == "to_kwargs") params.push_back(optional("optim_set_to_none", false, "free gradients between iterations"));
    params.push_back(std::move(p));
  }
  return params;
}

const Register trainer({
    .kind = "engine",
    .name = "SupervisedTrainer",
    .summary = "Train a network on batches of images and labels",
    .params = trainer_params(),
    .make = [](const Args& args) -> Value {
      infer::Workflow::Options options = infer::Workflow::options(args, "train_data_loader", "key_train_metric", "train_handlers");
      options.max_epochs = args.get<std::int64_t>("max_epochs");
      return std::make_shared<SupervisedTrainer>(std::move(options), args);
    },
});

}  // namespace
}  // namespace vesal::train
