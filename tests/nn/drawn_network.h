// Small networks drawn at random: what a fuzz test compares libtorch and the engine on.
#pragma once
#include <fmt/format.h>
#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "base/array.h"
#include "base/random.h"

namespace vesal::tests {

/// A forward() in TorchScript of up to 14 operators with residuals and branches, its weights and an input shape; the same for the same seed.
class DrawnNetwork {
 public:
  explicit DrawnNetwork(std::uint64_t seed) : random_(seed), axes_(one_of(1, 3)) {
    torch::manual_seed(static_cast<std::int64_t>(seed));
    Shape shape{1, channels()};
    for (int i = 0; i < axes_; ++i) shape.push_back(one_of(axes_ == 3 ? 5 : 8, axes_ == 3 ? 14 : 40));
    input = shape;
    tensors_.push_back({"x", shape});
    const int count = one_of(3, 14);
    for (int i = 0; i < count; ++i) step();
    source = "def forward(self, x: Tensor) -> Tensor:\n" + body_ + "  return " + tensors_.back().name + "\n";
  }

  Shape input;
  std::string source;
  std::map<std::string, torch::Tensor> weights;

 private:
  struct Drawn {
    std::string name;
    Shape shape;
  };

  int one_of(int low, int high) { return low + static_cast<int>(random_.uniform() * (high - low + 0.999)); }
  bool chance(double p) { return random_.uniform() < p; }
  std::int64_t channels() {
    const int kinds[] = {1, 2, 3, 4, 5, 8, 15, 16, 17, 24, 32, 33, 40};
    return kinds[one_of(0, 12)];
  }
  /// Mostly the last tensor, sometimes an earlier one.
  const Drawn& pick() { return chance(0.8) ? tensors_.back() : tensors_[static_cast<std::size_t>(one_of(0, static_cast<int>(tensors_.size()) - 1))]; }
  std::string weight(torch::Tensor tensor) {
    const std::string name = "w" + std::to_string(weights.size());
    weights[name] = std::move(tensor);
    return "self." + name;
  }
  void add(const std::string& text, Shape shape) {
    const std::string name = "t" + std::to_string(++count_);
    body_ += "  " + name + " = " + text + "\n";
    tensors_.push_back({name, std::move(shape)});
  }
  static std::string list(const Shape& values) { return to_string(values); }

  void step() {
    const Drawn from = pick();
    switch (one_of(0, 11)) {
      case 0:
      case 1:
      case 2: return convolution(from);
      case 3: return transposed(from);
      case 4: return norm(from);
      case 5:
      case 6: return activation(from);
      case 7: return residual(from);
      case 8: return concat(from);
      case 9: return pool(from);
      case 10: return upsample(from);
      default: return outside(from);
    }
  }

  void convolution(const Drawn& from) {
    const std::int64_t in = from.shape[1];
    std::int64_t out = channels(), groups = 1;
    if (chance(0.25)) groups = in, out = in * one_of(1, 2);
    else if (in % 2 == 0 && out % 2 == 0 && chance(0.2)) groups = 2;
    Shape kernel, stride, padding, dilation, shape{1, out};
    const bool pointwise = chance(0.25);
    for (int i = 0; i < axes_; ++i) {
      const std::int64_t extent = from.shape[static_cast<std::size_t>(i) + 2];
      std::int64_t k = pointwise ? 1 : one_of(1, 5), d = one_of(1, 5) == 5 ? 2 : 1;
      const std::int64_t p = chance(0.7) ? d * (k - 1) / 2 : one_of(0, static_cast<int>(k) - 1), s = one_of(1, 6) > 4 ? one_of(2, 3) : 1;
      if (extent + 2 * p <= d * (k - 1)) k = 1;
      kernel.push_back(k), dilation.push_back(d), padding.push_back(p), stride.push_back(s);
      shape.push_back((extent + 2 * p - d * (k - 1) - 1) / s + 1);
    }
    Shape w{out, in / groups};
    w.insert(w.end(), kernel.begin(), kernel.end());
    const double fan = static_cast<double>(numel_of(w) / out);
    const std::string bias = chance(0.6) ? weight(torch::randn({out})) : "None";
    add(fmt::format("torch.conv{}d({}, {}, {}, {}, {}, {}, {})", axes_, from.name, weight(torch::randn(w) / std::sqrt(fan)), bias, list(stride),
                    list(padding), list(dilation), groups),
        shape);
  }

