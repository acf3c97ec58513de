#include "train/metric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/parallel.h"
#include "base/ranks.h"
#include "image/image.h"

namespace vesal::train {
namespace {

constexpr std::array<std::pair<const char*, ScoreReduction>, 7> kReductions{{{"none", ScoreReduction::none},
                                                                             {"mean", ScoreReduction::mean},
                                                                             {"sum", ScoreReduction::sum},
                                                                             {"mean_batch", ScoreReduction::mean_batch},
                                                                             {"sum_batch", ScoreReduction::sum_batch},
                                                                             {"mean_channel", ScoreReduction::mean_channel},
                                                                             {"sum_channel", ScoreReduction::sum_channel}}};

struct Sum {
  double total = 0;
  double count = 0;
  void add(float v) {
    if (std::isnan(v)) return;
    total += v;
    ++count;
  }
  float value(bool mean) const { return static_cast<float>(!mean ? total : count > 0 ? total / count : 0.0); }
};

/// Sums along one axis of scores.
ReducedScores along(const Array& scores, int axis, bool mean) {
  const std::int64_t rows = scores.size(0), columns = scores.size(1);
  std::vector<Sum> sums(axis == 0 ? columns : rows);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) sums[axis == 0 ? c : r].add(scores.data<float>()[r * columns + c]);
  ReducedScores out{Array::empty({static_cast<std::int64_t>(sums.size())}, DType::f32),
                    Array::empty({static_cast<std::int64_t>(sums.size())}, DType::f32)};
  for (std::size_t i = 0; i < sums.size(); ++i) {
    out.value.data<float>()[i] = sums[i].value(mean);
    out.not_nans.data<float>()[i] = static_cast<float>(sums[i].count);
  }
  return out;
}

ReducedScores scalar(const Sum& sum, bool mean) { return {Array::full({}, DType::f32, sum.value(mean)), Array::full({}, DType::f32, sum.count)}; }

void read(const Array& array, std::int64_t begin, std::int64_t n, float* out) {
  visit_dtype(array.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* in = array.data<T>() + begin;
    for (std::int64_t i = 0; i < n; ++i) out[i] = convert<float>(in[i]);
  });
}

std::vector<double> numbers_of(const Value& v) {
  if (!v.is_array()) return cast<std::vector<double>>(v);
  const Array a = v.as_array().to(DType::f64).contiguous();
  return {a.data<double>(), a.data<double>() + a.numel()};
}

/// The spacing of each of n items: see CumulativeMetric::update.
std::vector<std::vector<double>> spacings_of(const Value& given, std::size_t n) {
  if (given.is_none()) return std::vector<std::vector<double>>(n);
  std::vector<Value> items;
  if (given.is_array() && given.as_array().dim() == 2) {
    for (std::int64_t i = 0; i < given.as_array().size(0); ++i) items.emplace_back(given.as_array().select(0, i));
  } else if (given.is_sequence() && !given.items().empty() && (given.items()[0].is_sequence() || given.items()[0].is_array())) {
    items = given.items();
  } else {
    return std::vector<std::vector<double>>(n, numbers_of(given));
  }
  if (items.size() != n) throw Error(ErrorKind::config, "spacings of " + std::to_string(items.size()) + " items for a batch of " + std::to_string(n));
  std::vector<std::vector<double>> out;
  for (const Value& own : items) out.push_back(numbers_of(own));
  return out;
}

}  // namespace

ScoreReduction parse_score_reduction(const std::string& name) {
  std::string known;
  for (const auto& [text, reduction] : kReductions) {
    if (name == text) return reduction;
    known += std::string(known.empty() ? "" : ", ") + text;
  }
  throw Error(ErrorKind::config, "reduction '" + name + "', want one of " + known);
}

