#include "infer/workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/cancel.h"
#include "base/log.h"
#include "base/progress.h"
#include "bundle/expr_runtime.h"
#include "infer/sampler.h"
#include "transforms/compose.h"

namespace vesal::infer {
namespace {

/// A Compose takes the data over, so that what its transforms have used up is let go of at once.
Value apply(const Value& transform, Value data) {
  if (auto chain = transform.object<transforms::Compose>()) return chain->consume(std::move(data));
  return transforms::apply(transform, data);
}

std::shared_ptr<Device> device_of(const Value& v) { return v.is_string() ? Device::parse(v.as_string()) : cast<std::shared_ptr<Device>>(v); }

thread_local std::function<void(Workflow&)> watch;

bool is_epoch_event(Event e) { return e == Event::epoch_started || e == Event::epoch_completed; }

}  // namespace

RunWatch::RunWatch(std::function<void(Workflow&)> started) { watch = std::move(started); }
RunWatch::~RunWatch() { watch = nullptr; }

Workflow::Options Workflow::options(const Args& args, const std::string& loader, const std::string& key_metric, const std::string& handlers) {
  Options o;
  o.device = device_of(args["device"]);
  o.data_loader = args.get<std::shared_ptr<Loader>>(loader);
  if (!o.data_loader) throw Error(ErrorKind::config, args.component() + " needs a " + loader);
  o.epoch_length = args.get<std::optional<std::int64_t>>("epoch_length");
  o.prepare_batch = args["prepare_batch"];
  o.iteration_update = args["iteration_update"];
  o.postprocessing = args["postprocessing"];
  o.key_metric = args[key_metric];
  o.additional_metrics = args["additional_metrics"];
  o.metric_cmp_fn = args["metric_cmp_fn"];
  o.handlers = args[handlers];
  o.amp = args.get<bool>("amp");
  o.decollate = args.get<bool>("decollate");
  return o;
}

Workflow::Workflow(Options options) : options_(std::move(options)), logger_(std::make_shared<Logger>("vesal.engine")) {
  state_->device = options_.device;
  state_->max_epochs = options_.max_epochs;
  state_->epoch_length = options_.epoch_length ? options_.epoch_length : options_.data_loader->length();
  if (const auto given = options_.data_loader->attribute("sampler"); given)
    if (const auto sampler = given->object<Sampler>()) on(Event::epoch_started, [sampler](Workflow& w) { sampler->set_epoch(w.state().epoch); });
  if (!options_.postprocessing.is_none()) on(Event::model_completed, [](Workflow& w) { w.postprocess(); });
  register_metrics();
  if (options_.handlers.is_none()) return;
  const std::vector<Value> one{options_.handlers};
  for (const Value& v : options_.handlers.is_sequence() ? options_.handlers.items() : one) {
    const auto handler = v.object<Handler>();
    if (!handler) throw Error(ErrorKind::config, "handlers: " + v.type_name() + " is no handler");
    handlers_.push_back(handler);
    handler->attach(*this);
  }
}

void Workflow::register_metrics() {
  if (options_.key_metric.is_none()) return;
  const auto add = [this](const Value& metrics, const char* what) {
    if (!metrics.is_dict()) throw Error(ErrorKind::config, std::string(what) + " must be a dict of metrics, got " + metrics.type_name());
    for (const auto& [key, value] : metrics.as_dict()) {
      const std::string name = key.as_string();
      const auto metric = value.object<Metric>();
      if (!metric) throw Error(ErrorKind::config, std::string(what) + " '" + name + "': " + value.type_name() + " is no metric");
      on(Event::epoch_started, [metric](Workflow&) { metric->reset(); });
      on(Event::iteration_completed, [metric, name](Workflow& w) {
        with_context("metric " + name, [&] {
          const Value& output = w.state().output;
          metric->update(metric->output_transform.is_none() ? output : call_value(metric->output_transform, {{output}, {}}));
        });
      });
      on(Event::epoch_completed, [metric, name](Workflow& w) {
        w.state().metrics[name] = with_context("metric " + name, [&] { return metric->compute(); });
        if (Array details = metric->details(); details.defined()) w.state().metric_details[name] = details;
      });
    }
  };
  add(options_.key_metric, "key_metric");
  if (!options_.key_metric.as_dict().empty()) state_->key_metric_name = options_.key_metric.as_dict().begin()->first.as_string();
  if (!options_.additional_metrics.is_none()) add(options_.additional_metrics, "additional_metrics");
  on(Event::epoch_completed, [](Workflow& w) { w.compare_metrics(); });
}

void Workflow::compare_metrics() {
  State& s = state();
  if (s.key_metric_name.empty()) return;
  const Value& current = s.metrics.at(s.key_metric_name);
  if (!current.is_number()) {
    logger_->warning("key metric " + s.key_metric_name + " is no single number: not compared with the best one");
    return;
  }
  const auto better = [&] {
    if (options_.metric_cmp_fn.is_none()) return current.as_float() > s.best_metric.as_float();
    return call_value(options_.metric_cmp_fn, {{current, s.best_metric}, {}}).truthy();
  };
  if (s.best_metric_epoch != -1 && !better()) return;
  logger_->info("Got new best metric of " + s.key_metric_name + ": " + current.str());
  s.best_metric = current;
  s.best_metric_epoch = s.epoch;
}

void apply_to_item(const Value& transform, Value& batch_item, Value& output_item) {
  if (!batch_item.is_dict() || !output_item.is_dict()) {
    output_item = apply(transform, output_item);
    return;
  }
  // Only the merged item holds the prediction from here on, so that a transform can let go of it as soon as it is done.
  Dict merged = batch_item.as_dict();
  std::vector<Value> own;
  for (const auto& [key, value] : output_item.as_dict()) {
    merged[key] = value;
    own.push_back(key);
  }
  output_item = Value();
  const Value before = batch_item;
  Value result = apply(transform, Value(std::move(merged)));
  if (!result.is_dict()) throw Error(ErrorKind::config, "postprocessing returned " + result.type_name() + ", want a dict per item");
  Dict output, batch = before.as_dict();
  for (const auto& [key, value] : result.as_dict()) {
    const bool is_own = std::find(own.begin(), own.end(), key) != own.end();
    (is_own || !batch.contains(key) ? output : batch)[key] = value;
  }
  batch_item = std::move(batch);
  output_item = std::move(output);
}

void Workflow::postprocess() {
  State& s = state();
  if (!s.batch.is_list() || !s.output.is_list()) {
    apply_to_item(options_.postprocessing, s.batch, s.output);
    return;
  }
  auto &batch = s.batch.mutable_items(), &output = s.output.mutable_items();
  for (std::size_t i = 0; i < std::min(batch.size(), output.size()); ++i)
    with_context("postprocessing", [&] { apply_to_item(options_.postprocessing, batch[i], output[i]); });
}

void Workflow::on(Event event, Callback callback, EventFilter filter) { listeners_[event].push_back({std::move(callback), std::move(filter)}); }

void Workflow::fire(Event event) {
  const auto found = listeners_.find(event);
  if (found == listeners_.end()) return;
  const std::int64_t count = is_epoch_event(event) ? state().epoch : state().iteration;
  for (std::size_t i = 0; i < found->second.size(); ++i) {  // by index: a handler may attach another one
    const auto [callback, f] = found->second[i];
    if (f.once > 0 ? count != f.once : count % f.every != 0) continue;
    if (!f.when.is_none() && !call_value(f.when, {{Value(shared_from_this()), Value(count)}, {}}).truthy()) continue;
    callback(*this);
  }
}

void Workflow::run() {
  State& s = state();
  if (s.epoch_length && *s.epoch_length == 0) {
    logger_->warning("the data loader is empty: nothing to run");
    return;
  }
  if (s.epoch >= s.max_epochs) s.epoch = s.iteration = 0;
  terminate_ = false;
  if (watch) watch(*this);
  try {
    fire(Event::started);
    while (s.epoch < s.max_epochs && !terminate_) {
      ++s.epoch;
      fire(Event::epoch_started);
      run_epoch();
      fire(Event::epoch_completed);
    }
    fire(Event::completed);
  } catch (...) {
    stream_.reset();
    fire(Event::exception_raised);
    throw;
  }
  stream_.reset();
}

void Workflow::run_epoch() {
  State& s = state();
  std::optional<Progress> progress;
  if (const std::string title = progress_title(); !title.empty()) progress.emplace(title, s.epoch_length.value_or(1));
  bool restarted = false;
  for (std::int64_t done = 0; (!s.epoch_length || done < *s.epoch_length) && !terminate_;) {
    check_cancelled();
    s.batch = s.output = Value();  // before the next batch is made: one scan in memory at a time
    if (!stream_) {
      stream_ = options_.data_loader->open();
      taken_ = 0;
    }
    std::optional<Batch> batch = stream_->next();
    if (!batch) {  // the end of a pass; an epoch may be longer or shorter than one
      stream_.reset();
      if (!s.epoch_length) {
        s.epoch_length = done;
      } else if (std::exchange(restarted, true)) {
        logger_->warning(fmt::format("the data loader has no batches left after {} of {} iterations", done, *s.epoch_length));
        return;
      }
      continue;
    }
    restarted = false;
    ++taken_;
    items_ = std::move(*batch);
    one_iteration();
    ++done;
    if (!progress) continue;
    if (note_) progress->note(note_());
    progress->advance();
  }
}

void Workflow::one_iteration() {
  State& s = state();
  ++s.iteration;
  s.batch = options_.decollate ? Value(List{items_}) : collate(items_);
  fire(Event::iteration_started);
  if (options_.iteration_update.is_none()) {
    iterate(items_);
  } else {
    s.output = call_value(options_.iteration_update, {{Value(shared_from_this()), collate(items_)}, {}});
    if (options_.decollate && s.output.is_dict()) s.output = List{decollate(s.output)};
    fire(Event::model_completed);
  }
  items_.clear();
  fire(Event::iteration_completed);
}

Workflow::Prepared Workflow::prepare(const Batch& items) const {
  Prepared p;
  if (!options_.prepare_batch.is_none()) {
    const Value device = state_->device ? Value(state_->device) : Value();
    const Value made = call_value(options_.prepare_batch, {{collate(items), device, Value(false)}, {}});
    if (!made.is_sequence() || made.items().size() < 2)
      throw Error(ErrorKind::config, "prepare_batch returns (inputs, targets) or (inputs, targets, args, kwargs)");
    const auto& parts = made.items();
    p.inputs = image::array_of(parts[0]);
    p.targets = parts[1];
    if (parts.size() >= 4) {
      p.extra.positional = parts[2].items();
      for (const auto& [key, value] : parts[3].as_dict()) p.extra.named.emplace_back(key.as_string(), value);
    }
    return p;
  }
  if (items.empty()) throw Error(ErrorKind::shape, "empty batch");
  if (!items[0].is_dict()) {
    p.inputs = image::array_of(collate(items));
    return p;
  }
  p.inputs = stack_key(items, "image");
  const Value* label = items[0].as_dict().find("label");
  if (label && (label->is_array() || label->object<image::Image>())) p.targets = stack_key(items, "label");
  return p;
}

std::optional<Value> Workflow::attribute(std::string_view name) {
  auto self = std::static_pointer_cast<Workflow>(shared_from_this());
  if (name == "state") return Value(state_);
  if (name == "logger") return Value(logger_);
  if (name == "run") {
    return make_function("run", [self](const CallArgs&) -> Value {
      const bundle::expr::Unbounded room;
      return self->run(), Value();
    });
  }
  if (name == "terminate") return make_function("terminate", [self](const CallArgs&) -> Value { return self->terminate(), Value(); });
  if (name == "add_event_handler") {
    return make_function("add_event_handler", [self](const CallArgs& args) -> Value {
      const Args bound = bind("add_event_handler", {required("event_name", "an event"), required("handler", "callable (engine)")}, args);
      const auto event = bound.get<std::shared_ptr<EventName>>("event_name");
      if (!event) throw Error(ErrorKind::config, "add_event_handler wants an event");
      self->on(
          event->event,
          [handler = bound["handler"]](Workflow& w) {
            call_value(handler, {{Value(w.shared_from_this())}, {}});
          },
          event->filter);
      return {};
    });
  }
  return std::nullopt;
}

}  // namespace vesal::infer
