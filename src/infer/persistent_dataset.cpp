// PersistentDataset (monai.data.PersistentDataset): what comes before the first random transform is computed once and kept in files.
#include "base/file.h"
#include "base/log.h"
#include "base/registry.h"
#include "base/sha256.h"
#include "bundle/checkpoint.h"
#include "image/image.h"
#include "infer/dataset.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;
using image::Image;

constexpr const char* kImage = "__image__";

/// Stands where the steps of a kept image were: a file holds no way back.
class Forgotten : public image::SpatialStep {
 public:
  explicit Forgotten(const Image& image) : affine_(image.affine), shape_(image.shape()) { shape_.erase(shape_.begin()); }
  std::string name() const override { return "PersistentDataset"; }
  image::VoxelSourcePtr undo(image::VoxelSourcePtr, bool) const override {
    throw Error(ErrorKind::unsupported, "an item kept by PersistentDataset cannot be taken back to its scan's grid: use Dataset or CacheDataset");
  }
  image::Affine input_affine() const override { return affine_; }
  Shape input_shape() const override { return shape_; }

 private:
  image::Affine affine_;
  Shape shape_;
};

/// Metadata without objects: where a DICOM image came from does not outlive the process.
Dict plain_meta(const Dict& meta) {
  Dict out;
  for (const auto& [key, value] : meta)
    if (!value.is_object()) out[key] = value;
  return out;
}

/// Images as dicts of plain data, and back.
Value plain(const Value& v) {
  if (auto image = v.object<Image>())
    return Dict{{kImage, image->array().contiguous()},
                {"affine", image->affine.to_array()},
                {"meta", plain_meta(image->meta)},
                {"steps", !image->trail.empty()}};
  if (v.is_dict()) {
    Dict out;
    for (const auto& [key, value] : v.as_dict()) out[key] = plain(value);
    return out;
  }
  if (!v.is_list()) return v;
  List out;
  for (const Value& value : v.items()) out.items.push_back(plain(value));
  return out;
}
Value restored(const Value& v) {
  if (v.is_dict()) {
    const Dict& d = v.as_dict();
    if (const Value* voxels = d.find(kImage)) {
      Image image(voxels->as_array(), image::Affine::from_array(d.at("affine").as_array()));
      image.meta = d.at("meta").as_dict();
      if (d.at("steps").truthy()) image.trail = {std::make_shared<Forgotten>(image)};
      return image::to_value(std::move(image));
    }
    Dict out;
    for (const auto& [key, value] : d) out[key] = restored(value);
    return out;
  }
  if (!v.is_list()) return v;
  List out;
  for (const Value& value : v.items()) out.items.push_back(restored(value));
  return out;
}

/// The item and, of the files it names, size and time of the last change.
std::string identity(const Value& v) {
  std::string text = v.repr();
  if (v.is_dict()) {
    text.clear();
    for (const auto& [key, value] : v.as_dict()) text += key.repr() + ": " + identity(value) + "\n";
  } else if (v.is_sequence()) {
    text.clear();
    for (const Value& value : v.items()) text += identity(value) + "\n";
  } else if (v.is_string()) {
    std::error_code none;
    const auto size = fs::file_size(v.as_string(), none);
    if (!none) text += " " + std::to_string(size) + " " + std::to_string(fs::last_write_time(v.as_string(), none).time_since_epoch().count());
  }
  return text;
}

class PersistentDataset : public Dataset {
 public:
  PersistentDataset(const Value& data, const Value& transform, fs::path folder) : Dataset(data, transform), folder_(std::move(folder)) {
    const Value steps = *attribute("transform");
    for (std::int64_t i = 0; i < *steps.as_object()->length(); ++i) steps_ += steps.as_object()->index(i)->type_name() + " ";
    if (!folder_.empty()) fs::create_directories(folder_);
  }
  std::string type_name() const override { return "PersistentDataset"; }

 protected:
  Value fixed_part(std::int64_t i) override {
    if (folder_.empty()) return Dataset::fixed_part(i);
    const std::string key = sha256(steps_ + identity(raw(i)));
    const fs::path path = folder_ / (key.substr(0, 32) + ".pt");
    if (fs::exists(path)) {
      try {
        const Value kept = bundle::read_checkpoint(path);
        if (kept.as_dict().at("key").as_string() == key) return restored(kept.as_dict().at("item"));
      } catch (const Error& e) { log::warning("{} is made again: {}", path.filename().string(), e.what()); }
    }
    const Value item = plain(Dataset::fixed_part(i));
    with_context("keeping item " + std::to_string(i) + " in " + path.string(), [&] {
      bundle::write_checkpoint(path, Dict{{"key", key}, {"item", item}});
    });
    return restored(item);
  }

 private:
  fs::path folder_;
  std::string steps_;
};

const Register persistent({
    .kind = "dataset",
    .name = "PersistentDataset",
    .summary = "A dataset that keeps its items, as they are before the first random transform, in files",
    .params = {required("data", "list of items, or an object with length and index"), required("transform", "a transform or a list of them"),
               required("cache_dir", "folder of the files; empty it when arguments of transforms change; None: nothing is kept"),
               optional("hash_func", nullptr, "accepted; items are named by SHA-256"),
               optional("pickle_module", "pickle", "accepted; files hold no code"), optional("pickle_protocol", 2, "accepted"),
               optional("hash_transform", nullptr, "accepted; the transforms' names always count"), optional("reset_ops_id", true, "accepted"),
               optional("track_meta", true, "accepted; metadata is kept"), optional("weights_only", true, "accepted; always so")},
    .make = [](const Args& args) -> Value {
      return std::make_shared<PersistentDataset>(args["data"], args["transform"],
                                                 args.is_none("cache_dir") ? fs::path() : fs::path(args["cache_dir"].str()));
    },
});

}  // namespace
}  // namespace vesal::infer
