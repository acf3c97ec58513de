// MeanEnsemble and VoteEnsemble (monai.transforms): several models' results as one.
#include <cmath>

#include "base/parallel.h"
#include "transforms/elementwise.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// The results one by one: of a list, or of an array stacked along its first axis; the image whose place the result takes.
struct Results {
  std::vector<Array> arrays;
  std::shared_ptr<Image> first;
  explicit Results(const Value& data) {
    if (data.is_sequence()) {
      for (const Value& item : data.items()) arrays.push_back(image::array_of(item));
      if (!data.items().empty()) first = data.items()[0].object<Image>();
    } else {
      const Array stacked = image::array_of(data);
      if (stacked.dim() == 0) throw Error(ErrorKind::shape, "results stacked along a first axis wanted");
      for (std::int64_t i = 0; i < stacked.size(0); ++i) arrays.push_back(stacked.select(0, i));
      first = data.object<Image>();
    }
    if (arrays.empty()) throw Error(ErrorKind::shape, "no results to put together");
    for (const Array& a : arrays)
      if (a.shape() != arrays[0].shape())
        throw Error(ErrorKind::shape, "results of " + to_string(arrays[0].shape()) + " and " + to_string(a.shape()));
  }
  Value as_result(Array out) const { return first ? image::to_value(first->with(std::move(out))) : Value(std::move(out)); }
};

/// Nested lists of numbers, or an array, as float64.
Array numbers(const Value& v) {
  if (v.is_array()) return v.as_array().to(DType::f64).contiguous();
  if (v.is_number()) return Array::full({}, DType::f64, v.as_float());
  std::vector<Array> parts;
  for (const Value& item : v.items()) parts.push_back(numbers(item));
  if (parts.empty()) throw Error(ErrorKind::config, "weights are empty");
  return stack(parts, 0);
}

class MeanEnsemble : public Transform {
 public:
  explicit MeanEnsemble(const Value& weights) {
    if (!weights.is_none()) weights_ = numbers(weights);
  }
  std::string type_name() const override { return "MeanEnsemble"; }
  Value apply(const Value& data) const override {
    const Results results(data);
    const auto n = static_cast<std::int64_t>(results.arrays.size());
    Array sum = Array::zeros(results.arrays[0].shape(), DType::f32);
    for (std::int64_t i = 0; i < n; ++i) add(sum, results.arrays[i], i, n);
    return results.as_result(converted(sum, results.arrays[0].dtype()));
  }

 private:
  void add(Array& sum, const Array& one, std::int64_t i, std::int64_t n) const {
    const Array values = one.to(DType::f32).contiguous();
    std::int64_t weights = 1;
    std::vector<double> each{1.0};
    if (weights_.defined()) {
      if (weights_.dim() == 0 || weights_.size(0) != n || weights_.dim() > values.dim() + 1)
        throw Error(ErrorKind::shape,
                    "weights of " + to_string(weights_.shape()) + " for " + std::to_string(n) + " results of " + to_string(values.shape()));
      weights = weights_.numel() / n;
      each.assign(static_cast<std::size_t>(weights), 0);
      const double* w = weights_.data<double>();
      for (std::int64_t k = 0; k < weights; ++k) {
        double mean = 0;
        for (std::int64_t m = 0; m < n; ++m) mean += w[m * weights + k] / static_cast<double>(n);
        each[k] = w[i * weights + k] / mean;
      }
      for (int a = 1; a < weights_.dim(); ++a)
        if (weights_.size(a) != values.size(a - 1))
          throw Error(ErrorKind::shape, "weights of " + to_string(weights_.shape()) + " for results of " + to_string(values.shape()));
    }
    const std::int64_t per = std::max<std::int64_t>(1, values.numel() / weights);
    float* to = sum.data<float>();
    const float* from = values.data<float>();
    parallel_for(values.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t v = begin; v < end; ++v) to[v] += static_cast<float>(static_cast<double>(from[v]) * each[v / per] / static_cast<double>(n));
    });
  }
  Array weights_;
};

class VoteEnsemble : public Transform {
 public:
  explicit VoteEnsemble(std::optional<std::int64_t> classes) : classes_(classes) {
    if (classes_ && (*classes_ < 1 || *classes_ > 65536)) throw Error(ErrorKind::config, "num_classes is " + std::to_string(*classes_));
  }
  std::string type_name() const override { return "VoteEnsemble"; }
  Value apply(const Value& data) const override {
    const Results results(data);
    const Shape& shape = results.arrays[0].shape();
    const bool one_hot = !classes_ || (!shape.empty() && shape[0] > 1);
    std::vector<Array> votes;
    for (const Array& a : results.arrays) votes.push_back(one_hot ? copy_as(a, DType::f32) : copy_as(a, DType::i32));
    Array out;
    if (!one_hot) out = most_common(votes);
    else out = classes_ ? largest_mean(votes) : rounded_mean(votes);
    return results.as_result(converted(out, results.arrays[0].dtype()));
  }

