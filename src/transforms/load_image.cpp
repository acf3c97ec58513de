// LoadImage and LoadImaged (monai.transforms.LoadImage, LoadImaged): files to images.
#include <cmath>
#include <cstdlib>
#include <regex>

#include "base/text.h"
#include "image/formats.h"
#include "transforms/arguments.h"
#include "transforms/channels.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

std::string expand_user(const std::string& path) {
  if (path.empty() || path[0] != '~' || (path.size() > 1 && path[1] != '/')) return path;
  const char* home = std::getenv("HOME");
  return home ? home + path.substr(1) : path;
}

bool has_channel(const Image& image) {
  const Value* dim = image.meta.find("original_channel_dim");
  return dim && !dim->is_none() && !(dim->is_float() && std::isnan(dim->as_float())) && !(dim->is_string() && dim->as_string() == "no_channel");
}

/// Several files of one grid as one image: stacked on a new first axis, or joined along the channels they have.
Image stacked(const std::vector<Image>& images) {
  std::vector<Array> parts;
  for (const Image& image : images) parts.push_back(image.array());
  Image out = images[0];
  if (has_channel(out)) {
    out.set_array(concatenate(parts, cast<int>(out.meta.at("original_channel_dim"))));
  } else {
    out.set_array(stack(parts, 0));
    out.meta["original_channel_dim"] = 0;
  }
  return out;
}

/// The reader's name, of a string, a class or an object.
std::string reader_name(const Value& reader) {
  std::string name = reader.is_string() ? reader.as_string() : reader.type_name();
  if (auto function = reader.object<Function>()) name = function->name();
  return lower(name.substr(name.rfind('.') == std::string::npos ? 0 : name.rfind('.') + 1));
}

class LoadImage : public Transform {
 public:
  explicit LoadImage(const Args& args)
      : dtype_(dtype_argument(args, "dtype")), channel_first_(args.get<bool>("ensure_channel_first")), expanduser_(args.get<bool>("expanduser")) {
    const Value reader = args["reader"];
    const std::vector<Value> readers = reader.is_none() ? std::vector<Value>{} : reader.is_sequence() ? reader.items() : std::vector<Value>{reader};
    for (const Value& r : readers) {
      static const std::vector<std::string> known{"itkreader", "nibabelreader", "numpyreader", "nrrdreader", "pydicomreader", "pilreader"};
      if (std::find(known.begin(), known.end(), reader_name(r)) == known.end())
        throw Error(ErrorKind::unsupported, args.component() + ": reader " + r.repr() +
                                                " is none of ITKReader, NibabelReader, NumpyReader, NrrdReader, PydicomReader, PILReader");
    }
    if (const auto pattern = args.get<std::optional<std::string>>("prune_meta_pattern"))
      prune_ = with_context(
          args.component() + ": prune_meta_pattern", [&] { return std::regex(*pattern); }, ErrorKind::config);
    if (const Value* dim = args["kwargs"].as_dict().find("channel_dim")) channel_dim_ = *dim;
    if (const Value* series = args["kwargs"].as_dict().find("series_name")) series_ = series->as_string();
  }
  std::string type_name() const override { return "LoadImage"; }

  Value apply(const Value& data) const override {
    std::vector<Image> images;
    const std::vector<Value> paths = data.is_sequence() ? data.items() : std::vector<Value>{data};
    if (paths.empty()) throw Error(ErrorKind::config, "no file to load");
    for (const Value& path : paths) {
      if (!path.is_string()) throw Error(ErrorKind::config, "a file name wanted, got " + path.type_name());
      const std::string name = expanduser_ ? expand_user(path.as_string()) : path.as_string();
      images.push_back(image::read_image(name, {.dtype = dtype_, .series = series_}));
      images.back().meta["filename_or_obj"] = name;
    }
    Image out = images.size() == 1 ? std::move(images[0]) : stacked(images);
    if (!channel_dim_.is_none() && images.size() == 1) out.meta["original_channel_dim"] = channel_dim_;
    if (prune_) {
      Dict kept;
      for (const auto& [key, value] : out.meta)
        if (!std::regex_search(key.str(), *prune_)) kept[key] = value;
      out.meta = std::move(kept);
    }
    if (channel_first_) out = channel_first(out, out.meta.at("original_channel_dim"));
    return image::to_value(std::move(out));
  }

 private:
  std::optional<DType> dtype_;
  bool channel_first_, expanduser_;
  std::optional<std::regex> prune_;
  Value channel_dim_;
  std::string series_;
};

