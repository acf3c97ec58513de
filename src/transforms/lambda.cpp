// Lambda, RandLambda: a function from the configuration as a transform. MONAI: Lambda, RandLambda.
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// What the function gave; an array from an image keeps the image's place, metadata and trail.
Value called(const Value& function, const Value& data, bool track_meta) {
  Value out = call_value(function, {{data}, {}});
  if (!track_meta) return out.object<Image>() ? Value(image::array_of(out)) : out;
  if (!out.is_array()) return out;
  const auto image = data.object<Image>();
  return image::to_value(image ? image->with(out.as_array()) : Image(out.as_array()));
}

void check_callable(const std::string& transform, const Value& function) {
  if (!function.is_object()) throw Error(ErrorKind::config, transform + ": func is no function but " + function.type_name() + " " + function.repr());
}

class Lambda : public Transform {
 public:
  explicit Lambda(const Args& args) : func_(args["func"]), track_meta_(args.get<bool>("track_meta")) { check_callable(type_name(), func_); }
  std::string type_name() const override { return "Lambda"; }
  Value apply(const Value& data) const override { return called(func_, data, track_meta_); }

 private:
  Value func_;
  bool track_meta_;
};

class RandLambda : public Transform, public Randomizable {
 public:
  explicit RandLambda(const Args& args) : lambda_(args), prob_(args.get<double>("prob")) {}
  std::string type_name() const override { return "RandLambda"; }
  Value apply(const Value& data) const override { return next_stream().chance(prob_) ? lambda_.apply(data) : data; }

 private:
  Lambda lambda_;
  double prob_;
};

/// Every key on its own function; the result replaces the value, goes to another key, or nowhere (overwrite).
class Lambdad : public Transform {
 public:
  Lambdad(const Args& args, std::string name)
      : name_(std::move(name)), keys_(args.get<std::vector<std::string>>("keys")), allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const Args own = args_of_key(args, {"func", "overwrite"}, i);
      each_.push_back(std::make_shared<Lambda>(own));
      overwrite_.push_back(own["overwrite"]);
    }
  }
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, name_).empty()) continue;
      Value out = with_context(name_ + " of '" + keys_[i] + "'", [&] { return each_[i]->apply(item.at(keys_[i])); });
      if (overwrite_[i].is_string()) item[overwrite_[i]] = std::move(out);
      else if (overwrite_[i].truthy()) item[keys_[i]] = std::move(out);
    }
    return item;
  }

 private:
  std::string name_;
  std::vector<std::string> keys_;
  bool allow_missing_;
  std::vector<std::shared_ptr<Lambda>> each_;
  std::vector<Value> overwrite_;
};

class RandLambdad : public Lambdad, public Randomizable {
 public:
  explicit RandLambdad(const Args& args) : Lambdad(args, "RandLambdad"), prob_(args.get<double>("prob")) {}
  Value apply(const Value& data) const override { return next_stream().chance(prob_) ? Lambdad::apply(data) : data; }

 private:
  double prob_;
};

const Param kKeys = required("keys", "keys of the items to transform");
const Param kFunc = required("func", "called with the value; what it returns is the result");
const Param kInverse = optional("inv_func", Value(), "accepted; values a function made are not taken back");
const Param kTrack = optional("track_meta", true, "arrays become images with the place and metadata of the input");
const Param kOverwrite = optional("overwrite", true, "replace the value; a name puts the result under another key, False drops it");
const Param kProb = optional("prob", 1.0, "probability that the function is called");
const Param kMissing = optional("allow_missing_keys", false, "skip keys the item does not have");

template <class T>
Register register_as(std::string name, std::string summary, std::vector<Param> params) {
  const bool dictionary = params[0].name == "keys";
  std::vector<std::string> aliases;
  if (dictionary) aliases = {name.substr(0, name.size() - 1) + "D", name.substr(0, name.size() - 1) + "Dict"};
  return Register({.kind = "transform",
                   .name = name,
                   .aliases = std::move(aliases),
                   .summary = std::move(summary),
                   .params = std::move(params),
                   .make = [name](const Args& args) -> Value {
                     if constexpr (std::is_same_v<T, Lambdad>) return std::make_shared<T>(args, name);
                     else return std::make_shared<T>(args);
                   }});
}

const Register lambda = register_as<Lambda>("Lambda", "A function as a transform", {kFunc, kInverse, kTrack});
const Register lambdad =
    register_as<Lambdad>("Lambdad", "A function as a transform (dictionary form)", {kKeys, kFunc, kInverse, kTrack, kOverwrite, kMissing});
const Register rand_lambda = register_as<RandLambda>("RandLambda", "A function as a transform, never cached", {kFunc, kProb, kInverse, kTrack});
const Register rand_lambdad = register_as<RandLambdad>("RandLambdad", "A function as a transform, never cached (dictionary form)",
                                                       {kKeys, kFunc, kInverse, kTrack, kOverwrite, kProb, kMissing});

}  // namespace
}  // namespace vesal::transforms
