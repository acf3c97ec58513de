// Axes added, dropped, moved and split: SplitDim, SqueezeDim, Transpose, AsChannelLast, RepeatChannel, RemoveRepeatedChannel
// (monai.transforms). Voxels are shared but where channels are repeated.
#include <algorithm>
#include <set>

#include "transforms/slabs.h"
#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

int axis_of(int axis, std::size_t rank, const char* name) {
  const auto n = static_cast<int>(rank);
  if (axis < -n || axis >= n)
    throw Error(ErrorKind::shape, std::string(name) + " " + std::to_string(axis) + " of an array of " + std::to_string(n) + " axes");
  return axis < 0 ? axis + n : axis;
}

/// Stored labels stay stored when only their axes change.
Image with_view(const Image& image, const std::function<Array(const Array&)>& view) {
  auto stored = std::dynamic_pointer_cast<const StoredSource>(image.deferred());
  if (!stored) return image.with(view(image.array()));
  Array labels = view(stored->storage());
  if (labels.dim() < 2) return image.with(labels.to(image.dtype()));
  return image.with(std::make_shared<StoredSource>(std::move(labels), image.dtype()));
}

/// Puts back a spatial axis of one voxel.
class DroppedAxis : public Step {
 public:
  DroppedAxis(const Image& before, int axis, Shape after) : Step("SqueezeDim", before.affine, spatial_shape(before), std::move(after)), axis_(axis) {}

 protected:
  image::VoxelSourcePtr back(image::VoxelSourcePtr voxels, bool) const override {
    class Source : public image::VoxelSource {
     public:
      Source(image::VoxelSourcePtr from, Shape shape, int axis) : from_(std::move(from)), shape_(std::move(shape)), axis_(axis) {}
      std::int64_t channels() const override { return from_->channels(); }
      const Shape& spatial_shape() const override { return shape_; }
      DType dtype() const override { return from_->dtype(); }
      image::Box needs(const image::Box& box) const override { return from_->needs(inner(box)); }
      Array read(const image::Box& box) const override {
        const Array all = from_->read(inner(box)).unsqueeze(axis_ + 1);
        return all.slice(axis_ + 1, box.begin[axis_], box.end[axis_]);
      }

     private:
      image::Box inner(image::Box box) const {
        box.begin.erase(box.begin.begin() + axis_);
        box.end.erase(box.end.begin() + axis_);
        return box;
      }
      image::VoxelSourcePtr from_;
      Shape shape_;
      int axis_;
    };
    return std::make_shared<Source>(std::move(voxels), input_shape(), axis_);
  }

 private:
  int axis_;
};

/// The affine of the axes that are left: row and column `axis` taken out.
image::Affine without_axis(const image::Affine& a, int axis) {
  std::array<int, 4> kept{};
  int n = 0;
  for (int i = 0; i < 4; ++i)
    if (i != axis) kept[n++] = i;
  image::Affine out;
  for (int r = 0; r < 2; ++r) {
    for (int c = 0; c < 2; ++c) out(r, c) = a(kept[r], kept[c]);
    out(r, 3) = a(kept[r], 3);
  }
  return out;
}

class SqueezeDim : public ImageTransform {
 public:
  SqueezeDim(std::optional<int> dim, bool update) : dim_(dim), update_(update) {}
  std::string type_name() const override { return "SqueezeDim"; }
  Image transform(const Image& image) const override {
    const Shape shape = image.shape();
    if (!dim_) {
      return with_view(image, [](Array a) {
        for (int axis = a.dim() - 1; axis >= 0; --axis)
          if (a.size(axis) == 1) a = a.squeeze(axis);
        return a;
      });
    }
    const int dim = axis_of(*dim_, shape.size(), "dim");
    if (shape[dim] != 1) throw Error(ErrorKind::shape, "axis " + std::to_string(dim) + " of " + to_string(shape) + " does not have the extent 1");
    Image out = with_view(image, [dim](const Array& a) { return a.squeeze(dim); });
    if (dim == 0 || shape.size() < 3) return out;
    if (update_ && dim <= 3) out.affine = without_axis(image.affine, dim - 1);
    out.trail.push_back(std::make_shared<DroppedAxis>(image, dim - 1, spatial_shape(out)));
    return out;
  }

 private:
  std::optional<int> dim_;
  bool update_;
};

