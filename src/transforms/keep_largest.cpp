// KeepLargestConnectedComponent and RemoveSmallObjects (monai.transforms), on labels in the type they are kept in.
#include <cmath>
#include <numeric>
#include <set>

#include "transforms/components.h"
#include "transforms/label_map.h"
#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// Fresh labels of an image that has a channel axis and spatial axes; they may be changed.
Array own_labels(const Image& image) {
  (void)spatial_shape(image);
  return compact_labels(image).clone();
}

/// Marks all components but the `keep` largest; of equal ones the later stay, as numpy's reversed argsort has it.
std::vector<bool> all_but_largest(const Components& components, std::int64_t keep) {
  const std::size_t n = components.sizes.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return components.sizes[a] < components.sizes[b]; });
  std::vector<bool> dropped(n, false);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < n; ++i) dropped[order[i]] = true;
  return dropped;
}

class KeepLargest : public ImageTransform {
 public:
  explicit KeepLargest(const Args& args)
      : labels_(args.get<std::optional<std::vector<std::int64_t>>>("applied_labels")),
        one_hot_(args.get<std::optional<bool>>("is_onehot")),
        independent_(args.get<bool>("independent")),
        connectivity_(args.get<std::optional<int>>("connectivity")),
        keep_(args.get<std::int64_t>("num_components")) {
    if (keep_ < 0) throw Error(ErrorKind::config, args.component() + ": num_components is negative");
  }
  std::string type_name() const override { return "KeepLargestConnectedComponent"; }

  Image transform(const Image& image) const override {
    Array voxels = own_labels(image);
    const bool one_hot = one_hot_.value_or(voxels.size(0) > 1);
    if (!one_hot && voxels.size(0) != 1)
      throw Error(ErrorKind::shape, "labels have one channel unless they are one-hot, got " + std::to_string(voxels.size(0)));
    const std::set<std::int64_t> labels = labels_   ? std::set<std::int64_t>(labels_->begin(), labels_->end())
                                          : one_hot ? channels_used(voxels)
                                                    : labels_in(voxels);
    if (one_hot)
      for (const std::int64_t label : labels)
        if (label < 0 || label >= voxels.size(0))
          throw Error(ErrorKind::shape, "applied label " + std::to_string(label) + " of " + std::to_string(voxels.size(0)) + " channels");
    if (one_hot) one_hot_labels(voxels, labels);
    else single_channel(voxels.select(0, 0), labels);
    return with_labels(image, std::move(voxels), image.dtype());
  }

 private:
  void single_channel(Array voxels, const std::set<std::int64_t>& labels) const {
    if (!independent_) return clean(map_voxels<std::uint8_t>(voxels, [&](auto v) { return is_label(v, labels); }), {voxels});
    for (const std::int64_t label : labels)
      clean(map_voxels<std::uint8_t>(voxels, [&](auto v) { return v == static_cast<decltype(v)>(label); }), {voxels});
  }
  void one_hot_labels(const Array& voxels, const std::set<std::int64_t>& labels) const {
    std::vector<Array> channels;
    for (const std::int64_t label : labels) channels.push_back(voxels.select(0, label));
    if (independent_) {
      for (const Array& channel : channels) clean(map_voxels<std::uint8_t>(channel, [](auto v) { return v > 0; }), {channel});
      return;
    }
    if (channels.empty()) return;
    Array any = map_voxels<std::uint8_t>(channels[0], [](auto v) { return v == 1; });
    for (std::size_t i = 1; i < channels.size(); ++i) {
      const Array more = map_voxels<std::uint8_t>(channels[i], [](auto v) { return v == 1; });
      std::uint8_t* p = any.data<std::uint8_t>();
      const std::uint8_t* q = more.data<std::uint8_t>();
      for (std::int64_t k = 0; k < any.numel(); ++k) p[k] |= q[k];
    }
    clean(any, channels);
  }
  /// Sets all but the largest components of the mask to 0 in every target.
  void clean(const Array& mask, const std::vector<Array>& targets) const {
    const Components components = components_of(mask, connectivity_.value_or(mask.dim()));
    const auto dropped = all_but_largest(components, keep_);
    for (Array target : targets) fill_runs(target, components, dropped, 0);
  }
  template <class V>
  static bool is_label(V value, const std::set<std::int64_t>& labels) {
    const auto whole = static_cast<std::int64_t>(value);
    return static_cast<V>(whole) == value && labels.contains(whole);
  }
  /// MONAI leaves channel 0, the background, alone.
  static std::set<std::int64_t> channels_used(const Array& voxels) {
    std::set<std::int64_t> used;
    for (std::int64_t c = 1; c < voxels.size(0); ++c) used.insert(c);
    return used;
  }

