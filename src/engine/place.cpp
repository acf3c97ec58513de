#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/plan.h"
#include "kernels/layout.h"

namespace vesal::engine {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kAlignment = 16;  ///< floats

/// The steps from the first that writes to the last that reads.
struct Life {
  std::int64_t begin = kNever, end = -1;

  void add(const Life& other) {
    begin = std::min(begin, other.begin);
    end = std::max(end, other.end);
  }
  bool meets(const Life& other) const { return begin <= other.end && other.begin <= end; }
};

TensorId root_of(const std::vector<Tensor>& tensors, TensorId id) {
  while (tensors[id].inside) id = *tensors[id].inside;
  return id;
}

class Placer {
 public:
  explicit Placer(Plan& plan) : plan_(plan), tensors_(plan.tensors), lives_(plan.tensors.size()) {
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
      const auto now = static_cast<std::int64_t>(s);
      for (const TensorId id : plan.steps[s].writes) lives_[id].add({now, now});
      for (const TensorId id : plan.steps[s].reads) lives_[id].end = std::max(lives_[id].end, now);
    }
    for (TensorId id = 0; id < tensors_.size(); ++id) {
      if (tensors_[id].home == Home::input) lives_[id] = {-1, kNever};
      if (tensors_[id].home == Home::output) lives_[id].end = kNever;
    }
  }

  void run() {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) overwrite(plan_.steps[s], static_cast<std::int64_t>(s));
    share_arena();
  }

 private:
  /// When memory that holds this tensor and its parts, and what took its place or it took over, is last read.
  std::int64_t last_use(TensorId id) const {
    std::int64_t last = -1;
    for (TensorId other = 0; other < tensors_.size(); ++other)
      for (std::optional<TensorId> at = other; at; at = tensors_[*at].inside)
        if (*at == id) last = std::max(last, lives_[other].end);
    return last;
  }

  /// Lets the step write its result over an operand that it is the last to read. What is a part of something else lives on there, and
  /// memory that the step reads through another operand too is not to be touched.
  void overwrite(const Step& step, std::int64_t now) {
    if (step.writes.size() != 1) return;
    const TensorId to = step.writes[0];
    for (const TensorId from : step.may_overwrite) {
      if (tensors_[from].inside || tensors_[from].home != Home::arena || root_of(tensors_, to) == from || last_use(from) > now) continue;
      if (tensors_[from].size() != tensors_[to].size() || tensors_[from].planar != tensors_[to].planar) continue;
      if (std::count_if(step.reads.begin(), step.reads.end(), [&](TensorId id) { return root_of(tensors_, id) == from; }) != 1) continue;
      tensors_[from].inside = to;
      tensors_[from].first_part = 0;
      return;
    }
  }

  /// Offsets by size, the largest first and of equal ones that which lives first, each at the lowest place that is free as long as it lives.
  void share_arena() {
    std::vector<Life> lives(tensors_.size());
    for (TensorId id = 0; id < tensors_.size(); ++id) lives[root_of(tensors_, id)].add(lives_[id]);
    std::vector<TensorId> order;
    for (TensorId id = 0; id < tensors_.size(); ++id)
      if (!tensors_[id].inside && tensors_[id].home == Home::arena && lives[id].end >= 0) order.push_back(id);
    std::stable_sort(order.begin(), order.end(), [&](TensorId a, TensorId b) {
      return tensors_[a].size() != tensors_[b].size() ? tensors_[a].size() > tensors_[b].size() : lives[a].begin < lives[b].begin;
    });
    std::vector<TensorId> placed;  // by offset
    for (const TensorId id : order) {
      const std::int64_t size = (tensors_[id].size() + kAlignment - 1) / kAlignment * kAlignment;
      std::int64_t offset = 0;
      for (const TensorId other : placed) {
        if (!lives[id].meets(lives[other])) continue;
        if (tensors_[other].offset >= offset + size) break;
        offset = std::max(offset, (tensors_[other].offset + tensors_[other].size() + kAlignment - 1) / kAlignment * kAlignment);
      }
      tensors_[id].offset = offset;
      placed.insert(
          std::upper_bound(placed.begin(), placed.end(), id, [&](TensorId a, TensorId b) { return tensors_[a].offset < tensors_[b].offset; }), id);
      plan_.arena_size = std::max(plan_.arena_size, offset + size);
    }
  }

  Plan& plan_;
  std::vector<Tensor>& tensors_;
  std::vector<Life> lives_;
};

}  // namespace

kernels::Activations Memory::at(TensorId id) const {
  const Tensor& t = tensors_[id];
  std::int64_t shift = 0;
  while (tensors_[id].inside) {
    const Tensor& part = tensors_[id];
    id = *part.inside;
    shift += part.first_part * tensors_[id].part_size();
  }
  const Tensor& root = tensors_[id];
  float* base = root.home == Home::input ? inputs[root.index] : root.home == Home::output ? outputs[root.index] : arena_ + root.offset;
  return {base + shift, t.channels, t.extents, t.planar, t.part_size()};
}

void Memory::give(TensorId output, const kernels::Activations& from, const kernels::Activations& planes, std::int64_t first) const {
  if (take) {
    kernels::copy_channels(from, planes);
    take(planes, first);
    return;
  }
  kernels::Activations to = at(output);
  to.data += first;
  to.extents = from.extents;
  kernels::copy_channels(from, to);
}

void place(Plan& plan) { Placer(plan).run(); }

}  // namespace vesal::engine
