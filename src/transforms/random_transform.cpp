#include "transforms/random_transform.h"

#include <algorithm>
#include <cmath>

namespace vesal::transforms {
namespace {

class RandomMapTransform : public Transform, public Randomizable {
 public:
  RandomMapTransform(const RandomSpec& spec, const Args& args)
      : name_(spec.name + "d"), keys_(args.get<std::vector<std::string>>("keys")), allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (std::size_t i = 0; i < keys_.size(); ++i) each_.push_back(spec.make(args_of_key(args, spec.per_key, i)));
  }
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    const Random random = next_stream();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, name_).empty()) continue;
      Value& value = item[keys_[i]];
      value = with_context(name_ + " of '" + keys_[i] + "'", [&] { return image::to_value(each_[i]->transform(image::image_of(value), random)); });
    }
    return item;
  }

 private:
  std::string name_;
  std::vector<std::string> keys_;
  bool allow_missing_;
  std::vector<std::shared_ptr<RandomImageTransform>> each_;
};

}  // namespace

RandomImageTransform::RandomImageTransform(double probability) : probability_(probability) {
  if (!(probability >= 0 && probability <= 1)) throw Error(ErrorKind::config, "prob = " + std::to_string(probability) + ", want 0 to 1");
}

RegisterRandomTransform::RegisterRandomTransform(RandomSpec spec) {
  const RegisterTransform both({
      .name = spec.name,
      .summary = spec.summary,
      .params = spec.params,
      .per_key = spec.per_key,
      .make = spec.make,
      .dict_params = spec.dict_params,
      .make_dict = [spec](const Args& args) { return std::make_shared<RandomMapTransform>(spec, args); },
      .dict_order = spec.dict_order,
  });
}

Param prob_param(double fallback) { return optional("prob", fallback, "probability that the image is changed"); }

Interval interval_argument(const Args& args, const std::string& name) {
  const auto ends = args.get<std::vector<double>>(name);
  if (!args[name].is_sequence()) return {-std::fabs(ends[0]), std::fabs(ends[0])};
  if (ends.size() != 2) throw Error(ErrorKind::config, name + " wants a number or a pair of numbers, got " + args[name].repr());
  return {std::min(ends[0], ends[1]), std::max(ends[0], ends[1])};
}

std::size_t weighted_choice(const std::vector<double>& weights, Random& random) {
  double total = 0;
  for (const double w : weights) total += w;
  double left = random.uniform(0, total);
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    if ((left -= weights[i]) < 0) break;
  }
  return last;
}

}  // namespace vesal::transforms