  std::optional<std::vector<std::int64_t>> labels_;
  std::optional<bool> one_hot_;
  bool independent_;
  std::optional<int> connectivity_;
  std::int64_t keep_;
};

class RemoveSmallObjects : public ImageTransform {
 public:
  explicit RemoveSmallObjects(const Args& args)
      : size_(args.get<double>("min_size")),
        connectivity_(args.get<std::optional<int>>("connectivity")),
        independent_(args.get<bool>("independent_channels")),
        by_measure_(args.get<bool>("by_measure")) {}
  std::string type_name() const override { return "RemoveSmallObjects"; }

  Image transform(const Image& image) const override {
    Array voxels = own_labels(image);
    double size = size_;
    if (by_measure_) {
      const auto mm = image::spacing_of(image.affine);
      size = std::ceil(size_ / std::accumulate(mm.begin(), mm.end(), 1.0, std::multiplies<>()));
    }
    const std::set<std::int64_t> labels = labels_in(voxels);
    const bool binary = labels.empty() || (labels.size() == 1 && *labels.begin() == 1);
    if (independent_ && !binary) {  // scikit-image counts whole labels then, connected or not
      for (const std::int64_t label : labels) {
        const Array mask = map_voxels<std::uint8_t>(voxels, [&](auto v) { return v == static_cast<decltype(v)>(label); });
        const Components all = components_of(mask, mask.dim());
        const auto count = std::accumulate(all.sizes.begin(), all.sizes.end(), std::int64_t{0});
        if (static_cast<double>(count) < size) fill_runs(voxels, all, std::vector<bool>(all.sizes.size(), true), 0);
      }
    } else {
      const Array mask = map_voxels<std::uint8_t>(voxels, [](auto v) { return v > 0; });
      const Components all = components_of(mask, connectivity_.value_or(mask.dim()));
      std::vector<bool> small;
      for (const std::int64_t n : all.sizes) small.push_back(static_cast<double>(n) < size);
      fill_runs(voxels, all, small, 0);
    }
    return with_labels(image, std::move(voxels), image.dtype());
  }

 private:
  double size_;
  std::optional<int> connectivity_;
  bool independent_, by_measure_;
};

const RegisterTransform keep_largest({
    .name = "KeepLargestConnectedComponent",
    .summary = "Of every label only its largest connected parts",
    .params = {optional("applied_labels", Value(), "labels to look at; all but 0 if none"),
               optional("is_onehot", Value(), "a channel per label; None: where there are several channels"),
               optional("independent", true, "every label on its own; else the union of the labels"),
               optional("connectivity", Value(), "1: voxels touch by faces, 2: by edges too, ...; all neighbours if none"),
               optional("num_components", 1, "how many to keep")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<KeepLargest>(args); },
});

const RegisterTransform remove_small({
    .name = "RemoveSmallObjects",
    .summary = "Drop small connected parts",
    .params = {optional("min_size", 64, "smaller ones are dropped; in voxels"),
               optional("connectivity", 1, "1: voxels touch by faces, 2: by edges too, ...; the channel axis counts as one"),
               optional("independent_channels", true, "every label on its own; else whatever is not 0"),
               optional("by_measure", false, "min_size is in mm^3 (mm^2 in 2D)"),
               optional("pixdim", Value(), "accepted; images know their voxel size")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<RemoveSmallObjects>(args); },
});

}  // namespace
}  // namespace vesal::transforms
