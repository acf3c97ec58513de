#include "infer/evaluator.h"

#include "bundle/expr_runtime.h"

namespace vesal::infer {
namespace {

class SupervisedEvaluator : public Evaluator {
 public:
  SupervisedEvaluator(Options options, Value network, Value inferer)
      : Evaluator(std::move(options)), network_(std::move(network)), inferer_(std::move(inferer)) {}
  std::string type_name() const override { return "SupervisedEvaluator"; }
  std::optional<Value> attribute(std::string_view name) override {
    if (name == "network") return network_;
    if (name == "inferer") return inferer_;
    return Evaluator::attribute(name);
  }

 protected:
  void iterate(const Batch& items) override {
    {  // in a scope: nobody but the output may hold the prediction when it is postprocessed
      const Prepared p = prepare(items);
      set_output(items, {{"image", p.inputs}, {"label", p.targets}, {"pred", infer(inferer_, network_, p)}});
    }
    fire(Event::forward_completed);
    fire(Event::model_completed);
  }

 private:
  Value network_, inferer_;
};

/// Several networks on the same input, each with its own key in the output.
class EnsembleEvaluator : public Evaluator {
 public:
  EnsembleEvaluator(Options options, std::vector<Value> networks, std::vector<std::string> keys, Value inferer)
      : Evaluator(std::move(options)), networks_(std::move(networks)), keys_(std::move(keys)), inferer_(std::move(inferer)) {
    if (keys_.empty())
      for (std::size_t i = 0; i < networks_.size(); ++i) keys_.push_back("pred_" + std::to_string(i));
    if (keys_.size() != networks_.size())
      throw Error(ErrorKind::config, std::to_string(keys_.size()) + " pred_keys for " + std::to_string(networks_.size()) + " networks");
  }
  std::string type_name() const override { return "EnsembleEvaluator"; }

 protected:
  void iterate(const Batch& items) override {
    {
      const Prepared p = prepare(items);
      Columns columns{{"image", p.inputs}, {"label", p.targets}};
      for (std::size_t i = 0; i < networks_.size(); ++i) columns.emplace_back(keys_[i], infer(inferer_, networks_[i], p));
      set_output(items, columns);
    }
    fire(Event::forward_completed);
    fire(Event::model_completed);
  }

 private:
  std::vector<Value> networks_;
  std::vector<std::string> keys_;
  Value inferer_;
};

const Register supervised({
    .kind = "engine",
    .name = "SupervisedEvaluator",
    .summary = "A network over a data set, with postprocessing, metrics and handlers",
    .params = evaluator_params({required("network", "a network, or anything that is called with a batch")}),
    .make = [](const Args& args) -> Value {
      return std::make_shared<SupervisedEvaluator>(evaluator_options(args), args["network"], inferer_or_simple(args));
    },
});

const Register ensemble({
    .kind = "engine",
    .name = "EnsembleEvaluator",
    .summary = "Several networks over a data set; each result has its own key",
    .params = evaluator_params({required("networks", "a list of networks"),
                                optional("pred_keys", nullptr, "a key for each result; pred_0, pred_1, ...")}),
    .make = [](const Args& args) -> Value {
      return std::make_shared<EnsembleEvaluator>(
          evaluator_options(args), args.get<std::vector<Value>>("networks"),
          args.is_none("pred_keys") ? std::vector<std::string>() : args.get<std::vector<std::string>>("pred_keys"), inferer_or_simple(args));
    },
});

}  // namespace

Value Evaluator::infer(const Value& inferer, const Value& network, const Prepared& batch) {
  if (auto known = inferer.object<Inferer>()) return known->infer(batch.inputs, forward_of(network, batch.extra)).value();
  CallArgs args{{batch.inputs, network}, batch.extra.named};
  args.positional.insert(args.positional.end(), batch.extra.positional.begin(), batch.extra.positional.end());
  return call_value(inferer, args);
}

void Evaluator::run_as_epoch(std::int64_t global_epoch) {
  state().max_epochs = global_epoch;
  state().epoch = global_epoch - 1;
  state().iteration = 0;
  Workflow::run();
}

std::optional<Value> Evaluator::attribute(std::string_view name) {
  if (name != "run") return Workflow::attribute(name);
  return make_function("run", [self = std::static_pointer_cast<Evaluator>(shared_from_this())](const CallArgs& args) -> Value {
    const bundle::expr::Unbounded room;
    self->run_as_epoch(bind("run", {optional("global_epoch", 1, "the number this pass is counted as")}, args).get<std::int64_t>("global_epoch"));
    return {};
  });
}

std::vector<Param> evaluator_params(const std::vector<Param>& networks) {
  std::vector<Param> params{required("device", "where the network runs"), required("val_data_loader", "the batches")};
  params.insert(params.end(), networks.begin(), networks.end());
  for (Param& p : engine_params("key_val_metric", "val_handlers")) {
    if (p.name == "event_names") params.push_back(optional("mode", "eval", "eval; networks are never evaluated in training mode"));
    params.push_back(std::move(p));
  }
  return params;
}

Workflow::Options evaluator_options(const Args& args) {
  if (const Value& mode = args["mode"]; !mode.is_none() && mode.str() != "eval")
    throw Error(ErrorKind::unsupported, args.component() + ": mode " + mode.repr() + "; only eval is available");
  return Workflow::options(args, "val_data_loader", "key_val_metric", "val_handlers");
}

Value inferer_or_simple(const Args& args) { return args.is_none("inferer") ? Value(std::make_shared<SimpleInferer>()) : args["inferer"]; }

}  // namespace vesal::infer
