// The event engine behind trainers and evaluators (MONAI's engines on pytorch-ignite's Engine), and what attaches to it.
//
// A run fires: started, then per epoch epoch_started, per batch iteration_started, [iterate(): forward_completed,
// loss_completed, backward_completed, model_completed], iteration_completed, then epoch_completed, at last completed.
// At model_completed the output is decollated and postprocessed item by item; metrics update at iteration_completed and
// are computed at epoch_completed, before the handlers see these events. One engine runs on one thread.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/device.h"
#include "base/registry.h"
#include "infer/loader.h"
#include "infer/logger.h"

namespace vesal::infer {

enum class Event {
  started,
  epoch_started,
  iteration_started,
  forward_completed,
  loss_completed,
  backward_completed,
  model_completed,
  iteration_completed,
  epoch_completed,
  completed,
  exception_raised
};

/// When a handler of an event is called: each `every`-th time, or only the `once`-th, or when `when(engine, count)` is true.
/// The count is the epoch for epoch events, the iteration for all others.
struct EventFilter {
  std::int64_t every = 1;
  std::int64_t once = 0;
  Value when{};
};

/// ignite.engine.Events.X in an expression; calling it with every, once or event_filter narrows it.
class EventName : public Object {
 public:
  EventName(Event event, EventFilter filter) : event(event), filter(std::move(filter)) {}
  std::string type_name() const override { return "Events"; }
  Value call(const CallArgs& args) override;
  const Event event;
  const EventFilter filter;
};

/// engine.state. Every field is an attribute of the same name for expressions; unknown attributes may be set and read.
class State : public Object {
 public:
  std::string type_name() const override { return "State"; }
  std::optional<Value> attribute(std::string_view name) override;
  void set_attribute(std::string_view name, const Value& value) override;

  std::int64_t epoch = 0, iteration = 0, max_epochs = 1;
  std::optional<std::int64_t> epoch_length;  ///< iterations of an epoch
  Value batch;                               ///< list of items (dicts); with decollate=false one collated dict
  Value output;         ///< list of dicts {image, label, pred, loss}, one per item; with decollate=false one dict of batched arrays
  Dict metrics;         ///< of the last epoch, by name
  Dict metric_details;  ///< per item: array [items, classes], by name
  std::string key_metric_name;
  Value best_metric{-1};
  std::int64_t best_metric_epoch = -1;
  std::shared_ptr<Device> device;
  Dict extra;
};

class Workflow;

/// Anything that listens to an engine. The engine keeps its handlers alive.
class Handler : public Object {
 public:
  virtual void attach(Workflow& engine) = 0;
  /// What it must know to go on in another process, as plain data; None: nothing.
  virtual Value memory() const { return {}; }
  virtual void recall(const Value&) {}
};

/// A measure over the outputs of an epoch (ignite's Metric). The engine resets it when an epoch starts, updates it with what
/// `output_transform` makes of state.output after each iteration, and puts compute() into state.metrics when the epoch ends.
class Metric : public Object {
 public:
  virtual void reset() = 0;
  virtual void update(const Value& output) = 0;
  virtual Value compute() = 0;
  /// Scores per item [items, classes] for state.metric_details, valid after compute(); undefined if there are none.
  virtual Array details() const { return {}; }
  Value output_transform;  ///< callable or None
};

/// The loop. A subclass says what one iteration does.
class Workflow : public Object {
 public:
  /// The arguments common to all engines, with MONAI's meaning.
  struct Options {
    std::shared_ptr<Device> device;
    std::int64_t max_epochs = 1;
    std::shared_ptr<Loader> data_loader;
    std::optional<std::int64_t> epoch_length;  ///< default: the length of the loader
    Value prepare_batch;                       ///< None: {"image", "label"} of the batch
    Value iteration_update;                    ///< None: iterate()
    Value postprocessing;                      ///< transform or callable, applied to each item
    Value key_metric;                          ///< None or {name: Metric}; the first is the one that is compared
    Value additional_metrics;
    Value metric_cmp_fn;  ///< None: greater is better
    Value handlers;       ///< None, a Handler or a list of them
    bool amp = false;     ///< accepted; computation stays in float32
    bool decollate = true;
  };
  /// Options from a component's arguments; the names that differ between engines are given. device may be a string.
  static Options options(const Args& args, const std::string& loader, const std::string& key_metric, const std::string& handlers);

