#include "engine/engine.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/stopwatch.h"
#include "engine/optimize.h"
#include "engine/pages.h"
#include "engine/planner.h"

namespace vesal::engine {
namespace {

Plan plan_of(Graph graph, const EngineOptions& options) {
  const Graph better = optimize(std::move(graph));
  return Planner(better, options).plan();
}

/// Memory of the outputs of earlier calls, for calls after nobody uses them any more.
class OutputMemory {
 public:
  Array take(const Shape& shape) {
    const auto floats = static_cast<std::size_t>(numel_of(shape));
    for (const Block& block : blocks_)
      if (block.floats == floats && block.memory.use_count() == 1) {
        std::atomic_thread_fence(std::memory_order_acquire);  // what others did with it is over
        return Array::wrap(block.memory.get(), shape, DType::f32, block.memory);
      }
    std::erase_if(blocks_, [](const Block& block) { return block.memory.use_count() == 1; });
    if (blocks_.size() >= kMostKept) blocks_.erase(blocks_.begin());
    blocks_.push_back({floats, pages(floats)});
    return Array::wrap(blocks_.back().memory.get(), shape, DType::f32, blocks_.back().memory);
  }

 private:
  static constexpr std::size_t kMostKept = 16;
  struct Block {
    std::size_t floats;
    std::shared_ptr<float> memory;
  };
  std::vector<Block> blocks_;
};

std::int64_t bytes_of(const Tensor& t) { return t.size() * static_cast<std::int64_t>(sizeof(float)); }

Value shapes(const std::vector<Tensor>& tensors, const std::vector<TensorId>& ids) {
  List list;
  for (const TensorId id : ids) {
    List shape;
    for (const std::int64_t extent : tensors[id].shape) shape.items.emplace_back(extent);
    list.items.emplace_back(std::move(shape));
  }
  return list;
}

}  // namespace

class EnginePredictor::Impl {
 public:
  Impl(Graph graph, const EngineOptions& options) {
    for (const std::size_t value : graph.inputs) input_shapes_.push_back(graph.values.at(value));
    for (const std::size_t value : graph.outputs) output_shapes_.push_back(graph.values.at(value));
    plan_ = plan_of(std::move(graph), options);
    arena_ = pages(static_cast<std::size_t>(plan_.arena_size));
    memory_ = std::make_unique<Memory>(plan_.tensors, arena_.get());
    memory_->inputs.resize(input_shapes_.size());
    memory_->outputs.resize(output_shapes_.size());
    seconds_.resize(plan_.steps.size());
  }

  std::vector<Array> predict(const std::vector<Array>& given) {
    const std::int64_t samples = check(given);
    std::vector<Array> inputs, outputs;
    for (const Array& array : given) inputs.push_back(array.contiguous());
    for (Shape shape : output_shapes_) {
      if (samples != 1 && (shape.empty() || shape[0] != 1))
        throw Error(ErrorKind::shape, "an output of shape " + to_string(shape) + " has no axis for " + std::to_string(samples) + " samples");
      if (samples != 1) shape[0] = samples;
      outputs.push_back(outputs_.take(shape));
    }
    for (std::int64_t n = 0; n < samples; ++n) {
      for (std::size_t i = 0; i < inputs.size(); ++i) memory_->inputs[i] = inputs[i].data<float>() + n * (inputs[i].numel() / samples);
      for (std::size_t i = 0; i < outputs.size(); ++i) memory_->outputs[i] = outputs[i].data<float>() + n * (outputs[i].numel() / samples);
      run();
    }
    return outputs;
  }

  bool predict_planes(const std::vector<Array>& given, const TakePlanes& take) {
    const auto made_so = [](const Tensor& t) { return t.by_planes; };
    if (output_shapes_.size() != 1 || std::none_of(plan_.tensors.begin(), plan_.tensors.end(), made_so)) return false;
    const std::int64_t samples = check(given);
    std::vector<Array> inputs;
    for (const Array& array : given) inputs.push_back(array.contiguous());
    OutputPlanes some;
    some.whole.assign(output_shapes_[0].begin() + 1, output_shapes_[0].end());
    Shape shape = some.whole;
    const std::int64_t plane = numel_of(shape) / (shape[0] * shape[1]);
    memory_->take = [&](const kernels::Activations& planes, std::int64_t first) {
      const Stopwatch watch;
      shape[1] = kernels::voxels(planes.extents) / plane;
      some.first = first / plane;
      some.values = Array::wrap(planes.data, shape, DType::f32, nullptr);
      take(some);
      taken_ += watch.seconds();
    };
    const auto end = [&](void*) { memory_->take = nullptr; };
    const std::unique_ptr<void, decltype(end)> ended(this, end);
    for (; some.sample < samples; ++some.sample) {
      for (std::size_t i = 0; i < inputs.size(); ++i) memory_->inputs[i] = inputs[i].data<float>() + some.sample * (inputs[i].numel() / samples);
      run();
    }
    return true;
  }

