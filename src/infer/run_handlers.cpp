// Handlers that steer a run: ValidationHandler, LrScheduleHandler, EarlyStopHandler, LogfileHandler (monai.handlers).
#include <fmt/format.h>

#include "infer/evaluator.h"
#include "infer/handler_tools.h"

namespace vesal::infer {
namespace {

Event level_event(bool epochs) { return epochs ? Event::epoch_completed : Event::iteration_completed; }

class ValidationHandler : public Handler {
 public:
  ValidationHandler(std::shared_ptr<Evaluator> validator, std::int64_t interval, bool epoch_level, bool at_start)
      : validator_(std::move(validator)), interval_(interval), epoch_level_(epoch_level), at_start_(at_start) {
    if (interval_ < 1) throw Error(ErrorKind::config, "ValidationHandler: interval must be positive");
  }
  std::string type_name() const override { return "ValidationHandler"; }
  void attach(Workflow& engine) override {
    const auto self = std::static_pointer_cast<ValidationHandler>(shared_from_this());
    engine.on(level_event(epoch_level_), [self](Workflow& w) { self->validate(w.state().epoch); }, {.every = interval_});
    if (!at_start_) return;
    // Not at Event::started: a training that is resumed is no longer at its start, and that is known only after this event.
    engine.on(Event::epoch_started, [self](Workflow& w) { self->validate(w.state().epoch - 1); }, {.once = 1});
  }
  Value memory() const override { return validator_ ? validator_->memory() : Value(); }
  void recall(const Value& memory) override {
    if (validator_) validator_->recall(memory);
  }
  std::optional<Value> attribute(std::string_view name) override {
    if (name == "validator") return validator_ ? Value(validator_) : Value();
    if (name != "set_validator") return std::nullopt;
    return make_function("set_validator", [self = std::static_pointer_cast<ValidationHandler>(shared_from_this())](const CallArgs& args) -> Value {
      self->validator_ = bind("set_validator", {required("validator", "an evaluator")}, args).get<std::shared_ptr<Evaluator>>("validator");
      return {};
    });
  }

 private:
  void validate(std::int64_t epoch) const {
    if (!validator_) throw Error(ErrorKind::config, "ValidationHandler has no validator: give it one or call set_validator()");
    validator_->run_as_epoch(epoch);
  }
  std::shared_ptr<Evaluator> validator_;
  std::int64_t interval_;
  bool epoch_level_, at_start_;
};

class LrScheduleHandler : public Handler {
 public:
  explicit LrScheduleHandler(const Args& args) : a_(args) {}
  std::string type_name() const override { return "LrScheduleHandler"; }
  void attach(Workflow& engine) override {
    const auto step = [self = std::static_pointer_cast<LrScheduleHandler>(shared_from_this())](Workflow& w) {
      const Args& a = self->a_;
      CallArgs args;
      if (!a.is_none("step_transform")) {
        const Value given = call_value(a["step_transform"], {{Value(w.shared_from_this())}, {}});
        args.positional = given.is_sequence() ? given.items() : std::vector<Value>{given};
      }
      call_method(a["lr_scheduler"], "step", args);
      if (!a.get<bool>("print_lr")) return;
      w.logger().info("Current learning rate: " + call_method(a["lr_scheduler"], "get_last_lr").items().at(0).str());
    };
    engine.on(level_event(a_.get<bool>("epoch_level")), step);
  }
  Value memory() const override { return call_method(a_["lr_scheduler"], "state_dict"); }
  void recall(const Value& memory) override { call_method(a_["lr_scheduler"], "load_state_dict", {{memory}, {}}); }

 private:
  Args a_;
};

class EarlyStopHandler : public Handler {
 public:
  explicit EarlyStopHandler(const Args& args)
      : patience_(args.get<std::int64_t>("patience")),
        score_function_(args["score_function"]),
        trainer_(args.get<std::shared_ptr<Workflow>>("trainer")),
        min_delta_(args.get<double>("min_delta")),
        cumulative_(args.get<bool>("cumulative_delta")),
        epoch_level_(args.get<bool>("epoch_level")) {
    if (patience_ < 1 || min_delta_ < 0) throw Error(ErrorKind::config, "EarlyStopHandler: patience must be positive and min_delta no less than 0");
  }
  std::string type_name() const override { return "EarlyStopHandler"; }
  void attach(Workflow& engine) override {
    engine.on(level_event(epoch_level_), [self = std::static_pointer_cast<EarlyStopHandler>(shared_from_this())](Workflow& w) { self->check(w); });
  }
  Value memory() const override { return Dict{{"best", best_ ? Value(*best_) : Value()}, {"waited", waited_}}; }
  void recall(const Value& memory) override {
    best_ = cast<std::optional<double>>(memory.as_dict().at("best"));
    waited_ = memory.as_dict().at("waited").as_int();
  }
  std::optional<Value> attribute(std::string_view name) override {
    if (name != "set_trainer") return std::nullopt;
    return make_function("set_trainer", [self = std::static_pointer_cast<EarlyStopHandler>(shared_from_this())](const CallArgs& args) -> Value {
      self->trainer_ = bind("set_trainer", {required("trainer", "the engine to stop")}, args).get<std::shared_ptr<Workflow>>("trainer");
      return {};
    });
  }

