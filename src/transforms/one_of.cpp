// OneOf, RandomOrder: one of several transforms, or all of them in a random order. MONAI: the same names.
#include "transforms/compose.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {
namespace {

/// Holds each transform as a Compose of its own, so that lists and tuples are handed on as Compose does it.
class RandomCompose : public Transform, public Randomizable {
 public:
  explicit RandomCompose(const Args& args) {
    const Value& given = args["transforms"];
    const auto list = compose(given.is_sequence() || given.is_none() ? given : Value(List{{given}}));
    for (const Value& t : list->transforms())
      each_.push_back(std::make_shared<Compose>(std::vector{t}, args.get<int>("map_items"), args.get<bool>("unpack_items")));
  }
  void set_seed(std::uint64_t seed) override {
    Randomizable::set_seed(seed);
    for (std::size_t i = 0; i < each_.size(); ++i) each_[i]->set_seed(mix_seed(seed, i));
  }
  std::optional<Value> attribute(std::string_view name) override {
    if (name != "transforms") return std::nullopt;
    Tuple all;
    for (const auto& one : each_) all.items.push_back(one->transforms()[0]);
    return all;
  }

 protected:
  const std::vector<std::shared_ptr<Compose>>& each() const { return each_; }

 private:
  std::vector<std::shared_ptr<Compose>> each_;
};

class OneOf : public RandomCompose {
 public:
  explicit OneOf(const Args& args) : RandomCompose(args), weights_(each().size(), 1) {
    if (args["weights"].is_sequence()) weights_ = args.get<std::vector<double>>("weights");
    if (weights_.size() != each().size())
      throw Error(ErrorKind::config, "OneOf: " + std::to_string(weights_.size()) + " weights for " + std::to_string(each().size()) + " transforms");
    double total = 0;
    for (const double w : weights_) {
      if (!(w >= 0)) throw Error(ErrorKind::config, "OneOf: weights cannot be negative");
      total += w;
    }
    if (!weights_.empty() && total == 0) throw Error(ErrorKind::config, "OneOf: at least one weight must be positive");
  }
  std::string type_name() const override { return "OneOf"; }
  Value apply(const Value& data) const override {
    if (weights_.empty()) return data;
    Random random = next_stream();
    return each()[weighted_choice(weights_, random)]->apply(data);
  }

 private:
  std::vector<double> weights_;
};

class RandomOrder : public RandomCompose {
 public:
  using RandomCompose::RandomCompose;
  std::string type_name() const override { return "RandomOrder"; }
  Value apply(const Value& data) const override {
    Value current = data;
    for (const std::int64_t i : next_stream().permutation(static_cast<std::int64_t>(each().size())))
      current = each()[static_cast<std::size_t>(i)]->apply(current);
    return current;
  }
};

const Param kMapItems = optional("map_items", true, "levels of lists whose items are transformed one by one");
const Param kUnpack = optional("unpack_items", false, "hand a tuple on as separate arguments");
const Param kLog = optional("log_stats", false, "accepted, errors always name the transform");
const Param kLazy = optional("lazy", false, "accepted, resampling is never deferred between transforms");
const Param kOverrides = optional("overrides", nullptr, "accepted, only for lazy");

const Register one_of({
    .kind = "transform",
    .name = "OneOf",
    .aliases = {},
    .summary = "One of several transforms, drawn by weight",
    .params = {optional("transforms", nullptr, "the callables to draw from"), optional("weights", nullptr, "how likely each is; all alike if none"),
               kMapItems, kUnpack, kLog, kLazy, kOverrides},
    .make = [](const Args& args) -> Value { return std::make_shared<OneOf>(args); },
});

const Register random_order({
    .kind = "transform",
    .name = "RandomOrder",
    .aliases = {},
    .summary = "All of several transforms, in a random order",
    .params = {optional("transforms", nullptr, "the callables"), kMapItems, kUnpack, kLog, kLazy, kOverrides},
    .make = [](const Args& args) -> Value { return std::make_shared<RandomOrder>(args); },
});

}  // namespace
}  // namespace vesal::transforms