  void transposed(const Drawn& from) {
    const std::int64_t in = from.shape[1], out = channels();
    Shape kernel, stride, padding, extra, shape{1, out};
    for (int i = 0; i < axes_; ++i) {
      const std::int64_t s = one_of(1, 3), k = one_of(static_cast<int>(s), 4), p = one_of(0, static_cast<int>(k) / 2),
                         o = one_of(0, static_cast<int>(s) - 1);
      const std::int64_t extent = (from.shape[static_cast<std::size_t>(i) + 2] - 1) * s - 2 * p + k + o;
      if (extent < 1 || extent > (axes_ == 3 ? 20 : 60)) return;
      kernel.push_back(k), stride.push_back(s), padding.push_back(p), extra.push_back(o), shape.push_back(extent);
    }
    Shape w{in, out};
    w.insert(w.end(), kernel.begin(), kernel.end());
    add(fmt::format("torch.conv_transpose{}d({}, {}, {}, {}, {}, {})", axes_, from.name,
                    weight(torch::randn(w) / std::sqrt(static_cast<double>(in * 2))), chance(0.5) ? weight(torch::randn({out})) : "None",
                    list(stride), list(padding), list(extra)),
        shape);
  }

  void norm(const Drawn& from) {
    const std::int64_t c = from.shape[1];
    const bool affine = chance(0.7);
    const std::string w = affine ? weight(torch::rand({c}) + 0.5) : "None", b = affine ? weight(torch::randn({c})) : "None";
    switch (one_of(0, 2)) {
      case 0:
        return add(fmt::format("torch.batch_norm({}, {}, {}, {}, {}, False, 0.1, 1e-5, False)", from.name, w, b, weight(torch::randn({c})),
                               weight(torch::rand({c}) + 0.3)),
                   from.shape);
      case 1: return add(fmt::format("torch.instance_norm({}, {}, {}, None, None, True, 0.1, 1e-5, False)", from.name, w, b), from.shape);
      default:
        std::int64_t groups = one_of(1, static_cast<int>(std::min<std::int64_t>(c, 8)));
        while (c % groups) --groups;
        return add(fmt::format("torch.group_norm({}, {}, {}, {}, 1e-5)", from.name, groups, w, b), from.shape);
    }
  }

  void activation(const Drawn& from) {
    const std::string x = from.name;
    const std::string slopes = weight(torch::rand({chance(0.5) ? 1 : from.shape[1]}));
    const std::string forms[] = {"torch.relu(" + x + ")",
                                 "torch.relu_(" + x + ")",
                                 "torch.prelu(" + x + ", " + slopes + ")",
                                 "torch.leaky_relu(" + x + ", 0.1)",
                                 "torch.sigmoid(" + x + ")",
                                 "torch.tanh(" + x + ")",
                                 "torch.silu(" + x + ")",
                                 "torch.elu(" + x + ", 0.7)",
                                 "torch.softmax(" + x + ", 1)",
                                 x + " * torch.sigmoid(" + x + ")"};
    int which = one_of(0, 9);
    if (which == 1 && x == "x") which = 0;  // the input is not the network's to overwrite
    add(forms[which], from.shape);
  }

  void residual(const Drawn& from) {
    for (const Drawn& other : tensors_) {
      if (other.shape != from.shape || chance(0.4)) continue;
      const std::string forms[] = {"{} + {}", "{} - {}", "{} * {}", "torch.add({}, {}, alpha=0.5)", "{}.clone().add_({})"};
      return add(fmt::format(fmt::runtime(forms[one_of(0, 4)]), from.name, other.name), from.shape);
    }
    const std::string forms[] = {"{} + 0.5", "{} * 0.25", "{} - 1.5", "{} / 2", "-{}"};
    add(fmt::format(fmt::runtime(forms[one_of(0, 4)]), from.name), from.shape);
  }

  void concat(const Drawn& from) {
    Shape shape = from.shape;
    std::string parts = from.name;
    for (const Drawn& other : tensors_) {
      Shape same = other.shape;
      same[1] = from.shape[1];
      if (same != from.shape || chance(0.5) || shape[1] > 60) continue;
      parts += ", " + other.name;
      shape[1] += other.shape[1];
    }
    add("torch.cat([" + parts + "], 1)", shape);
  }

