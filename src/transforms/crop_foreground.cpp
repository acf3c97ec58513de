// CropForeground: the box around what is not background. MONAI: CropForeground, CropForegroundd.
#include <algorithm>
#include <mutex>
#include <numeric>

#include "base/parallel.h"
#include "transforms/extents.h"
#include "transforms/padding.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

struct Bounds {
  Shape begin, end;
  bool empty() const { return begin[0] >= end[0]; }
};

/// The box around voxels > 0 of any channel of [C, spatial...]; walks memory in its own order.
Bounds positive_bounds(const Array& voxels) {
  const int rank = voxels.dim() - 1;
  Bounds all{Shape(voxels.shape().begin() + 1, voxels.shape().end()), Shape(rank, 0)};
  if (voxels.numel() == 0) return all;
  std::vector<int> order(rank);  // spatial axes, the one with the longest stride first
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return std::abs(voxels.strides()[a + 1]) > std::abs(voxels.strides()[b + 1]); });
  const int inner = order.back();
  const std::int64_t n = voxels.size(inner + 1), stride = voxels.strides()[inner + 1], rows = voxels.numel() / n;
  std::mutex mutex;
  visit_dtype(voxels.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = voxels.data<T>();
    parallel_for(rows, 256, [&](std::int64_t first, std::int64_t last) {
      Bounds mine{Shape(rank, INT64_MAX), Shape(rank, 0)};
      for (std::int64_t row = first; row < last; ++row) {
        Shape at(rank, 0);
        std::int64_t rest = row, offset = 0;
        for (int k = rank - 2; k >= 0; --k) {
          at[order[k]] = rest % voxels.size(order[k] + 1);
          rest /= voxels.size(order[k] + 1);
          offset += at[order[k]] * voxels.strides()[order[k] + 1];
        }
        const T* p = data + offset + rest * voxels.strides()[0];
        const auto positive = [&](std::int64_t i) { return convert<double>(p[i * stride]) > 0; };
        std::int64_t low = 0, high = n;
        while (low < n && !positive(low)) ++low;
        if (low == n) continue;
        while (!positive(high - 1)) --high;
        at[inner] = low;
        for (int k = 0; k < rank; ++k) {
          mine.begin[k] = std::min(mine.begin[k], at[k]);
          mine.end[k] = std::max(mine.end[k], k == inner ? high : at[k] + 1);
        }
      }
      std::lock_guard lock(mutex);
      for (int k = 0; k < rank; ++k) all.begin[k] = std::min(all.begin[k], mine.begin[k]), all.end[k] = std::max(all.end[k], mine.end[k]);
    });
  });
  return all;
}

/// Finds the box: the arguments both forms share.
class ForegroundBox {
 public:
  explicit ForegroundBox(const Args& args)
      : select_(args["select_fn"]),
        channels_(args["channel_indices"]),
        margin_(args["margin"]),
        k_(args["k_divisible"]),
        allow_smaller_(args.get<bool>("allow_smaller")) {}

  Bounds operator()(const Array& voxels) const {
    Array data = voxels;
    if (!channels_.is_none()) {
      std::vector<Array> picked;
      for (const std::int64_t c : cast<std::vector<std::int64_t>>(channels_))
        picked.push_back(voxels.slice(0, c < 0 ? c + voxels.size(0) : c, (c < 0 ? c + voxels.size(0) : c) + 1));
      data = picked.size() == 1 ? picked[0] : concatenate(picked, 0);
    }
    if (!select_.is_none()) data = image::array_of(call_value(select_, {{Value(data)}, {}}));
    if (data.dim() != voxels.dim()) throw Error(ErrorKind::shape, "select_fn gave " + to_string(data.shape()) + " for " + to_string(voxels.shape()));
    Bounds box = positive_bounds(data);
    if (box.empty()) throw Error(ErrorKind::geometry, "there is no foreground to crop to");
    const std::size_t rank = box.begin.size();
    const auto margin = per_axis(margin_, rank, "margin");
    Shape size;
    for (std::size_t i = 0; i < rank; ++i) {
      if (margin[i] < 0) throw Error(ErrorKind::config, "margin is negative");
      box.begin[i] -= margin[i], box.end[i] += margin[i];
      if (allow_smaller_)
        box.begin[i] = std::max<std::int64_t>(0, box.begin[i]), box.end[i] = std::min(box.end[i], voxels.size(static_cast<int>(i) + 1));
      size.push_back(box.end[i] - box.begin[i]);
    }
    const Shape wide = divisible(size, k_);
    for (std::size_t i = 0; i < rank; ++i) {
      box.begin[i] -= (wide[i] - size[i]) / 2;
      box.end[i] = box.begin[i] + wide[i];
    }
    return box;
  }

 private:
  Value select_, channels_, margin_, k_;
  bool allow_smaller_;
};

