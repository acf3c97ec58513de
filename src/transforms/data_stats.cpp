// DataStats (monai.transforms): says what passes through.
#include "base/log.h"
#include "kernels/intensity.h"
#include "transforms/elementwise.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

std::string range_of(const Array& voxels) {
  if (voxels.numel() == 0) return "(empty)";
  const Array values = copy_as(voxels, working_type(voxels.dtype()));
  return visit_working(values, [&](auto zero) {
    using T = decltype(zero);
    const auto e = reduce_blocks<T>(values, kernels::Extremes<T>{INFINITY, -INFINITY, false}, kernels::extremes<T>, [](auto a, auto b) {
      return kernels::Extremes<T>{std::min(a.low, b.low), std::max(a.high, b.high), a.nan || b.nan};
    });
    return e.nan ? std::string("(nan, nan)") : fmt::format("({}, {})", e.low, e.high);
  });
}

class DataStats : public Transform {
 public:
  explicit DataStats(const Args& args)
      : prefix_(args.get<std::string>("prefix")),
        type_(args.get<bool>("data_type")),
        shape_(args.get<bool>("data_shape")),
        range_(args.get<bool>("value_range")),
        value_(args.get<bool>("data_value")),
        meta_(args.get<bool>("meta_info")),
        more_(args["additional_info"]) {}
  std::string type_name() const override { return "DataStats"; }
  Value apply(const Value& data) const override {
    const auto image = data.object<Image>();
    const bool array = image || data.is_array();
    std::string text = prefix_ + " statistics:";
    const auto line = [&](const char* what, const std::string& words) { text += std::string("\n") + what + ": " + words; };
    if (type_) line("Type", data.type_name() + (array ? " " + std::string(name_of(image ? image->dtype() : data.as_array().dtype())) : ""));
    if (shape_) line("Shape", array ? to_string(image ? image->shape() : data.as_array().shape()) : "None");
    if (range_) line("Value range", array ? range_of(image::array_of(data)) : "(not an array, type: " + data.type_name() + ")");
    if (value_) line("Value", array ? Value(image::array_of(data)).repr() : data.repr());
    if (meta_) line("Meta info", image ? Value(image->meta).repr() : "(input is not an image)");
    if (!more_.is_none()) line("Additional info", call_value(more_, {{data}, {}}).str());
    log::info("{}", text);
    return data;
  }

 private:
  std::string prefix_;
  bool type_, shape_, range_, value_, meta_;
  Value more_;
};

const RegisterTransform registered({
    .name = "DataStats",
    .summary = "Log type, shape and range of the data",
    .params = {optional("prefix", "Data", "first word of the message"), optional("data_type", true, "show the type"),
               optional("data_shape", true, "show the shape"), optional("value_range", true, "show the smallest and the largest value"),
               optional("data_value", false, "show the values"), optional("meta_info", false, "show the metadata"),
               optional("additional_info", Value(), "a callable whose result is shown"), optional("name", "DataStats", "accepted")},
    .per_key = {"prefix", "data_type", "data_shape", "value_range", "data_value", "meta_info", "additional_info"},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<DataStats>(args); },
});

}  // namespace
}  // namespace vesal::transforms