  void pool(const Drawn& from) {
    Shape kernel, stride, padding, shape{1, from.shape[1]};
    const bool ceil = chance(0.3);
    for (int i = 0; i < axes_; ++i) {
      const std::int64_t k = one_of(1, 3), s = one_of(1, 3), p = one_of(0, static_cast<int>(k) / 2),
                         extent = from.shape[static_cast<std::size_t>(i) + 2];
      if (extent + 2 * p < k) return;
      kernel.push_back(k), stride.push_back(s), padding.push_back(p);
      std::int64_t out = (extent + 2 * p - k + (ceil ? s - 1 : 0)) / s + 1;
      if (ceil && (out - 1) * s >= extent + p) --out;
      shape.push_back(out);
    }
    const std::string rounding = ceil ? "True" : "False";
    switch (one_of(0, 3)) {
      case 0: {
        Shape size, pooled{1, from.shape[1]};
        for (int i = 0; i < axes_; ++i) size.push_back(one_of(1, 4)), pooled.push_back(size.back());
        return add(fmt::format("torch.adaptive_avg_pool{}d({}, {})", axes_, from.name, list(size)), pooled);
      }
      case 1:
        return add(fmt::format("torch.avg_pool{}d({}, {}, {}, {}, {}, {})", axes_, from.name, list(kernel), list(stride), list(padding), rounding,
                               chance(0.5) ? "True" : "False"),
                   shape);
      default:
        return add(fmt::format("torch.max_pool{}d({}, {}, {}, {}, 1, {})", axes_, from.name, list(kernel), list(stride), list(padding), rounding),
                   shape);
    }
  }

  void upsample(const Drawn& from) {
    const bool linear = chance(0.6), by_factor = chance(0.5);
    const char* kinds[] = {"linear1d", "bilinear2d", "trilinear3d"};
    const std::string kind = linear ? kinds[axes_ - 1] : fmt::format("nearest{}d", axes_);
    Shape shape{1, from.shape[1]}, size;
    std::string factors;
    for (int i = 0; i < axes_; ++i) {
      const std::int64_t extent = from.shape[static_cast<std::size_t>(i) + 2];
      const double factors_there_are[] = {2, 1.5, 3, 1};
      const double factor = factors_there_are[one_of(0, 3)];
      size.push_back(by_factor ? static_cast<std::int64_t>(static_cast<double>(extent) * factor) : one_of(1, 2 * static_cast<int>(extent)));
      if (size.back() > (axes_ == 3 ? 20 : 60)) return;
      factors += fmt::format("{}{:.1f}", i ? ", " : "", factor);
      shape.push_back(size.back());
    }
    const std::string align = linear ? (chance(0.5) ? ", True" : ", False") : "";
    if (by_factor) add(fmt::format("torch.upsample_{}({}, None{}, [{}])", kind, from.name, align, factors), shape);
    else add(fmt::format("torch.upsample_{}({}, {}{}, None)", kind, from.name, list(size), align), shape);
  }

  /// Operators the engine does not have.
  void outside(const Drawn& from) {
    const std::string x = from.name;
    const std::string forms[] = {"torch.gelu(" + x + ")",
                                 "torch.clamp(" + x + ", -1.0, 1.5)",
                                 x + ".permute([0, 1" +
                                     (axes_ == 3   ? ", 3, 4, 2"
                                      : axes_ == 2 ? ", 3, 2"
                                                   : ", 2") +
                                     "]).contiguous()",
                                 "torch.where(" + x + " > 0, " + x + ", " + x + " * " + x + ")",
                                 "torch.softplus(" + x + ".flatten(2)).view(" + x + ".shape)",
                                 "torch.flip(" + x + ", [2])"};
    const int which = one_of(0, 5);
    Shape shape = from.shape;
    if (which == 2 && axes_ == 3) shape = {1, shape[1], shape[3], shape[4], shape[2]};
    if (which == 2 && axes_ == 2) shape = {1, shape[1], shape[3], shape[2]};
    add(forms[which], shape);
  }

  Random random_;
  int axes_;
  int count_ = 0;
  std::string body_;
  std::vector<Drawn> tensors_;
};

}  // namespace vesal::tests
