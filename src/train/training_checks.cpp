#include "train/training_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/log.h"
#include "base/memory.h"
#include "image/image.h"
#include "infer/dataset.h"
#include "infer/last_checkpoint.h"
#include "train/step_memory.h"

namespace vesal::train {
namespace {

bool all_finite(const Array& array) {
  if (!is_floating(array.dtype())) return true;
  const Array dense = array.to(DType::f32).contiguous();
  const float* p = dense.data<float>();
  for (std::int64_t i = 0; i < dense.numel(); ++i)
    if (!std::isfinite(p[i])) return false;
  return true;
}

/// The names of the scans in a batch, each once; at most five.
std::string names_of(const infer::Batch& items) {
  std::vector<std::string> names;
  for (const Value& item : items) {
    const Value* value = item.is_dict() ? item.as_dict().find("image") : &item;
    const auto image = value ? value->object<image::Image>() : nullptr;
    const Value* path = image ? image->meta.find("filename_or_obj") : nullptr;
    if (!path || !path->is_string() || names.size() >= 5) continue;
    std::string name = std::filesystem::path(path->as_string()).filename().string();
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Some networks take a third less than is told: what might just fit is tried.
constexpr double kDoubt = 1.6;

}  // namespace

void check_loss(double loss, const infer::State& state, const infer::Batch& items, const Array& inputs) {
  if (std::isfinite(loss)) return;
  const std::string names = names_of(items);
  std::string text = fmt::format("the loss is {} in epoch {}, iteration {}", loss, state.epoch, state.iteration);
  if (!names.empty()) text += " (" + names + ")";
  text += all_finite(inputs) ? "; a lower learning rate or clipped intensities may help" : ": the images hold values that are not finite";
  const std::filesystem::path kept = infer::last_checkpoint();
  text += kept.empty() ? "; no checkpoint was saved before" : "; the last good checkpoint is " + kept.string();
  throw Error(ErrorKind::config, text);
}

std::string described(const infer::Batch& items) {
  const std::string names = names_of(items);
  return names.empty() ? "batch" : "batch of " + names;
}

void check_memory(const Value& network, const Value& loss, const Value& dataset, const Shape& inputs, const Shape& targets) {
  const std::optional<std::uint64_t> left = available_memory(), needed = left ? step_memory(network, loss, inputs, targets) : std::nullopt;
  if (!needed) return;
  log::info("memory: an iteration on {} takes about {}, {} left", to_string(inputs), bytes_text(*needed), bytes_text(*left));
  if (*needed <= *left) return;
  const auto cache = dataset.object<infer::Dataset>();
  const std::uint64_t freed = cache ? cache->make_room(*needed - *left) : 0;
  if (freed > 0) log::warning("the cache gave up {} for the network: more items are loaded anew each time", bytes_text(freed));
  if (static_cast<double>(*needed) > kDoubt * static_cast<double>(*left + freed))
    throw Error(ErrorKind::memory,
                fmt::format("an iteration on {} takes about {} of memory, {} are left: smaller or fewer patches per batch need less",
                            to_string(inputs), bytes_text(*needed), bytes_text(*left + freed)));
}

void report_memory() {
  const std::optional<std::uint64_t> left = available_memory();
  if (!left) return;
  const std::uint64_t peak = peak_memory();
  log::info("memory: {} at most so far, {} left", bytes_text(peak), bytes_text(*left));
  if (*left < peak / 8)
    log::warning("memory is nearly used up: smaller or fewer patches per batch, a lower cache_rate or fewer workers leave more of it");
}

}  // namespace vesal::train