  explicit Workflow(Options options);

  State& state() { return *state_; }
  const State& state() const { return *state_; }
  Logger& logger() { return *logger_; }
  const Options& options() const { return options_; }

  using Callback = std::function<void(Workflow&)>;
  void on(Event event, Callback callback, EventFilter filter = {});
  void fire(Event event);
  /// Runs to state.max_epochs; after a finished run it starts anew, after a loaded checkpoint it goes on.
  virtual void run();
  /// Ends the run after this iteration.
  void terminate() { terminate_ = true; }

  /// Where a run stands at the end of an epoch, as plain data and arrays: epoch, best metric, where the loader is, what the handlers remember.
  /// A run of an engine of the same configuration that recalls it (once started) goes on to the same numbers.
  virtual Value memory() const;
  /// Throws Error(weights) if it is the memory of another configuration.
  virtual void recall(const Value& memory);
  /// Text for the progress line, e.g. the loss so far.
  void set_note(std::function<std::string()> note) { note_ = std::move(note); }

  /// run, state, logger, terminate, add_event_handler(event, callable).
  std::optional<Value> attribute(std::string_view name) override;

 protected:
  /// One iteration: reads state().batch, leaves state().output, fires forward_completed and model_completed (and what lies
  /// between) in order. Outputs are a list with a dict per item, or with decollate=false a dict of batched arrays.
  virtual void iterate(const Batch& items) = 0;

  /// The title of an epoch's progress bar; empty for none (when the iterations show their own).
  virtual std::string progress_title() const { return {}; }

  /// What prepare_batch made of a batch: inputs [N, C, ...], targets (None if the items have no label), further network inputs.
  struct Prepared {
    Array inputs;
    Value targets;
    CallArgs extra;
  };
  Prepared prepare(const Batch& items) const;

  /// Batched values by key: arrays [N, C, ...], tuples and dicts of such, or one value for all items.
  using Columns = std::vector<std::pair<std::string, Value>>;
  /// Makes state().output of what an iteration computed. Items get their parts as images in the place of the item's "image";
  /// what is None is left out. Parts are views of the batched arrays.
  void set_output(const Batch& items, const Columns& columns);

 private:
  void register_metrics();
  void compare_metrics();
  void postprocess();
  void run_epoch();
  void one_iteration();

  Options options_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::shared_ptr<Logger> logger_;
  struct Listener {
    Callback callback;
    EventFilter filter;
  };
  std::map<Event, std::vector<Listener>> listeners_;
  std::vector<std::shared_ptr<Handler>> handlers_;
  std::function<std::string()> note_;
  std::unique_ptr<BatchStream> stream_;
  std::int64_t taken_ = 0;  ///< batches of the pass that stream_ is
  Batch items_;
  bool terminate_ = false;
};

/// While it lives, engines that start to run on this thread are shown to `started` first, those that run inside of others too. One at a time.
class RunWatch {
 public:
  explicit RunWatch(std::function<void(Workflow&)> started);
  ~RunWatch();
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;
};

/// The arguments all engines have from epoch_length on, in the peer's order.
std::vector<Param> engine_params(const std::string& key_metric, const std::string& handlers);

/// A dict of the values of an item's keys after `transform` ran on batch and output together: what was in the output or is new
/// goes to the output, the rest back to the batch (MONAI's engine_apply_transform).
void apply_to_item(const Value& transform, Value& batch_item, Value& output_item);

}  // namespace vesal::infer
