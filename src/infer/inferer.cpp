#include "infer/inferer.h"

#include <map>

#include "base/registry.h"
#include "image/image.h"

namespace vesal::infer {

Value Outputs::value() const {
  if (!keys.empty()) {
    Dict out;
    for (std::size_t i = 0; i < arrays.size(); ++i) out[keys[i]] = arrays[i];
    return out;
  }
  if (arrays.size() == 1) return arrays[0];
  Tuple out;
  for (const Array& a : arrays) out.items.push_back(a);
  return out;
}

Outputs Outputs::of(const Value& returned) {
  Outputs out;
  if (returned.is_dict()) {
    std::map<std::string, Array> sorted;
    for (const auto& [key, value] : returned.as_dict()) sorted[key.as_string()] = image::array_of(value);
    for (const auto& [key, array] : sorted) {
      out.keys.push_back(key);
      out.arrays.push_back(array);
    }
  } else if (returned.is_sequence()) {
    for (const Value& v : returned.items()) out.arrays.push_back(image::array_of(v));
  } else {
    out.arrays.push_back(image::array_of(returned));
  }
  return out;
}

Forward forward_of(const Value& network, CallArgs extra) {
  if (auto predictor = network.object<engine::Predictor>()) {
    if (!extra.named.empty()) throw Error(ErrorKind::config, "the network takes no argument '" + extra.named[0].first + "'");
    std::vector<Array> more;
    for (const Value& v : extra.positional) more.push_back(image::array_of(v));
    const auto with = [more](const Array& batch) {
      std::vector<Array> inputs{batch};
      inputs.insert(inputs.end(), more.begin(), more.end());
      return inputs;
    };
    Forward forward = [predictor, with](const Array& batch) {
      std::vector<Array> arrays = predictor->predict(with(batch));
      return Outputs{std::move(arrays), predictor->output_keys()};
    };
    forward.by_planes = [predictor, with](const Array& batch, const engine::TakePlanes& take) {
      return predictor->predict_planes(with(batch), take);
    };
    return forward;
  }
  return [network, extra](const Array& batch) {
    CallArgs args{{Value(batch)}, extra.named};
    args.positional.insert(args.positional.end(), extra.positional.begin(), extra.positional.end());
    return Outputs::of(call_value(network, args));
  };
}

Value Inferer::call(const CallArgs& args) {
  std::vector<Value> inputs = args.positional;
  CallArgs extra;
  for (const char* name : {"inputs", "network"}) {
    for (const auto& [key, value] : args.named)
      if (key == name) inputs.push_back(value);
  }
  for (const auto& entry : args.named)
    if (entry.first != "inputs" && entry.first != "network") extra.named.push_back(entry);
  if (inputs.size() < 2) throw Error(ErrorKind::config, type_name() + " is called with (inputs, network)");
  extra.positional.assign(inputs.begin() + 2, inputs.end());
  return infer(image::array_of(inputs[0]), forward_of(inputs[1], std::move(extra))).value();
}

namespace {
const Register simple({"inferer", "SimpleInferer", {}, "The network on the whole input at once", {}, [](const Args&) -> Value {
                         return std::make_shared<SimpleInferer>();
                       }});
}  // namespace
}  // namespace vesal::infer
