// Inferers: how a network is applied to a whole image (MONAI's monai.inferers).
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/predictor.h"
#include "infer/output_stream.h"

namespace vesal::infer {

/// What a network returned: arrays [N, C, spatial...], with the keys of a dictionary if it was one.
struct Outputs {
  std::vector<Array> arrays;
  std::vector<std::string> keys;  ///< empty unless the network returns a dictionary; sorted then
  /// An array, a tuple of arrays or a dict of arrays.
  Value value() const;
  static Outputs of(const Value& returned);
};

/// A network with everything but its first input bound. Called from one thread at a time.
struct Forward : std::function<Outputs(const Array& batch)> {
  using function::function;
  /// As engine::Predictor::predict_planes() has it; or empty.
  std::function<bool(const Array& batch, const engine::TakePlanes& take)> by_planes = {};
};

/// `network` is an engine::Predictor or anything callable; `extra` are further inputs, handed on with every call.
Forward forward_of(const Value& network, CallArgs extra = {});

/// A component of kind "inferer"; called as inferer(inputs, network, *args, **kwargs).
class Inferer : public Object {
 public:
  /// inputs [N, C, spatial...]; may be a strided view.
  virtual Outputs infer(const Array& inputs, const Forward& network) const = 0;
  /// The first output of infer() for one image [1, C, spatial...], piece by piece. False, with nothing done, if there are no pieces here.
  virtual bool stream(const Array& /*input*/, const Forward& /*network*/, OutputStream& /*to*/) const { return false; }
  Value call(const CallArgs& args) override;
};

/// The network on the whole input at once.
class SimpleInferer : public Inferer {
 public:
  std::string type_name() const override { return "SimpleInferer"; }
  Outputs infer(const Array& inputs, const Forward& network) const override { return network(inputs.contiguous()); }
};

}  // namespace vesal::infer