class SplitDim : public Transform {
 public:
  explicit SplitDim(const Args& args) : dim_(args.get<int>("dim")), keep_(args.get<bool>("keepdim")), update_(args.get<bool>("update_meta")) {}
  std::string type_name() const override { return "SplitDim"; }
  Value apply(const Value& data) const override {
    List out;
    for (Image& part : split(image::image_of(data))) out.items.push_back(image::to_value(std::move(part)));
    return out;
  }
  std::vector<Image> split(const Image& image) const {
    const Shape shape = image.shape();
    const int dim = axis_of(dim_, shape.size(), "dim");
    std::vector<Image> parts;
    for (std::int64_t i = 0; i < shape[dim]; ++i) {
      Image part = with_view(image, [&](const Array& a) { return keep_ ? a.slice(dim, i, i + 1) : a.select(dim, i); });
      if (dim > 0) {
        if (keep_) {
          Shape begin(shape.size() - 1, 0);
          begin[dim - 1] = i;
          part.trail = with_window(image, part.array(), begin, "SplitDim").trail;
        }
        if (update_ && dim <= 3) {
          image::Affine shift;
          shift(dim - 1, 3) = static_cast<double>(i);
          part.affine = image.affine * shift;
        }
      }
      parts.push_back(std::move(part));
    }
    return parts;
  }

 private:
  int dim_;
  bool keep_, update_;
};

class SplitDimd : public Transform {
 public:
  explicit SplitDimd(const Args& args)
      : splitter_(args),
        keys_(args.get<std::vector<std::string>>("keys")),
        postfixes_(args["output_postfixes"]),
        list_(args.get<bool>("list_output")),
        allow_missing_(args.get<bool>("allow_missing_keys")) {}
  std::string type_name() const override { return "SplitDimd"; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    const auto keys = present_keys(item, keys_, allow_missing_, type_name());
    List items;
    for (const std::string& key : keys) {
      const auto parts = with_context("SplitDimd of '" + key + "'", [&] { return splitter_.split(image::image_of(item.at(key))); });
      if (list_) {
        if (key == keys[0]) items.items.assign(parts.size(), Value(item));
        items.items.resize(std::min(items.items.size(), parts.size()));
        for (std::size_t i = 0; i < items.items.size(); ++i) {
          Dict own = items.items[i].as_dict();
          own[key] = image::to_value(parts[i]);
          items.items[i] = std::move(own);
        }
      } else {
        spread(item, key, parts);
      }
    }
    if (list_) return items;
    return item;
  }

 private:
  void spread(Dict& item, const std::string& key, const std::vector<Image>& parts) const {
    if (!postfixes_.is_none() && postfixes_.items().size() != parts.size())
      throw Error(ErrorKind::config, "SplitDimd: " + std::to_string(postfixes_.items().size()) + " output_postfixes for " +
                                         std::to_string(parts.size()) + " parts of '" + key + "'");
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string name = key + "_" + (postfixes_.is_none() ? std::to_string(i) : postfixes_.items()[i].str());
      if (item.contains(name)) throw Error(ErrorKind::config, "SplitDimd: the item has '" + name + "' already");
      item[name] = image::to_value(parts[i]);
    }
  }
  SplitDim splitter_;
  std::vector<std::string> keys_;
  Value postfixes_;
  bool list_, allow_missing_;
};

/// Axes in another order. While the channel axis stays in front it is a spatial step with its affine (MONAI leaves the affine as it was).
class Transpose : public ImageTransform {
 public:
  explicit Transpose(std::optional<std::vector<int>> indices) : indices_(std::move(indices)) {}
  std::string type_name() const override { return "Transpose"; }
  Image transform(const Image& image) const override {
    const std::size_t rank = image.shape().size();
    std::vector<int> order;
    for (std::size_t i = rank; i > 0; --i) order.push_back(static_cast<int>(i) - 1);
    if (indices_) order = *indices_;
    for (int& axis : order) axis = axis_of(axis, rank, "indices: axis");
    if (order.size() != rank || std::set<int>(order.begin(), order.end()).size() != rank)
      throw Error(ErrorKind::config, "indices name each of the " + std::to_string(rank) + " axes once");
    if (order[0] != 0 || rank < 2 || rank > 4) return with_view(image, [&](const Array& a) { return a.permute(order); });
    AxisMap map{{order.begin() + 1, order.end()}, std::vector<bool>(rank - 1, false)};
    for (int& axis : map.from) --axis;
    return rearrange(image, map, "Transpose");
  }

 private:
  std::optional<std::vector<int>> indices_;
};

