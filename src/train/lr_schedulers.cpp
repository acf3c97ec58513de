// Learning rate schedules of torch.optim.lr_scheduler and monai.optimizers, in closed form.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "train/optimizer.h"

namespace vesal::train {
namespace {

/// The learning rate of an epoch (or iteration, whatever step() counts) from the rate the group began with.
using Rule = std::function<double(double base, std::int64_t epoch)>;

/// Attributes: step(epoch=None), get_last_lr(), last_epoch, base_lrs, state_dict(), load_state_dict(dict).
class LrScheduler : public Object {
 public:
  LrScheduler(std::string name, std::shared_ptr<Optimizer> optimizer, Rule rule, std::int64_t last_epoch)
      : name_(std::move(name)), optimizer_(std::move(optimizer)), rule_(std::move(rule)) {
    if (!optimizer_) throw Error(ErrorKind::config, name_ + " wants an optimizer");
    for (const auto& group : optimizer_->groups()) bases_.push_back(group.setting("initial_lr"));
    move_to(last_epoch + 1);
  }
  std::string type_name() const override { return name_; }

  std::optional<Value> attribute(std::string_view name) override {
    const auto self = std::static_pointer_cast<LrScheduler>(shared_from_this());
    if (name == "last_epoch") return Value(epoch_);
    if (name == "base_lrs") return to_list(bases_);
    if (name == "get_last_lr") return make_function("get_last_lr", [self](const CallArgs&) { return self->to_list(self->rates_); });
    if (name == "step") {
      return make_function("step", [self](const CallArgs& args) -> Value {
        const Value epoch = vesal::bind("step", {optional("epoch", nullptr, "the epoch to go to; the next one")}, args)["epoch"];
        self->move_to(epoch.is_none() ? self->epoch_ + 1 : epoch.as_int());
        return {};
      });
    }
    if (name == "state_dict") {
      return make_function("state_dict", [self](const CallArgs&) -> Value {
        return Dict{{"base_lrs", self->to_list(self->bases_)}, {"last_epoch", self->epoch_}, {"_last_lr", self->to_list(self->rates_)}};
      });
    }
    if (name == "load_state_dict") {
      return make_function("load_state_dict", [self](const CallArgs& args) -> Value {
        const Value state = vesal::bind("load_state_dict", {required("state_dict", "what state_dict() gave")}, args)["state_dict"];
        const auto bases = cast<std::vector<double>>(state.as_dict().at("base_lrs"));
        if (bases.size() != self->bases_.size())
          throw Error(ErrorKind::weights, self->name_ + ": a state of " + std::to_string(bases.size()) + " parameter groups");
        self->bases_ = bases;
        self->move_to(state.as_dict().at("last_epoch").as_int());
        return {};
      });
    }
    return std::nullopt;
  }

 private:
  void move_to(std::int64_t epoch) {
    epoch_ = epoch;
    rates_.clear();
    for (std::size_t i = 0; i < bases_.size(); ++i) {
      rates_.push_back(rule_(bases_[i], epoch_));
      optimizer_->groups()[i].settings.mutable_dict()["lr"] = rates_.back();
    }
  }
  Value to_list(const std::vector<double>& values) const {
    List list;
    for (double v : values) list.items.emplace_back(v);
    return list;
  }

