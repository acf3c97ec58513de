// SaveImage and SaveImaged (monai.transforms.SaveImage, SaveImaged): an image to a file named after the one it came from.
#include <algorithm>
#include <atomic>

#include "base/log.h"
#include "base/text.h"
#include "image/formats.h"
#include "transforms/arguments.h"
#include "transforms/extents.h"
#include "transforms/folder_layout.h"
#include "transforms/regrid.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// A folder from a string or a path object.
std::string path_argument(const Args& args, const std::string& name) { return args.is_none(name) ? "" : args[name].str(); }

class SaveImage : public Transform {
 public:
  explicit SaveImage(const Args& args)
      : name_(args.component()),
        layout_(args["folder_layout"]),
        formatter_(args["output_name_formatter"]),
        type_(dtype_argument(args, "output_dtype")),
        scale_(args.get<std::optional<double>>("scale")),
        resample_(args.get<bool>("resample")),
        options_(resample_ ? sample_options(args.get<std::string>("mode"), args.get<std::string>("padding_mode"), false) : SampleOptions{}),
        squeeze_(args.get<bool>("squeeze_end_dims")),
        verbose_(args.get<bool>("print_log")),
        keep_path_(args.get<bool>("savepath_in_metadict")) {
    const std::string ext = args.get<std::string>("output_ext");
    if (layout_.is_none())
      layout_ = std::make_shared<FolderLayout>(FolderLayout::Options{path_argument(args, "output_dir"), args.get<std::string>("output_postfix"), ext,
                                                                     args.get<bool>("separate_folder"), path_argument(args, "data_root_dir")});
    ext_ = lower(ext.empty() ? args.get<std::string>("output_format") : ext);
    if (!ext_.empty() && ext_[0] != '.') ext_ = "." + ext_;
    if (ext_ == ".png" && type_ && *type_ != DType::u8 && *type_ != DType::u16) type_ = DType::u8;
    if (!args.is_none("channel_dim")) channel_dim_ = args.get<int>("channel_dim");
  }
  std::string type_name() const override { return "SaveImage"; }
  Value apply(const Value& data) const override { return save(data, nullptr); }

  /// Writes the image; `meta` are the metadata of a plain array. Returns the image.
  Value save(const Value& data, const Dict* meta) const {
    Image image = image::image_of(data);
    if (meta && !data.object<Image>()) {
      image.meta = *meta;
      if (const Value* affine = meta->find("affine"); affine && affine->is_array()) image.affine = image::Affine::from_array(affine->as_array());
    }
    const std::string path = file_name(image.meta);
    write(path, image);
    if (verbose_) log::info("writing: {}", path);
    ++written_;
    if (keep_path_) image.meta["saved_to"] = path;
    return image::to_value(std::move(image));
  }

 private:
  std::string file_name(const Dict& meta) const {
    Dict parts;
    if (formatter_.is_none()) {
      const Value* subject = meta.find("filename_or_obj");
      const Value* patch = meta.find("patch_index");
      parts["subject"] = subject ? subject->str() : std::to_string(written_.load());
      parts["idx"] = patch ? *patch : Value();
    } else {
      auto self = std::const_pointer_cast<Object>(shared_from_this());
      parts = call_value(formatter_, {{Value(meta), Value(std::static_pointer_cast<SaveImage>(self))}, {}}).as_dict();
    }
    CallArgs call;
    for (const auto& [key, value] : parts) call.named.emplace_back(key.as_string(), value);
    const auto method = layout_.as_object()->attribute("filename");
    if (!method) throw Error(ErrorKind::config, name_ + ": folder_layout has no method filename");
    return call_value(*method, call).str();
  }

  void write(const std::string& path, const Image& image) const {
    image::WriteOptions options{.dtype = type_, .channel_dim = channel_dim_, .squeeze_end_dims = squeeze_};
    if (!type_) options.dtype = image.dtype();
    Image out = resample_ ? resampled(image) : image;
    std::size_t spatial = 3;
    if (const Value* shape = image.meta.find("spatial_shape")) {
      if (shape->is_array()) spatial = static_cast<std::size_t>(shape->as_array().numel());
      else if (shape->is_sequence()) spatial = shape->items().size();
    }
    if (image.meta.contains("spatial_shape") && spatial >= out.shape().size()) options.channel_dim.reset();
    if (!options.channel_dim) {  // no channel axis: one of extent 1 in front
      out.set_array(out.array().unsqueeze(0));
      options.channel_dim = 0;
    }
    if (scale_ && ext_ == ".png") {
      Array scaled = out.array().to(DType::f64).clone();
      double* p = scaled.data<double>();
      for (std::int64_t i = 0; i < scaled.numel(); ++i) p[i] = std::clamp(p[i], 0.0, 1.0) * *scale_;
      out.set_array(scaled);
      options.dtype = *scale_ > 255 ? DType::u16 : DType::u8;
    }
    image::write_image(path, out, options);
  }

  /// On the grid the file had, when the image is on another one.
  Image resampled(const Image& image) const {
    const Value* original = image.meta.find("original_affine");
    if (!original || !original->is_array()) return image;
    const auto target = image::Affine::from_array(original->as_array());
    if (image::max_difference(target, image.affine) < 1e-3) return image;
    std::optional<Shape> shape;
    if (const Value* extents = image.meta.find("spatial_shape")) shape = per_axis(*extents, spatial_shape(image).size(), "spatial_shape");
    return resampled_to(image, target, shape, options_, "SaveImage");
  }