/// The metadata as image_only=False hands them out.
Dict metadata_of(const Value& image) {
  const auto loaded = image.object<Image>();
  Dict meta = loaded->meta;
  meta["affine"] = loaded->affine.to_array();
  return meta;
}

/// LoadImage that returns (image, metadata) when image_only is off.
class LoadPair : public LoadImage {
 public:
  using LoadImage::LoadImage;
  Value apply(const Value& data) const override {
    Value image = LoadImage::apply(data);
    Dict meta = metadata_of(image);
    return Tuple{{std::move(image), std::move(meta)}};
  }
};

class LoadImaged : public Transform {
 public:
  explicit LoadImaged(const Args& args)
      : loader_(args),
        keys_(args.get<std::vector<std::string>>("keys")),
        allow_missing_(args.get<bool>("allow_missing_keys")),
        image_only_(args.get<bool>("image_only")),
        overwriting_(args.get<bool>("overwriting")) {
    const auto meta_keys = args.is_none("meta_keys") ? std::vector<std::string>{} : args.get<std::vector<std::string>>("meta_keys");
    if (!meta_keys.empty() && meta_keys.size() != keys_.size())
      throw Error(ErrorKind::config, "LoadImaged: " + std::to_string(meta_keys.size()) + " meta_keys for " + std::to_string(keys_.size()) + " keys");
    for (std::size_t i = 0; i < keys_.size(); ++i)
      meta_keys_.push_back(meta_keys.empty() ? keys_[i] + "_" + args.get<std::string>("meta_key_postfix") : meta_keys[i]);
  }
  std::string type_name() const override { return "LoadImaged"; }

  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, type_name()).empty()) continue;
      Value image = with_context("LoadImaged of '" + keys_[i] + "'", [&] { return loader_.apply(item.at(keys_[i])); });
      if (!image_only_) {
        if (item.contains(meta_keys_[i]) && !overwriting_)
          throw Error(ErrorKind::config, "LoadImaged of '" + keys_[i] + "': the item has '" + meta_keys_[i] + "' already and overwriting is off");
        item[meta_keys_[i]] = metadata_of(image);
      }
      item[keys_[i]] = std::move(image);
    }
    return item;
  }

 private:
  LoadImage loader_;
  std::vector<std::string> keys_, meta_keys_;
  bool allow_missing_, image_only_, overwriting_;
};

const Param kReader = optional("reader", nullptr, "accepted; the format is told by the file itself");
const Param kImageOnly = optional("image_only", true, "only the image, which carries its metadata");
const Param kType = optional("dtype", Value(DType::f32), "type of the voxels; None: as on disk");
const Param kChannelFirst = optional("ensure_channel_first", false, "move the channel axis to the front");
const Param kSimpleKeys = optional("simple_keys", false, "accepted; no other metadata are kept anyway");
const Param kPrune = optional("prune_meta_pattern", nullptr, "regular expression of metadata keys to drop");
const Param kSeparator = optional("prune_meta_sep", ".", "accepted; metadata are not nested");
const Param kExpand = optional("expanduser", true, "replace a leading ~ by the home folder");
const Param kMore{.name = "kwargs",
                  .doc = "further arguments of MONAI's readers; channel_dim is used, and series_name, for DICOM: a rule (docs/dicom.md) or a UID",
                  .rest = true};

const Register array_form({
    .kind = "transform",
    .name = "LoadImage",
    .aliases = {},
    .summary = "Reads an image file, or several into one",
    .params = {kReader, kImageOnly, kType, kChannelFirst, kSimpleKeys, kPrune, kSeparator, kExpand, kMore},
    .make = [](const Args& args) -> Value {
      if (args.get<bool>("image_only")) return std::make_shared<LoadImage>(args);
      return std::make_shared<LoadPair>(args);
    },
});

const Register dictionary_form({
    .kind = "transform",
    .name = "LoadImaged",
    .aliases = {"LoadImageD", "LoadImageDict"},
    .summary = "Reads an image file, or several into one (dictionary form)",
    .params = {required("keys", "keys that hold file names"), kReader, kType, optional("meta_keys", nullptr, "keys for the metadata, one per key"),
               optional("meta_key_postfix", "meta_dict", "metadata go to KEY_POSTFIX when meta_keys is None"),
               optional("overwriting", false, "replace metadata that are there already"), kImageOnly, kChannelFirst, kSimpleKeys, kPrune, kSeparator,
               optional("allow_missing_keys", false, "skip keys the item does not have"), kExpand, kMore},
    .make = [](const Args& args) -> Value { return std::make_shared<LoadImaged>(args); },
});

}  // namespace
}  // namespace vesal::transforms
