// Small engines and parts for tests of what attaches to them.
#pragma once
#include <gtest/gtest.h>

#include <functional>

#include "base/registry.h"
#include "infer/loader.h"
#include "infer/workflow.h"

namespace vesal::infer {

/// Hands out the items one by one, each of them a batch.
class ListLoader : public Loader {
 public:
  explicit ListLoader(std::vector<Value> items) : items_(std::move(items)) {}
  std::string type_name() const override { return "ListLoader"; }
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(items_.size()); }
  std::unique_ptr<BatchStream> open(std::int64_t) override {
    struct Stream : BatchStream {
      std::vector<Value> items;
      std::size_t at = 0;
      std::optional<Batch> next() override {
        if (at == items.size()) return std::nullopt;
        return Batch{items[at++]};
      }
    };
    auto stream = std::make_unique<Stream>();
    stream->items = items_;
    return stream;
  }

 private:
  std::vector<Value> items_;
};

/// Leaves what `body` makes of an item as its output.
class ScriptedEngine : public Workflow {
 public:
  ScriptedEngine(std::vector<Value> items, std::int64_t epochs, std::function<Value(const Value&)> body)
      : Workflow(make(items, epochs)), body_(std::move(body)) {}
  std::string type_name() const override { return "ScriptedEngine"; }

 protected:
  void iterate(const Batch& items) override {
    state().output = List{{body_(items[0])}};
    fire(Event::model_completed);
  }

 private:
  static Options make(const std::vector<Value>& items, std::int64_t epochs) {
    Options o;
    o.data_loader = std::make_shared<ListLoader>(items);
    o.max_epochs = epochs;
    return o;
  }
  std::function<Value(const Value&)> body_;
};

/// A component with named arguments.
inline Value make(const std::string& name, const Dict& arguments) {
  CallArgs args;
  for (const auto& [key, value] : arguments) args.named.emplace_back(key.as_string(), value);
  return construct(components::get(name), args);
}
inline Value function(std::function<Value(const Value&)> body) {
  return make_function("f", [body = std::move(body)](const CallArgs& args) { return body(args.positional.at(0)); });
}
inline void attach(const Value& handler, Workflow& engine) { handler.object<Handler>()->attach(engine); }

/// The message of the error that work throws, or "nothing thrown".
inline std::string failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.what(); }
  return "nothing thrown";
}

}  // namespace vesal::infer
