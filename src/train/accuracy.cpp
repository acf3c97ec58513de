// ignite.metrics.Accuracy: the share of right answers. Two arrays of the same shape are compared element by element (binary),
// or with is_multilabel position by position over all channels; a y without channel axis is compared with the argmax of y_pred.
#include <atomic>

#include "base/parallel.h"
#include "base/ranks.h"
#include "image/image.h"
#include "train/metric_handler.h"

namespace vesal::train {
namespace {

class Accuracy : public infer::Metric {
 public:
  Accuracy(Value transform, bool multilabel) : multilabel_(multilabel) { output_transform = std::move(transform); }
  std::string type_name() const override { return "Accuracy"; }
  void reset() override { right_ = all_ = 0; }

  void update(const Value& output) override {
    const auto [y_pred, y] = prediction_and_truth(output);
    const std::vector<Array> predictions = items_of(y_pred);
    std::vector<Array> truths;
    if (const bool labels_without_channels = !y.is_sequence() && image::array_of(y).dim() == 1; labels_without_channels) {
      for (std::int64_t i = 0; i < image::array_of(y).size(0); ++i) truths.push_back(image::array_of(y).select(0, i));
    } else {
      truths = items_of(y);
    }
    if (predictions.size() != truths.size())
      throw Error(ErrorKind::shape, std::to_string(predictions.size()) + " predictions for " + std::to_string(truths.size()) + " ground truths");
    for (std::size_t i = 0; i < predictions.size(); ++i) add(predictions[i], truths[i]);
  }

  Value compute() override {
    const std::vector<double> counts = ranks::sum("Accuracy", {static_cast<double>(right_), static_cast<double>(all_)});
    if (counts[1] == 0) throw Error(ErrorKind::config, "Accuracy: nothing to compute, no item was seen");
    return counts[0] / counts[1];
  }

 private:
  void add(const Array& y_pred, const Array& y) {
    if (y_pred.shape() == y.shape()) {
      multilabel_ ? add_multilabel(y_pred, y) : add_binary(y_pred, y);
    } else if (y_pred.dim() == y.dim() + 1 && std::equal(y.shape().begin(), y.shape().end(), y_pred.shape().begin() + 1)) {
      y_pred.size(0) == 1 ? add_binary(y_pred.select(0, 0), y) : add_multiclass(y_pred, y);
    } else {
      throw Error(ErrorKind::shape, "predictions " + to_string(y_pred.shape()) + " against ground truth " + to_string(y.shape()));
    }
  }

  void add_binary(const Array& y_pred, const Array& y) {
    std::atomic<std::int64_t> right{0};
    std::atomic<bool> binary{true};
    for_each_stretch(y_pred, y, [&](const float* p, const float* t, std::int64_t n) {
      std::int64_t same = 0;
      bool ok = true;
      for (std::int64_t i = 0; i < n; ++i) {
        same += p[i] == t[i];
        ok &= (p[i] == 0 || p[i] == 1) && (t[i] == 0 || t[i] == 1);
      }
      right += same;
      if (!ok) binary = false;
    });
    if (!binary) throw Error(ErrorKind::shape, "Accuracy: binary and one-hot arrays consist of 0 and 1");
    right_ += right;
    all_ += y.numel();
  }

  void add_multilabel(const Array& y_pred, const Array& y) {
    if (y.dim() < 1 || y.size(0) < 2)
      throw Error(ErrorKind::shape, "Accuracy: is_multilabel wants more than one channel, got " + to_string(y.shape()));
    const Array p = y_pred.to(DType::f32).contiguous(), t = y.to(DType::f32).contiguous();
    const std::int64_t channels = y.size(0), positions = y.numel() / channels;
    count(positions, [&](std::int64_t i) {
      for (std::int64_t c = 0; c < channels; ++c)
        if (p.data<float>()[c * positions + i] != t.data<float>()[c * positions + i]) return false;
      return true;
    });
  }

  void add_multiclass(const Array& y_pred, const Array& y) {
    const Array p = y_pred.to(DType::f32).contiguous(), t = y.to(DType::f32).contiguous();
    const std::int64_t channels = y_pred.size(0), positions = y.numel();
    count(positions, [&](std::int64_t i) {
      std::int64_t best = 0;
      for (std::int64_t c = 1; c < channels; ++c)
        if (p.data<float>()[c * positions + i] > p.data<float>()[best * positions + i]) best = c;
      return t.data<float>()[i] == static_cast<float>(best);
    });
  }

  template <class F>
  void count(std::int64_t positions, F&& is_right) {
    std::atomic<std::int64_t> right{0};
    parallel_for(positions, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t own = 0;
      for (std::int64_t i = begin; i < end; ++i) own += is_right(i);
      right += own;
    });
    right_ += right;
    all_ += positions;
  }

  bool multilabel_;
  std::int64_t right_ = 0, all_ = 0;
};

const Register accuracy({.kind = "metric",
                         .name = "ignite.metrics.Accuracy",
                         .aliases = {"ignite.metrics.accuracy.Accuracy"},
                         .summary = "Share of elements (or of argmax classes) that are right",
                         .params = {optional("output_transform", nullptr, "callable: engine output -> (y_pred, y)"),
                                    optional("is_multilabel", false, "a position is right if all its channels are"),
                                    optional("device", nullptr, "accepted; counting is done on the CPU"),
                                    optional("skip_unrolling", false, "accepted; lists are always taken item by item")},
                         .make = [](const Args& args) -> Value {
                           return std::make_shared<Accuracy>(args["output_transform"], args.get<bool>("is_multilabel"));
                         }});

}  // namespace
}  // namespace vesal::train