  std::string name_;
  Value layout_, formatter_;
  std::optional<DType> type_;
  std::optional<double> scale_;
  bool resample_;
  SampleOptions options_;
  bool squeeze_, verbose_, keep_path_;
  std::string ext_;
  std::optional<int> channel_dim_;
  mutable std::atomic<std::int64_t> written_{0};
};

class SaveImaged : public Transform {
 public:
  explicit SaveImaged(const Args& args)
      : saver_(std::make_shared<SaveImage>(args)),
        keys_(args.get<std::vector<std::string>>("keys")),
        allow_missing_(args.get<bool>("allow_missing_keys")) {
    const Value& given = args["meta_keys"];
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (given.is_sequence() && given.items().size() != keys_.size())
        throw Error(ErrorKind::config,
                    "SaveImaged: " + std::to_string(given.items().size()) + " meta_keys for " + std::to_string(keys_.size()) + " keys");
      const Value& own = given.is_sequence() ? given.items()[i] : given;
      meta_keys_.push_back(own.is_none() ? Value(keys_[i] + "_" + args["meta_key_postfix"].str()) : own);
    }
  }
  std::string type_name() const override { return "SaveImaged"; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, type_name()).empty()) continue;
      const Value* meta = item.find(meta_keys_[i]);
      item[keys_[i]] = with_context("SaveImaged of '" + keys_[i] + "'",
                                    [&] { return saver_->save(item.at(keys_[i]), meta && meta->is_dict() ? &meta->as_dict() : nullptr); });
    }
    return item;
  }

 private:
  std::shared_ptr<SaveImage> saver_;
  std::vector<std::string> keys_;
  std::vector<Value> meta_keys_;
  bool allow_missing_;
};

const Param kDir = optional("output_dir", "./", "folder of the results");
const Param kPostfix = optional("output_postfix", "trans", "appended to the input's name");
const Param kExt = optional("output_ext", ".nii.gz", "extension, which also tells the format");
const Param kOutType = optional("output_dtype", Value(DType::f32), "type on disk; None: as the data");
const Param kResample = optional("resample", false, "back onto the grid of the file first, if the image is on another one");
const Param kMode = optional("mode", "nearest", "interpolation of resample");
const Param kPadding = optional("padding_mode", "border", "what resample sees outside of the image");
const Param kScale = optional("scale", nullptr, "PNG only: clip to [0, 1] and multiply by 255 or 65535");
const Param kResampleType = optional("dtype", Value(DType::f64), "type resample computes in");
const Param kSqueeze = optional("squeeze_end_dims", true, "leave out trailing axes of extent 1, the channels' first");
const Param kRoot = optional("data_root_dir", "", "keep the folders of the input below this one");
const Param kSeparate = optional("separate_folder", true, "a folder per input");
const Param kLog = optional("print_log", true, "say what is written");
const Param kFormat = optional("output_format", "", "extension used to choose the format when output_ext is empty");
const Param kWriter = optional("writer", nullptr, "accepted; the extension tells the format");
const Param kFormatter = optional("output_name_formatter", nullptr, "callable (metadata, saver) -> arguments of the layout's filename");
const Param kLayout = optional("folder_layout", nullptr, "object that names files, e.g. FolderLayout");
const Param kSavedTo = optional("savepath_in_metadict", false, "put the path into the metadata as saved_to");
const Param kChannelDim = optional("channel_dim", 0, "the channel axis; None: there is none");

const Register array_form({
    .kind = "transform",
    .name = "SaveImage",
    .aliases = {},
    .summary = "Writes an image to a file named after the one it came from",
    .params = {kDir, kPostfix, kExt, kOutType, kResample, kMode, kPadding, kScale, kResampleType, kSqueeze, kRoot, kSeparate, kLog, kFormat, kWriter,
               kChannelDim, kFormatter, kLayout, kSavedTo},
    .make = [](const Args& args) -> Value { return std::make_shared<SaveImage>(args); },
});

const Register dictionary_form({
    .kind = "transform",
    .name = "SaveImaged",
    .aliases = {"SaveImageD", "SaveImageDict"},
    .summary = "Writes an image to a file named after the one it came from (dictionary form)",
    .params = {required("keys", "keys of the images to write"),
               optional("meta_keys", nullptr, "keys of the metadata of plain arrays, one per key"),
               optional("meta_key_postfix", "meta_dict", "metadata are at KEY_POSTFIX when meta_keys is None"),
               kDir,
               kPostfix,
               kExt,
               kResample,
               kMode,
               kPadding,
               kScale,
               kResampleType,
               kOutType,
               optional("allow_missing_keys", false, "skip keys the item does not have"),
               kSqueeze,
               kRoot,
               kSeparate,
               kLog,
               kFormat,
               kWriter,
               kFormatter,
               kLayout,
               kSavedTo},
    .make = [](const Args& args) -> Value {
      Dict all = args.all();
      all["channel_dim"] = 0;
      return std::make_shared<SaveImaged>(Args(args.component(), std::move(all)));
    },
});

}  // namespace
}  // namespace vesal::transforms