  std::string name_;
  std::shared_ptr<Optimizer> optimizer_;
  Rule rule_;
  std::vector<double> bases_, rates_;
  std::int64_t epoch_ = 0;
};

/// A schedule; `rule` reads its own arguments.
Component schedule(const std::string& name, const std::string& summary, std::vector<Param> own, Rule (*rule)(const Args&)) {
  std::vector<Param> params{required("optimizer", "whose learning rate is set")};
  params.insert(params.end(), own.begin(), own.end());
  params.push_back(optional("last_epoch", -1, "go on after this epoch"));
  const bool from_torch = name.starts_with("torch.");
  if (from_torch) params.push_back(optional("verbose", false, "accepted; LrScheduleHandler logs the rate"));
  const std::string bare = name.substr(name.rfind('.') + 1);
  return {.kind = "lr_scheduler", .name = name, .summary = summary, .params = params, .make = [bare, rule](const Args& args) -> Value {
            return std::make_shared<LrScheduler>(bare, args.get<std::shared_ptr<Optimizer>>("optimizer"), rule(args),
                                                 args.get<std::int64_t>("last_epoch"));
          }};
}

std::int64_t positive(const Args& args, const std::string& name) {
  const auto n = args.get<std::int64_t>(name);
  if (n < 1) throw Error(ErrorKind::config, args.component() + ": " + name + " must be positive");
  return n;
}

double cosine(double base, double low, double share) { return low + (base - low) * (1 + std::cos(std::numbers::pi * share)) / 2; }

const Register step_lr(schedule("torch.optim.lr_scheduler.StepLR", "Smaller by a factor every n epochs",
                                {required("step_size", "epochs between two drops"), optional("gamma", 0.1, "the factor")},
                                [](const Args& args) -> Rule {
                                  const auto size = positive(args, "step_size");
                                  const double gamma = args.get<double>("gamma");
                                  return [=](double base, std::int64_t e) { return base * std::pow(gamma, static_cast<double>(e / size)); };
                                }));

const Register multi_step(schedule("torch.optim.lr_scheduler.MultiStepLR", "Smaller by a factor at given epochs",
                                   {required("milestones", "the epochs"), optional("gamma", 0.1, "the factor")}, [](const Args& args) -> Rule {
                                     auto milestones = args.get<std::vector<std::int64_t>>("milestones");
                                     std::sort(milestones.begin(), milestones.end());
                                     const double gamma = args.get<double>("gamma");
                                     return [=](double base, std::int64_t e) {
                                       const auto passed = std::upper_bound(milestones.begin(), milestones.end(), e) - milestones.begin();
                                       return base * std::pow(gamma, static_cast<double>(passed));
                                     };
                                   }));

const Register exponential(schedule("torch.optim.lr_scheduler.ExponentialLR", "Smaller by a factor every epoch", {required("gamma", "the factor")},
                                    [](const Args& args) -> Rule {
                                      const double gamma = args.get<double>("gamma");
                                      return [=](double base, std::int64_t e) { return base * std::pow(gamma, static_cast<double>(e)); };
                                    }));

const Register polynomial(schedule("torch.optim.lr_scheduler.PolynomialLR", "Down to zero as a power of the time left",
                                   {optional("total_iters", 5, "epochs until zero"), optional("power", 1.0, "the power")},
                                   [](const Args& args) -> Rule {
                                     const double total = args.get<double>("total_iters");
                                     if (!(total >= 1)) throw Error(ErrorKind::config, "PolynomialLR: total_iters must be at least 1");
                                     const double power = args.get<double>("power");
                                     return [=](double base, std::int64_t e) {
                                       return base * std::pow(1 - std::min(static_cast<double>(e), std::floor(total)) / total, power);
                                     };
                                   }));

// Loshchilov and Hutter, "SGDR" (2016).
const Register annealing(schedule("torch.optim.lr_scheduler.CosineAnnealingLR", "Down and up again along a cosine",
                                  {required("T_max", "epochs from top to bottom"), optional("eta_min", 0.0, "the bottom")},
                                  [](const Args& args) -> Rule {
                                    const auto half = static_cast<double>(positive(args, "T_max"));
                                    const double low = args.get<double>("eta_min");
                                    return [=](double base, std::int64_t e) { return cosine(base, low, static_cast<double>(e) / half); };
                                  }));

const Register restarts(schedule("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts", "Down along a cosine, again and again",
                                 {required("T_0", "epochs of the first descent"), optional("T_mult", 1, "each next one is so many times as long"),
                                  optional("eta_min", 0.0, "the bottom")},
                                 [](const Args& args) -> Rule {
                                   const auto first = positive(args, "T_0"), times = positive(args, "T_mult");
                                   const double low = args.get<double>("eta_min");
                                   return [=](double base, std::int64_t e) {
                                     std::int64_t length = first;
                                     if (times == 1) e %= length;
                                     for (; e >= length; length *= times) e -= length;
                                     return cosine(base, low, static_cast<double>(e) / static_cast<double>(length));
                                   };
                                 }));

const Register warmup(schedule("WarmupCosineSchedule", "Linear rise, then down along a cosine",
                               {required("warmup_steps", "steps of the rise"), required("t_total", "steps in all"),
                                optional("end_lr", 0.0, "never below this after the rise"), optional("cycles", 0.5, "cosine periods after the rise"),
                                optional("warmup_multiplier", 0.0, "the rise begins at this share of the rate")},
                               [](const Args& args) -> Rule {
                                 const auto total = args.get<std::int64_t>("t_total");
                                 const auto rise = std::min(std::max<std::int64_t>(args.get<std::int64_t>("warmup_steps"), 0), total);
                                 const double low = args.get<double>("end_lr"), cycles = args.get<double>("cycles");
                                 const double begin = args.get<double>("warmup_multiplier");
                                 if (begin < 0 || begin > 1) throw Error(ErrorKind::config, "warmup_multiplier must lie in [0, 1]");
                                 return [=](double base, std::int64_t e) {
                                   if (e < rise) return base * (begin + (1 - begin) * static_cast<double>(e) / static_cast<double>(rise));
                                   const double progress =
                                       static_cast<double>(e - rise) / static_cast<double>(std::max<std::int64_t>(1, total - rise));
                                   return std::max(low, base * std::max(0.0, 0.5 * (1 + std::cos(std::numbers::pi * cycles * 2 * progress))));
                                 };
                               }));

}  // namespace
}  // namespace vesal::train