  void set_profiling(bool on) {
    profiling_ = on;
    runs_ = 0;
    std::fill(seconds_.begin(), seconds_.end(), 0.0);
  }

  Value explain() const {
    List rows;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      std::int64_t bytes = step.weight_bytes;
      if (step.copied) bytes += 2 * *step.copied * static_cast<std::int64_t>(sizeof(float));
      else
        for (const auto& ids : {step.reads, step.writes})
          for (const TensorId id : ids) bytes += bytes_of(plan_.tensors[id]);
      Dict row{{"step", step.what},
               {"label", step.label},
               {"in", shapes(plan_.tensors, step.reads)},
               {"out", shapes(plan_.tensors, step.writes)},
               {"gflop", step.flops / 1e9},
               {"mb", static_cast<double>(bytes) / 1e6},
               {"ms", runs_ ? Value(seconds_[i] / static_cast<double>(runs_) * 1e3) : Value()},
               {"external", step.external.empty() ? Value() : Value(step.external)}};
      rows.items.emplace_back(std::move(row));
    }
    return rows;
  }

  EngineMemory memory() const {
    EngineMemory m{.arena = plan_.arena_size * static_cast<std::int64_t>(sizeof(float))};
    for (const Step& step : plan_.steps) {
      m.weights += step.weight_bytes;
      m.scratch = std::max(m.scratch, step.scratch_bytes);
    }
    return m;
  }

 private:
  /// How many samples there are.
  std::int64_t check(const std::vector<Array>& given) const {
    if (given.size() != input_shapes_.size() || given.empty())
      throw Error(ErrorKind::shape, std::to_string(given.size()) + " inputs, want " + std::to_string(input_shapes_.size()));
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Shape &shape = given[i].shape(), &want = input_shapes_[i];
      const bool fits = shape.size() == want.size() && !shape.empty() && shape[0] == given[0].size(0) && (want[0] == 1 || shape[0] == want[0]) &&
                        std::equal(shape.begin() + 1, shape.end(), want.begin() + 1);
      if (!fits || given[i].dtype() != DType::f32)
        throw Error(ErrorKind::shape,
                    "an input of shape " + to_string(shape) + ", want " + to_string(want) + " of float32 with any number of samples");
    }
    return input_shapes_[0][0] == 1 ? given[0].size(0) : 1;
  }

  void run() {
    if (!profiling_) {
      for (const Step& step : plan_.steps) step.run(*memory_);
      return;
    }
    Stopwatch watch;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      taken_ = 0;
      plan_.steps[i].run(*memory_);
      seconds_[i] += watch.lap() - taken_;
    }
    ++runs_;
  }

  std::vector<Shape> input_shapes_, output_shapes_;
  Plan plan_;
  std::shared_ptr<float> arena_;
  std::unique_ptr<Memory> memory_;
  OutputMemory outputs_;
  bool profiling_ = false;
  std::vector<double> seconds_;
  double taken_ = 0;  ///< seconds of a step that were not its own: of those who take planes
  std::int64_t runs_ = 0;
};

EnginePredictor::EnginePredictor(Graph graph, const EngineOptions& options) : impl_(std::make_unique<Impl>(std::move(graph), options)) {}
EnginePredictor::~EnginePredictor() = default;
std::vector<Array> EnginePredictor::predict(const std::vector<Array>& inputs) { return impl_->predict(inputs); }
bool EnginePredictor::predict_planes(const std::vector<Array>& inputs, const TakePlanes& take) { return impl_->predict_planes(inputs, take); }
void EnginePredictor::set_profiling(bool on) { impl_->set_profiling(on); }
Value EnginePredictor::explain() const { return impl_->explain(); }
EngineMemory EnginePredictor::memory() const { return impl_->memory(); }

}  // namespace vesal::engine
