// EnsureChannelFirst (monai.transforms.EnsureChannelFirst): the channel axis in front, or a new one where there is none.
#include <cmath>

#include "base/log.h"
#include "transforms/channels.h"
#include "transforms/transform.h"

namespace vesal::transforms {

namespace {

constexpr const char* kKey = "original_channel_dim";

/// The channel axis; nothing for "no channel". MONAI marks that with NaN or "no_channel".
std::optional<int> channel_axis(const Value& v) {
  if (v.is_string() && v.as_string() == "no_channel") return std::nullopt;
  if (v.is_float() && std::isnan(v.as_float())) return std::nullopt;
  return cast<int>(v);
}

class EnsureChannelFirst : public ImageTransform {
 public:
  EnsureChannelFirst(bool strict, Value channel_dim) : strict_(strict), channel_dim_(std::move(channel_dim)) {}
  std::string type_name() const override { return "EnsureChannelFirst"; }
  Image transform(const Image& image) const override {
    Value where = channel_dim_;
    if (where.is_none())
      if (const Value* known = image.meta.find(kKey)) where = *known;
    if (where.is_none()) {
      const std::string message = "the channel axis is unknown: no original_channel_dim in the metadata and no channel_dim given";
      if (strict_) throw Error(ErrorKind::shape, message);
      log::warning("EnsureChannelFirst: {}", message);
      return image;
    }
    return channel_first(image, where);
  }

 private:
  bool strict_;
  Value channel_dim_;
};

const RegisterTransform registered({
    .name = "EnsureChannelFirst",
    .summary = "The channel axis first; a new one if the image has none",
    .params = {optional("strict_check", true, "an error, not a warning, when the channel axis is unknown"),
               optional("channel_dim", nullptr, "the channel axis or \"no_channel\"; None: as the file's metadata say")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<EnsureChannelFirst>(args.get<bool>("strict_check"), args["channel_dim"]);
    },
});

}  // namespace

Image channel_first(const Image& image, const Value& channel_dim) {
  const Array voxels = image.array();
  const auto axis = channel_axis(channel_dim);
  Image out = image;
  if (!axis) {
    out.set_array(voxels.unsqueeze(0));
  } else {
    const int dim = voxels.dim(), at = *axis < 0 ? *axis + dim : *axis;
    if (at < 0 || at >= dim)
      throw Error(ErrorKind::shape, "channel axis " + std::to_string(*axis) + " of an image of shape " + to_string(voxels.shape()));
    std::vector<int> order{at};
    for (int i = 0; i < dim; ++i)
      if (i != at) order.push_back(i);
    out.set_array(voxels.permute(order));
  }
  out.meta[kKey] = channel_dim;
  return out;
}

}  // namespace vesal::transforms
