#include "image/image.h"

#include "base/registry.h"

namespace vesal::image {

const Array& Image::array() const {
  if (source_) {
    array_ = materialize(*source_);
    source_.reset();
  }
  return array_;
}

void Image::set_array(Array voxels) {
  array_ = std::move(voxels);
  source_.reset();
}

Shape Image::shape() const {
  if (!source_) return array_.shape();
  Shape s = source_->spatial_shape();
  s.insert(s.begin(), source_->channels());
  return s;
}

DType Image::dtype() const { return source_ ? source_->dtype() : array_.dtype(); }

Image Image::with(Array voxels) const {
  Image out = *this;
  out.set_array(std::move(voxels));
  return out;
}

Image Image::with(VoxelSourcePtr source) const {
  Image out(std::move(source), affine);
  out.meta = meta;
  out.trail = trail;
  return out;
}

std::string Image::repr() const { return "MetaTensor(" + std::string(name_of(dtype())) + " " + to_string(shape()) + ")"; }

std::optional<Value> Image::attribute(std::string_view name) {
  if (name == "meta") {
    Dict all = meta;
    all["affine"] = affine.to_array();
    return Value(std::move(all));
  }
  if (name == "affine") return Value(affine.to_array());
  if (name == "dtype") return Value(dtype());
  if (name == "array") return Value(array());
  if (name == "shape") {
    Tuple t;
    for (auto extent : shape()) t.items.emplace_back(extent);
    return Value(std::move(t));
  }
  if (name == "ndim") return Value(shape().size());
  if (name == "pixdim") {
    const auto s = spacing_of(affine);
    return Value(Tuple{{s[0], s[1], s[2]}});
  }
  return std::nullopt;
}

Value to_value(Image image) { return Value(std::make_shared<Image>(std::move(image))); }

Image image_of(const Value& value) {
  if (auto image = value.object<Image>()) return *image;
  if (value.is_array()) return Image(value.as_array());
  throw Error(ErrorKind::config, "an image wanted, got " + value.type_name());
}

Array array_of(const Value& value) {
  if (auto image = value.object<Image>()) return image->array();
  if (value.is_array()) return value.as_array();
  throw Error(ErrorKind::config, "an image or array wanted, got " + value.type_name());
}

}  // namespace vesal::image