class AsChannelLast : public ImageTransform {
 public:
  explicit AsChannelLast(int dim) : dim_(dim) {
    if (dim < -1) throw Error(ErrorKind::config, "channel_dim is " + std::to_string(dim));
  }
  std::string type_name() const override { return "AsChannelLast"; }
  Image transform(const Image& image) const override {
    const std::size_t rank = image.shape().size();
    const int channel = axis_of(dim_, rank, "channel_dim");
    std::vector<int> order;
    for (std::size_t i = 0; i < rank; ++i)
      if (static_cast<int>(i) != channel) order.push_back(static_cast<int>(i));
    order.push_back(channel);
    return image.with(image.array().permute(order));
  }

 private:
  int dim_;
};

/// Each channel `repeats` times in a row, or every `repeats`-th channel.
class Channels : public ImageTransform {
 public:
  Channels(std::string name, std::int64_t repeats, bool repeat) : name_(std::move(name)), repeats_(repeats), repeat_(repeat) {
    if (repeats_ < 1) throw Error(ErrorKind::config, name_ + ": repeats must be positive");
  }
  std::string type_name() const override { return name_; }
  Image transform(const Image& image) const override {
    const Array voxels = image.array();
    if (voxels.dim() == 0) throw Error(ErrorKind::shape, "an array with a channel axis wanted");
    if (!repeat_) {
      if (voxels.size(0) < 2) throw Error(ErrorKind::shape, "more than one channel wanted");
      return image.with(voxels.slice(0, 0, voxels.size(0), repeats_));
    }
    Shape shape = voxels.shape();
    shape.insert(shape.begin() + 1, repeats_);
    Shape joined = voxels.shape();
    joined[0] *= repeats_;
    return image.with(voxels.unsqueeze(1).expand(shape).reshape(joined));
  }

 private:
  std::string name_;
  std::int64_t repeats_;
  bool repeat_;
};

const RegisterTransform squeeze_dim({
    .name = "SqueezeDim",
    .summary = "Drop an axis of extent 1",
    .params = {optional("dim", 0, "the axis; None: all of extent 1"), optional("update_meta", true, "take a spatial axis out of the affine, too")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<SqueezeDim>(args.get<std::optional<int>>("dim"), args.get<bool>("update_meta"));
    },
});

const Param kKeep = optional("keepdim", true, "leave the axis, with extent 1");
const Param kUpdate = optional("update_meta", true, "shift the affine of the parts of a spatial axis");

const Register split_dim({
    .kind = "transform",
    .name = "SplitDim",
    .aliases = {},
    .summary = "A list of the parts along an axis",
    .params = {optional("dim", -1, "the axis"), kKeep, kUpdate},
    .make = [](const Args& args) -> Value { return std::make_shared<SplitDim>(args); },
});

const Register split_dimd({
    .kind = "transform",
    .name = "SplitDimd",
    .aliases = {"SplitDimD", "SplitDimDict", "SplitChanneld", "SplitChannelD", "SplitChannelDict"},
    .summary = "The parts along an axis under keys of their own (dictionary form)",
    .params = {required("keys", "keys of the arrays"), optional("output_postfixes", Value(), "KEY_POSTFIX for each part; its number if none"),
               optional("dim", 0, "the axis"), kKeep, kUpdate, optional("list_output", false, "a list of items, one per part"),
               optional("allow_missing_keys", false, "skip keys the item does not have")},
    .make = [](const Args& args) -> Value { return std::make_shared<SplitDimd>(args); },
});

const RegisterTransform transpose({
    .name = "Transpose",
    .summary = "Axes in another order",
    .params = {required("indices", "the axes, the channel axis counts; None reverses them")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<Transpose>(args.get<std::optional<std::vector<int>>>("indices")); },
});

const RegisterTransform as_channel_last({
    .name = "AsChannelLast",
    .summary = "The channel axis last",
    .params = {optional("channel_dim", 0, "the channel axis")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<AsChannelLast>(args.get<int>("channel_dim")); },
});

const RegisterTransform repeat_channel({
    .name = "RepeatChannel",
    .summary = "Every channel several times in a row",
    .params = {required("repeats", "how often")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<Channels>("RepeatChannel", args.get<std::int64_t>("repeats"), true); },
});

const RegisterTransform remove_repeated_channel({
    .name = "RemoveRepeatedChannel",
    .summary = "Every n-th channel only",
    .params = {required("repeats", "n")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<Channels>("RemoveRepeatedChannel", args.get<std::int64_t>("repeats"), false);
    },
});

}  // namespace
}  // namespace vesal::transforms