 private:
  void check(Workflow& engine) {
    const auto trainer = trainer_.lock();
    if (!trainer) throw Error(ErrorKind::config, "EarlyStopHandler has no trainer: give it one or call set_trainer()");
    const double score = scalar_of(call_value(score_function_, {{Value(engine.shared_from_this())}, {}}));
    if (!best_) {
      best_ = score;
    } else if (score <= *best_ + min_delta_) {
      if (!cumulative_ && score > *best_) best_ = score;
      if (++waited_ < patience_) return;
      trainer->logger().info("EarlyStopping: Stop training");
      trainer->terminate();
    } else {
      best_ = score;
      waited_ = 0;
    }
  }

  std::int64_t patience_, waited_ = 0;
  Value score_function_;
  std::weak_ptr<Workflow> trainer_;  ///< weak: the trainer may own this handler
  double min_delta_;
  bool cumulative_, epoch_level_;
  std::optional<double> best_;
};

class LogfileHandler : public Handler {
 public:
  explicit LogfileHandler(const Args& args)
      : folder_(args.get<std::string>("output_dir")),
        path_(folder_ / args.get<std::string>("filename")),
        level_(args.get<int>("loglevel")),
        format_(args.get<std::string>("formatter")),
        create_(args.get<bool>("create_dir")) {}
  std::string type_name() const override { return "LogfileHandler"; }
  void attach(Workflow& engine) override {
    const auto self = std::static_pointer_cast<LogfileHandler>(shared_from_this());
    engine.on(Event::started, [self](Workflow& w) {
      if (self->create_) std::filesystem::create_directories(self->folder_);
      w.logger().add_file(self->path_, self->level_, self->format_);
    });
    const auto close = [self](Workflow& w) { w.logger().remove_file(self->path_); };
    engine.on(Event::completed, close);
    engine.on(Event::exception_raised, close);
  }

 private:
  std::filesystem::path folder_, path_;
  int level_;
  std::string format_;
  bool create_;
};

const Register validation({
    .kind = "handler",
    .name = "ValidationHandler",
    .summary = "Run an evaluator every n-th epoch or iteration of a trainer",
    .params = {required("interval", "every so many"), optional("validator", nullptr, "the evaluator"),
               optional("epoch_level", true, "count epochs, not iterations"), optional("exec_at_start", false, "also before the first epoch")},
    .make = [](const Args& args) -> Value {
      return std::make_shared<ValidationHandler>(args.get<std::shared_ptr<Evaluator>>("validator"), args.get<std::int64_t>("interval"),
                                                 args.get<bool>("epoch_level"), args.get<bool>("exec_at_start"));
    },
});

const Register schedule({
    .kind = "handler",
    .name = "LrScheduleHandler",
    .summary = "Step a learning rate schedule after each epoch or iteration",
    .params = {required("lr_scheduler", "the schedule"), optional("print_lr", true, "log the learning rate"),
               optional("name", nullptr, "accepted; lines go to the engine's log"),
               optional("epoch_level", true, "step per epoch, not per iteration"),
               optional("step_transform", nullptr, "callable: engine -> arguments of step()")},
    .make = [](const Args& args) -> Value { return std::make_shared<LrScheduleHandler>(args); },
});

const Register early_stop({
    .kind = "handler",
    .name = "EarlyStopHandler",
    .summary = "End the training when a score has not risen for a while",
    .params = {required("patience", "checks without improvement before the end"),
               required("score_function", "callable: engine -> number, greater is better"), optional("trainer", nullptr, "the engine to stop"),
               optional("min_delta", 0.0, "a smaller rise is no improvement"),
               optional("cumulative_delta", false, "min_delta counts from the last improvement"),
               optional("epoch_level", true, "check per epoch, not per iteration")},
    .make = [](const Args& args) -> Value { return std::make_shared<EarlyStopHandler>(args); },
});

const Register logfile({
    .kind = "handler",
    .name = "LogfileHandler",
    .summary = "Also write the engine's log to a file while it runs",
    .params = {required("output_dir", "folder"), optional("filename", "log.txt", "name of the file"),
               optional("loglevel", 20, "Python's level number"),
               optional("formatter", "%(asctime)s %(name)s %(levelname)s: %(message)s", "Python's logging format"),
               optional("create_dir", true, "make the folder if it is missing")},
    .make = [](const Args& args) -> Value { return std::make_shared<LogfileHandler>(args); },
});

}  // namespace
}  // namespace vesal::infer