 private:
  Array most_common(const std::vector<Array>& votes) const {
    Array out = Array::empty(votes[0].shape(), DType::i32);
    std::int32_t* to = out.data<std::int32_t>();
    parallel_for(out.numel(), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
      std::vector<int> count(static_cast<std::size_t>(*classes_));
      for (std::int64_t i = begin; i < end; ++i) {
        std::fill(count.begin(), count.end(), 0);
        for (const Array& vote : votes) {
          const std::int32_t label = vote.data<std::int32_t>()[i];
          if (label < 0 || label >= *classes_)
            throw Error(ErrorKind::shape, "label " + std::to_string(label) + " is outside of num_classes = " + std::to_string(*classes_));
          ++count[label];
        }
        to[i] = static_cast<std::int32_t>(std::max_element(count.begin(), count.end()) - count.begin());
      }
    });
    return out;
  }
  static Array sum_of(const std::vector<Array>& votes) {
    Array sum = votes[0].clone();
    float* to = sum.data<float>();
    for (std::size_t k = 1; k < votes.size(); ++k) {
      const float* from = votes[k].data<float>();
      parallel_for(sum.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) to[i] += from[i];
      });
    }
    return sum;
  }
  static Array rounded_mean(const std::vector<Array>& votes) {
    Array mean = sum_of(votes);
    const auto n = static_cast<float>(votes.size());
    for_each_block<float>(mean, [n](float* p, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) p[i] = std::nearbyint(p[i] / n);
    });
    return mean;
  }
  /// One channel: where the channels' sum is largest.
  static Array largest_mean(const std::vector<Array>& votes) {
    const Array sum = sum_of(votes);
    Shape shape = sum.shape();
    const std::int64_t channels = shape[0], n = sum.numel() / channels;
    shape[0] = 1;
    Array out = Array::empty(shape, DType::i32);
    const float* p = sum.data<float>();
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t best = 0;
      for (std::int64_t c = 1; c < channels; ++c)
        if (p[c * n + i] > p[best * n + i]) best = c;
      out.data<std::int32_t>()[i] = static_cast<std::int32_t>(best);
    }
    return out;
  }
  std::optional<std::int64_t> classes_;
};

/// The items of several keys, or one stacked item, become one.
class Ensembled : public Transform {
 public:
  Ensembled(std::string name, const Args& args, TransformPtr ensemble)
      : name_(std::move(name)), keys_(args.get<std::vector<std::string>>("keys")), ensemble_(std::move(ensemble)) {
    if (args.is_none("output_key") && keys_.size() != 1) throw Error(ErrorKind::config, name_ + " of several keys wants an output_key");
    output_ = args.is_none("output_key") ? keys_[0] : args.get<std::string>("output_key");
  }
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    List results;
    for (const std::string& key : present_keys(item, keys_, false, name_)) results.items.push_back(item.at(key));
    item[output_] = with_context(name_, [&] { return ensemble_->apply(results.items.size() == 1 ? results.items[0] : Value(results)); });
    return item;
  }

 private:
  std::string name_;
  std::vector<std::string> keys_;
  std::string output_;
  TransformPtr ensemble_;
};

TransformPtr mean_of(const Args& args) { return std::make_shared<MeanEnsemble>(args["weights"]); }
TransformPtr vote_of(const Args& args) { return std::make_shared<VoteEnsemble>(args.get<std::optional<std::int64_t>>("num_classes")); }

const Param kWeights = optional("weights", Value(), "one per result, or per result and channel, ...");
const Param kClasses = optional("num_classes", Value(), "of labels in one channel; None for one-hot results");
const Param kKeys = required("keys", "keys of the results; one key alone holds them stacked");
const Param kOutput = optional("output_key", Value(), "key of the result; the key if there is one alone");

const Register mean({.kind = "transform",
                     .name = "MeanEnsemble",
                     .aliases = {},
                     .summary = "The mean of several results",
                     .params = {kWeights},
                     .make = [](const Args& args) -> Value { return mean_of(args); }});
const Register meand({.kind = "transform",
                      .name = "MeanEnsembled",
                      .aliases = {"MeanEnsembleD", "MeanEnsembleDict"},
                      .summary = "The mean of several results (dictionary form)",
                      .params = {kKeys, kOutput, kWeights},
                      .make = [](const Args& args) -> Value { return std::make_shared<Ensembled>("MeanEnsembled", args, mean_of(args)); }});
const Register vote({.kind = "transform",
                     .name = "VoteEnsemble",
                     .aliases = {},
                     .summary = "The most common label of several results",
                     .params = {kClasses},
                     .make = [](const Args& args) -> Value { return vote_of(args); }});
const Register voted({.kind = "transform",
                      .name = "VoteEnsembled",
                      .aliases = {"VoteEnsembleD", "VoteEnsembleDict"},
                      .summary = "The most common label of several results (dictionary form)",
                      .params = {kKeys, kOutput, kClasses},
                      .make = [](const Args& args) -> Value { return std::make_shared<Ensembled>("VoteEnsembled", args, vote_of(args)); }});

}  // namespace
}  // namespace vesal::transforms
