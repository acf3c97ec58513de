// TensorBoardStatsHandler (monai.handlers) and the SummaryWriter it writes with (torch.utils.tensorboard): curves of losses and metrics.
#include "infer/event_file.h"
#include "infer/handler_tools.h"

namespace vesal::infer {
namespace {

/// Attributes: add_scalar(tag, scalar_value, global_step=None, walltime=None), flush(), close(), log_dir.
class SummaryWriter : public Object {
 public:
  explicit SummaryWriter(const std::string& folder) : file(folder), folder_(folder) {}
  std::string type_name() const override { return "SummaryWriter"; }
  std::optional<Value> attribute(std::string_view name) override {
    const auto self = std::static_pointer_cast<SummaryWriter>(shared_from_this());
    if (name == "log_dir") return Value(folder_);
    if (name == "flush" || name == "close")
      return make_function(std::string(name), [self](const CallArgs&) -> Value { return self->file.flush(), Value(); });
    if (name != "add_scalar") return std::nullopt;
    return make_function("add_scalar", [self](const CallArgs& args) -> Value {
      const Args a = bind("add_scalar",
                          {required("tag", "name of the curve"), required("scalar_value", "a number"),
                           optional("global_step", nullptr, "where it stands"), optional("walltime", nullptr, "accepted; the time is now"),
                           optional("new_style", false, "accepted"), optional("double_precision", false, "accepted; numbers are kept as float32")},
                          args);
      if (!is_scalar(a["scalar_value"])) throw Error(ErrorKind::config, "add_scalar wants one number, got " + a["scalar_value"].type_name());
      self->file.add(a.get<std::string>("tag"), scalar_of(a["scalar_value"]), a.is_none("global_step") ? 0 : a.get<std::int64_t>("global_step"));
      return {};
    });
  }
  EventFile file;

 private:
  std::string folder_;
};

class TensorBoardStatsHandler : public Handler {
 public:
  explicit TensorBoardStatsHandler(const Args& args)
      : a_(args),
        writer_(args.is_none("summary_writer") ? std::make_shared<SummaryWriter>(args.get<std::string>("log_dir"))
                                               : args.get<std::shared_ptr<SummaryWriter>>("summary_writer")) {}
  std::string type_name() const override { return "TensorBoardStatsHandler"; }

  void attach(Workflow& engine) override {
    auto self = std::static_pointer_cast<TensorBoardStatsHandler>(shared_from_this());
    const auto listen = [&](Event event, const char* flag, const char* writer, void (TensorBoardStatsHandler::*write)(Workflow&)) {
      if (!a_[flag].truthy()) return;
      const auto run = [self, writer, write](Workflow& w) {
        if (self->a_.is_none(writer)) ((*self).*write)(w);
        else call_value(self->a_[writer], {{Value(w.shared_from_this()), Value(self->writer_)}, {}});
        self->writer_->file.flush();
      };
      engine.on(event, run, filter_of(a_[flag]));
    };
    listen(Event::iteration_completed, "iteration_log", "iteration_event_writer", &TensorBoardStatsHandler::write_iteration);
    listen(Event::epoch_completed, "epoch_log", "epoch_event_writer", &TensorBoardStatsHandler::write_epoch);
  }
  std::optional<Value> attribute(std::string_view name) override {
    if (name != "close") return std::nullopt;
    return make_function("close", [writer = writer_](const CallArgs&) -> Value { return writer->file.flush(), Value(); });
  }

 private:
  void write_epoch(Workflow& engine) {
    Value epoch = engine.state().epoch;
    if (!a_.is_none("global_epoch_transform")) epoch = call_value(a_["global_epoch_transform"], {{epoch}, {}});
    const auto write = [&](const std::string& name, const Value& value) {
      if (is_scalar(value)) writer_->file.add(name, scalar_of(value), cast<std::int64_t>(epoch));
    };
    for (const auto& [name, value] : engine.state().metrics) write(name.str(), value);
    if (a_.is_none("state_attributes")) return;
    for (const std::string& name : a_.get<std::vector<std::string>>("state_attributes"))
      write(name, engine.state().attribute(name).value_or(Value()));
  }

  void write_iteration(Workflow& engine) {
    for (const auto& [name, value] : iteration_scalars(a_, engine.state().output)) writer_->file.add(name, value, engine.state().iteration);
  }

  Args a_;
  std::shared_ptr<SummaryWriter> writer_;
};

const Register writer({
    .kind = "handler",
    .name = "torch.utils.tensorboard.SummaryWriter",
    .aliases = {"tensorboardX.SummaryWriter"},
    .summary = "An event file that TensorBoard opens",
    .params = {optional("log_dir", "./runs", "folder")},
    .make = [](const Args& args) -> Value { return std::make_shared<SummaryWriter>(args.get<std::string>("log_dir")); },
});

const Register stats({
    .kind = "handler",
    .name = "TensorBoardStatsHandler",
    .summary = "Write losses after iterations and metrics after epochs to an event file that TensorBoard opens",
    .params = {optional("summary_writer", nullptr, "a SummaryWriter; its own one in log_dir without it"), optional("log_dir", "./runs", "folder"),
               optional("iteration_log", true, "write iterations; or every n-th; or a callable (engine, iteration) -> bool"),
               optional("epoch_log", true, "write epochs; or every n-th; or a callable (engine, epoch) -> bool"),
               optional("epoch_event_writer", nullptr, "callable (engine, summary_writer) instead of the built-in one"),
               optional("iteration_event_writer", nullptr, "callable (engine, summary_writer) instead of the built-in one"),
               optional("output_transform", nullptr, "callable: engine output -> number or dict of numbers; the first item"),
               optional("global_epoch_transform", nullptr, "callable: epoch -> the step the metrics stand at"),
               optional("state_attributes", nullptr, "names of attributes of engine.state to write after epochs"),
               optional("tag_name", "Loss", "name of a single number")},
    .make = [](const Args& args) -> Value { return std::make_shared<TensorBoardStatsHandler>(args); },
});

}  // namespace
}  // namespace vesal::infer