ReducedScores reduce_scores(const Array& given, ScoreReduction reduction) {
  const Array scores = given.to(DType::f32).contiguous();
  if (scores.dim() != 2) throw Error(ErrorKind::shape, "scores must be [items, classes], got " + to_string(scores.shape()));
  switch (reduction) {
    case ScoreReduction::mean_batch: return along(scores, 0, true);
    case ScoreReduction::sum_batch: return along(scores, 0, false);
    case ScoreReduction::mean_channel: return along(scores, 1, true);
    case ScoreReduction::sum_channel: return along(scores, 1, false);
    case ScoreReduction::mean: {  // over the classes of an item first, then over the items that have any
      const ReducedScores items = along(scores, 1, true);
      Sum sum;
      for (std::int64_t i = 0; i < items.value.numel(); ++i)
        if (items.not_nans.data<float>()[i] > 0) sum.add(items.value.data<float>()[i]);
      return scalar(sum, true);
    }
    case ScoreReduction::sum: {
      Sum sum;
      for (std::int64_t i = 0; i < scores.numel(); ++i) sum.add(scores.data<float>()[i]);
      return scalar(sum, false);
    }
    case ScoreReduction::none: break;
  }
  Array counts = Array::empty(scores.shape(), DType::f32);
  for (std::int64_t i = 0; i < scores.numel(); ++i) counts.data<float>()[i] = std::isnan(scores.data<float>()[i]) ? 0.0f : 1.0f;
  return {scores.clone(), counts};
}

std::vector<Array> items_of(const Value& batch) {
  std::vector<Array> items;
  if (batch.is_sequence()) {
    for (const Value& v : batch.items()) items.push_back(image::array_of(v));
  } else {
    const Array all = image::array_of(batch);
    if (all.dim() < 2) throw Error(ErrorKind::shape, "a batch must be [B, C, ...], got " + to_string(all.shape()));
    for (std::int64_t i = 0; i < all.size(0); ++i) items.push_back(all.select(0, i));
  }
  return items;
}

void for_each_stretch(const Array& given_a, const Array& given_b, const std::function<void(const float*, const float*, std::int64_t)>& body) {
  constexpr std::int64_t kStretch = 4096;
  const Array a = given_a.contiguous(), b = given_b.contiguous();
  parallel_for(a.numel(), 64 * kStretch, [&](std::int64_t begin, std::int64_t end) {
    std::array<float, kStretch> x, y;
    for (; begin < end; begin += kStretch) {
      const std::int64_t n = std::min(kStretch, end - begin);
      read(a, begin, n, x.data());
      read(b, begin, n, y.data());
      body(x.data(), y.data(), n);
    }
  });
}

std::pair<Array, Array> scored_channels(const Array& y_pred, const Array& y, bool include_background) {
  if (y_pred.dim() < 1 || y_pred.shape() != y.shape())
    throw Error(ErrorKind::shape,
                "predictions " + to_string(y_pred.shape()) + " and ground truth " + to_string(y.shape()) + " must be one-hot [C, ...] of one shape");
  const std::int64_t first = include_background || y_pred.size(0) == 1 ? 0 : 1;
  return {y_pred.slice(0, first, y_pred.size(0)), y.slice(0, first, y.size(0))};
}

Param background_param(bool fallback) { return optional("include_background", fallback, "score class 0 too"); }
Param reduction_param() { return optional("reduction", "mean", "none, mean, sum, mean_batch, sum_batch, mean_channel, sum_channel"); }
Param counts_param() { return optional("get_not_nans", false, "aggregate() also tells how many scores count"); }

CumulativeMetric::Options metric_options(const Args& args, bool get_not_nans) {
  return {.include_background = args.all().contains("include_background") ? args.get<bool>("include_background") : true,
          .reduction = parse_score_reduction(args.get<std::string>("reduction")),
          .get_not_nans = get_not_nans};
}

Array CumulativeMetric::update(const Value& y_pred, const Value& y, const Value& spacing) {
  const std::vector<Array> predictions = items_of(y_pred), truths = items_of(y);
  const auto spacings = spacings_of(spacing, predictions.size());
  if (predictions.size() != truths.size())
    throw Error(ErrorKind::shape, std::to_string(predictions.size()) + " predictions for " + std::to_string(truths.size()) + " ground truths");
  const std::size_t first = rows_.size();
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    rows_.push_back(score(predictions[i], truths[i], spacings[i]));
    if (rows_.back().size() != rows_.front().size()) {
      rows_.resize(first);
      throw Error(ErrorKind::shape, "an item of another number of classes than those before");
    }
  }
  Array all = own_buffer();
  return all.slice(0, static_cast<std::int64_t>(first), all.size(0)).clone();
}

