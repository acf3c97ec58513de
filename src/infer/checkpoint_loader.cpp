// CheckpointLoader (monai.handlers.CheckpointLoader on ignite's Checkpoint.load_objects): weights and states from a file.
#include "base/log.h"
#include "bundle/checkpoint.h"
#include "infer/handler_tools.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;

/// Entries whose name and shape the network has.
bundle::StateDict fitting(const bundle::StateDict& given, const bundle::StateDict& own) {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, array] : own) shapes[name] = array.shape();
  bundle::StateDict out;
  for (const auto& entry : given)
    if (const auto found = shapes.find(entry.first); found != shapes.end() && found->second == entry.second.shape()) out.push_back(entry);
  return out;
}

class CheckpointLoader : public Handler {
 public:
  CheckpointLoader(fs::path path, Dict targets, bool strict, bool strict_shape)
      : path_(std::move(path)), targets_(std::move(targets)), strict_(strict && strict_shape), strict_shape_(strict_shape) {
    if (targets_.empty()) throw Error(ErrorKind::config, "load_dict is empty: nothing to load to");
  }
  std::string type_name() const override { return "CheckpointLoader"; }

  void attach(Workflow& engine) override {
    engine.on(Event::started, [self = std::static_pointer_cast<CheckpointLoader>(shared_from_this())](Workflow& w) { self->load(w); });
  }
  Value call(const CallArgs& args) override {
    load(*engine_of(type_name(), args));
    return {};
  }

 private:
  void load(Workflow& engine) const {
    State& state = engine.state();
    const std::int64_t max_epochs = state.max_epochs;
    with_context("loading " + path_.string(), [&] { load_targets(); });
    if (state.epoch > max_epochs)
      throw Error(ErrorKind::config, "the checkpoint " + path_.string() + " is of epoch " + std::to_string(state.epoch) + ", max_epochs is only " +
                                         std::to_string(max_epochs));
    state.max_epochs = max_epochs;
    engine.logger().info("Restored all variables from " + path_.string());
  }

  void load_targets() const {
    if (!fs::exists(path_)) throw Error(ErrorKind::not_found, "no such file");
    if (bundle::is_torchscript(path_))
      throw Error(ErrorKind::unsupported, "a TorchScript archive is a whole network, not a state_dict; load it as one with torch.jit.load");
    const Value checkpoint = bundle::read_checkpoint(path_);
    for (const auto& [key, target] : targets_) load_one(checkpoint, key.as_string(), target);
  }

  void load_one(const Value& checkpoint, const std::string& key, const Value& given) const {
    const Value target = unwrapped(given);
    if (auto network = std::dynamic_pointer_cast<bundle::Stateful>(target.is_object() ? target.as_object() : nullptr)) {
      bundle::StateDict state = bundle::find_state_dict(checkpoint, key);
      if (!strict_shape_) state = fitting(state, network->state_dict());
      const bundle::LoadReport report = network->load_state_dict(state, strict_);
      if (!report.exact()) log::warning("{}: {}", path_.string(), report.summary());
      return;
    }
    if (!strict_shape_) {
      log::warning("{}: '{}' is no network and is left as it is, as strict_shape is false", path_.string(), key);
      return;
    }
    const Value* found = checkpoint.is_dict() ? checkpoint.as_dict().find(key) : nullptr;
    if (!found && targets_.size() > 1) throw Error(ErrorKind::weights, "no entry '" + key + "' in the checkpoint");
    call_method(target, "load_state_dict", {{found ? *found : checkpoint}, {}});
  }

  fs::path path_;
  Dict targets_;
  bool strict_, strict_shape_;
};

const Register loader({
    .kind = "handler",
    .name = "CheckpointLoader",
    .summary = "Load networks, optimizers and engines from a checkpoint when an engine starts, or at once when called with it",
    .params = {required("load_path", "the file"), required("load_dict", "{name in the file: object}"),
               optional("name", nullptr, "accepted; lines go to the engine's log"),
               optional("map_location", nullptr, "accepted; weights go where the network is"), optional("strict", true, "all names must fit"),
               optional("strict_shape", true, "shapes must fit; false skips what does not and loads networks only")},
    .make = [](const Args& args) -> Value {
      return std::make_shared<CheckpointLoader>(args.get<std::string>("load_path"), args["load_dict"].as_dict(), args.get<bool>("strict"),
                                                args.get<bool>("strict_shape"));
    },
});

}  // namespace
}  // namespace vesal::infer