Value coordinates(const Shape& at) { return Array::from(std::span<const std::int64_t>(at), {static_cast<std::int64_t>(at.size())}); }

class CropForeground : public ImageTransform {
 public:
  explicit CropForeground(const Args& args)
      : box_(args), return_coords_(args.get<bool>("return_coords")), mode_(pad_mode(args.get<std::string>("mode"), args["pad_kwargs"].as_dict())) {}
  std::string type_name() const override { return "CropForeground"; }
  Image transform(const Image& image) const override {
    const Bounds b = box_(image.array());
    return pad_or_crop(image, b.begin, b.end, mode_, "CropForeground");
  }
  Value apply(const Value& data) const override {
    if (!return_coords_) return ImageTransform::apply(data);
    const Image image = image::image_of(data);
    const Bounds b = box_(image.array());
    return Tuple{{image::to_value(pad_or_crop(image, b.begin, b.end, mode_, "CropForeground")), coordinates(b.begin), coordinates(b.end)}};
  }

 private:
  ForegroundBox box_;
  bool return_coords_;
  PadMode mode_;
};

class CropForegroundd : public Transform {
 public:
  explicit CropForegroundd(const Args& args)
      : box_(args),
        keys_(args.get<std::vector<std::string>>("keys")),
        source_(args.get<std::string>("source_key")),
        start_key_(args["start_coord_key"]),
        end_key_(args["end_coord_key"]),
        allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (std::size_t i = 0; i < keys_.size(); ++i)
      modes_.push_back(pad_mode(args_of_key(args, {"mode"}, i).get<std::string>("mode"), args["pad_kwargs"].as_dict()));
  }
  std::string type_name() const override { return "CropForegroundd"; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    const Bounds b = with_context("CropForegroundd of '" + source_ + "'", [&] { return box_(image::array_of(item.at(source_))); });
    if (!start_key_.is_none()) item[start_key_] = coordinates(b.begin);
    if (!end_key_.is_none()) item[end_key_] = coordinates(b.end);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, type_name()).empty()) continue;
      item[keys_[i]] = with_context("CropForegroundd of '" + keys_[i] + "'", [&] {
        const Image image = image::image_of(item.at(keys_[i]));
        if (spatial_shape(image).size() != b.begin.size()) throw Error(ErrorKind::shape, "has other axes than '" + source_ + "'");
        return image::to_value(pad_or_crop(image, b.begin, b.end, modes_[i], "CropForeground"));
      });
    }
    return item;
  }

 private:
  ForegroundBox box_;
  std::vector<std::string> keys_;
  std::string source_;
  Value start_key_, end_key_;
  bool allow_missing_;
  std::vector<PadMode> modes_;
};

const Param kSelect = optional("select_fn", Value(), "function of the voxels that is true for foreground; voxels > 0 if none");
const Param kChannels = optional("channel_indices", Value(), "channels to look at; all if none");
const Param kMargin = optional("margin", 0, "voxels to add on each side, one or one per axis");
const Param kSmaller = optional("allow_smaller", false, "cut the margin at the image's edges; otherwise pad beyond them");
const Param kDivisible = optional("k_divisible", 1, "widen the box to multiples of this, one or one per axis");
const Param kMode =
    optional("mode", "constant",
             "what to fill with beyond the edges: constant, edge, replicate, reflect, symmetric, wrap, circular, minimum, maximum or mean");
const Param kLazy = optional("lazy", false, "accepted; done at once");
const Param kRest{"pad_kwargs", "value or constant_values: what constant fills with, 0 unless given", std::nullopt, true};

const Register array_form({
    .kind = "transform",
    .name = "CropForeground",
    .aliases = {},
    .summary = "Crop to the box around the foreground",
    .params = {kSelect, kChannels, kMargin, kSmaller, optional("return_coords", false, "return (image, start, end)"), kDivisible, kMode, kLazy,
               kRest},
    .make = [](const Args& args) -> Value { return std::make_shared<CropForeground>(args); },
});

const Register dictionary_form({
    .kind = "transform",
    .name = "CropForegroundd",
    .aliases = {"CropForegroundD", "CropForegroundDict"},
    .summary = "Crop several images to the box around the foreground of one (dictionary form)",
    .params = {required("keys", "keys of the images to crop"), required("source_key", "key of the image whose foreground counts"), kSelect, kChannels,
               kMargin, kSmaller, kDivisible, kMode,
               optional("start_coord_key", "foreground_start_coord", "key to leave the box's first voxel under"),
               optional("end_coord_key", "foreground_end_coord", "key to leave one past the box's last voxel under"),
               optional("allow_missing_keys", false, "skip keys the item does not have"), kLazy, kRest},
    .make = [](const Args& args) -> Value { return std::make_shared<CropForegroundd>(args); },
});

}  // namespace
}  // namespace vesal::transforms
