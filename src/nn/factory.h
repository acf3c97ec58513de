// Layers by name: what "norm": ["group", {"num_groups": 8}] stands for. Sources: MONAI's Act, Norm, Dropout and Pool factories.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/registry.h"
#include "nn/layer.h"

namespace vesal::nn {

/// Where a layer will stand.
struct LayerPlace {
  int spatial_dims = 1;
  std::int64_t channels = 1;
};

/// One table of layers. Names are compared in upper case; a static RegisterLayer adds an entry.
class LayerFactory {
 public:
  using Make = std::function<LayerPtr(const Args&, const LayerPlace&)>;
  struct Entry {
    std::vector<Param> params;  ///< PyTorch's arguments, without those that follow from the place
    Make make;
  };
  explicit LayerFactory(std::string what) : what_(std::move(what)) {}
  void add(const std::string& name, Entry entry);
  /// `spec` is a name or a pair of a name and a dict of arguments; "" is Identity. Throws Error(config) naming what there is.
  LayerPtr make(const Value& spec, const LayerPlace& place) const;

 private:
  std::string what_;
  std::map<std::string, Entry> entries_;
};

LayerFactory& activations();
LayerFactory& normalizations();
LayerFactory& dropouts();
LayerFactory& pools();

struct RegisterLayer {
  RegisterLayer(LayerFactory& factory, const std::vector<std::string>& names, std::vector<Param> params, const LayerFactory::Make& make);
};

LayerPtr make_activation(const Value& spec);
/// A number is the probability of the plain dropout.
LayerPtr make_dropout(const Value& spec, int dropout_dim);

}  // namespace vesal::nn
