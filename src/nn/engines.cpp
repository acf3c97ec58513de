#include "nn/engines.h"

#include <cstdlib>
#include <string_view>

#include "base/log.h"
#include "nn/lowering.h"
#include "nn/tensor_memory.h"

namespace vesal::nn {
namespace {

constexpr std::size_t kMostShapes = 3;

/// VESAL_ENGINE: on (or nothing), off.
bool switched_off() {
  const char* value = std::getenv("VESAL_ENGINE");
  if (!value || !*value || std::string_view(value) == "on") return false;
  if (std::string_view(value) == "off") return true;
  throw Error(ErrorKind::usage, "VESAL_ENGINE=" + std::string(value) + ": want on or off");
}

}  // namespace

Engines::Stamp Engines::stamp_of(const Network& network) {
  Stamp stamp;
  for (const auto& [name, tensor] : network.named_state())
    stamp.emplace_back(tensor.numel() ? tensor.data_ptr() : nullptr, tensor.is_inference() ? 0 : static_cast<std::uint32_t>(tensor._version()));
  return stamp;
}

Engines::Entry& Engines::entry(Network& network, const Shape& shape, bool lasting) {
  Stamp stamp = stamp_of(network);
  if (stamp != stamp_) entries_.clear();
  stamp_ = std::move(stamp);
  for (auto e = entries_.begin(); e != entries_.end(); ++e) {
    if (e->shape != shape) continue;
    entries_.splice(entries_.begin(), entries_, e);
    return entries_.front();
  }
  while (entries_.size() >= kMostShapes) entries_.pop_back();
  Entry fresh{.shape = shape, .engine = nullptr, .per_sample = true, .why = {}};
  try {
    LoweredNetwork lowered = lower(network, shape);
    if (lasting) release_tensor_memory();
    fresh.per_sample = lowered.per_sample;
    fresh.engine = std::make_unique<engine::EnginePredictor>(std::move(lowered.graph), engine::EngineOptions{.bf16 = bf16_});
    fresh.engine->set_profiling(profiling_);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    if (e.kind() == ErrorKind::internal) log::warning("{} runs through libtorch: {}", network.type_name(), e.what());
    fresh.why = e.what();
  }
  return entries_.emplace_front(std::move(fresh));
}

engine::EnginePredictor* Engines::engine_for(Network& network, const std::vector<Array>& inputs, bool lasting) {
  if (inputs.size() != 1 || !network.device().is_cpu() || switched_off()) return nullptr;
  Shape shape = inputs[0].shape();
  if (shape.size() < 3 || shape.size() > 5 || inputs[0].numel() == 0) return nullptr;
  const bool batch = std::exchange(shape[0], 1) > 1;
  const Entry& found = entry(network, shape, lasting);
  return batch && !found.per_sample ? nullptr : found.engine.get();
}

std::optional<std::vector<Array>> Engines::predict(Network& network, const std::vector<Array>& inputs, bool lasting) {
  engine::EnginePredictor* engine = engine_for(network, inputs, lasting);
  if (!engine) return std::nullopt;
  return engine->predict({inputs[0].to(DType::f32).contiguous()});
}

bool Engines::predict_planes(Network& network, const std::vector<Array>& inputs, bool lasting, const engine::TakePlanes& take) {
  engine::EnginePredictor* engine = engine_for(network, inputs, lasting);
  return engine && engine->predict_planes({inputs[0].to(DType::f32).contiguous()}, take);
}

void Engines::set_bf16(bool on) {
  if (std::exchange(bf16_, on) != on) entries_.clear();
}

void Engines::set_profiling(bool on) {
  profiling_ = on;
  for (Entry& e : entries_)
    if (e.engine) e.engine->set_profiling(on);
}

Value Engines::runs() const {
  List list;
  for (const Entry& e : entries_) {
    List shape;
    for (const std::int64_t extent : e.shape) shape.items.emplace_back(extent);
    Dict run{{"shape", shape}, {"libtorch", e.why.empty() ? Value() : Value(e.why)}, {"batches_split", e.per_sample}};
    if (e.engine) {
      const engine::EngineMemory memory = e.engine->memory();
      run["steps"] = e.engine->explain();
      run["arena_bytes"] = memory.arena;
      run["weight_bytes"] = memory.weights;
      run["scratch_bytes"] = memory.scratch;
    }
    list.items.emplace_back(std::move(run));
  }
  return list;
}

}  // namespace vesal::nn