/// As MONAI's Cumulative: the rows of all ranks, one rank after another.
Array CumulativeMetric::buffer() const {
  Array own = own_buffer();
  if (ranks::size() == 1) return own;
  if (o_.values > 1) own = own.reshape({own.size(0), own.size(1) * own.size(2)});
  std::string bytes(own.nbytes(), '\0');
  std::memcpy(bytes.data(), own.raw(), bytes.size());
  // A rank that saw nothing does not know how many classes there are.
  const auto parts = ranks::gather(name_, std::to_string(own.size(1)) + " " + bytes);
  std::int64_t classes = 0, values = 0;
  std::string all;
  for (const std::string& part : parts) {
    const auto space = part.find(' ');
    const std::int64_t theirs = std::stoll(part.substr(0, space));
    if (classes && theirs && theirs != classes) throw Error(ErrorKind::shape, name_ + ": the ranks scored different numbers of classes");
    classes = std::max(classes, theirs);
    all += part.substr(space + 1);
  }
  values = static_cast<std::int64_t>(all.size() / sizeof(float));
  Array out = Array::empty({classes ? values / classes : 0, classes}, DType::f32);
  std::memcpy(out.raw(), all.data(), all.size());
  return shaped(out);
}

Array CumulativeMetric::shaped(const Array& rows) const {
  return o_.values == 1 ? rows : rows.reshape({rows.size(0), rows.size(1) / o_.values, o_.values});
}

Array CumulativeMetric::own_buffer() const {
  const std::size_t classes = rows_.empty() ? 0 : rows_.front().size();
  Array out = Array::empty({static_cast<std::int64_t>(rows_.size()), static_cast<std::int64_t>(classes)}, DType::f32);
  for (std::size_t i = 0; i < rows_.size(); ++i) std::copy(rows_[i].begin(), rows_[i].end(), out.data<float>() + i * classes);
  return shaped(out);
}

Array CumulativeMetric::all_scores() const {
  Array scores = buffer();
  if (scores.size(0) == 0) throw Error(ErrorKind::config, name_ + ": nothing to aggregate, no item was scored");
  return scores;
}

Value CumulativeMetric::aggregate(ScoreReduction reduction) const {
  const ReducedScores reduced = reduce_scores(all_scores(), reduction);
  Value result = reduced.value;
  if (o_.reduction == ScoreReduction::mean_batch && o_.return_with_label.truthy()) {
    Dict named;
    for (std::int64_t i = 0; i < reduced.value.numel(); ++i) {
      const double rounded = std::round(reduced.value.data<float>()[i] * 1e4) / 1e4;
      if (o_.return_with_label.is_bool()) named["label_" + std::to_string(i + (o_.include_background ? 0 : 1))] = rounded;
      else if (i < static_cast<std::int64_t>(o_.return_with_label.items().size())) named[o_.return_with_label.items()[i]] = rounded;
    }
    result = named;
  }
  if (!o_.get_not_nans) return result;
  return Tuple{{result, reduced.not_nans}};
}

Value CumulativeMetric::call(const CallArgs& args) {
  std::vector<Param> params{required("y_pred", "predictions"), required("y", "ground truth")};
  if (o_.takes_spacing) params.push_back(optional("spacing", nullptr, "mm per axis, or such a list per item"));
  const Args bound = vesal::bind(name_, params, args);
  return with_context(name_, [&] { return update(bound["y_pred"], bound["y"], o_.takes_spacing ? bound["spacing"] : Value()); });
}

std::optional<Value> CumulativeMetric::attribute(std::string_view name) {
  const auto self = std::static_pointer_cast<CumulativeMetric>(shared_from_this());
  if (name == "aggregate") {
    return make_function("aggregate", [self](const CallArgs& args) {
      const Value reduction = bind("aggregate", {optional("reduction", {}, "as the metric's own")}, args)["reduction"];
      return reduction.is_none() ? self->aggregate() : self->aggregate(parse_score_reduction(reduction.as_string()));
    });
  }
  if (name == "reset") return make_function("reset", [self](const CallArgs&) -> Value { return self->reset(), Value(); });
  if (name == "get_buffer") return make_function("get_buffer", [self](const CallArgs&) -> Value { return self->buffer(); });
  return std::nullopt;
}

}  // namespace vesal::train
