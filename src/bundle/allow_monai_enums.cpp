// monai.utils' names for modes and keys. They are strings there too, so that "bilinear" and GridSampleMode.BILINEAR are the same.
#include "base/registry.h"

namespace vesal::bundle {
namespace {

struct Names {
  const char* group;
  std::initializer_list<std::pair<const char*, Value>> members;
};

struct Enumerations {
  Enumerations(std::initializer_list<Names> groups) {
    for (const Names& g : groups)
      for (const auto& [member, value] : g.members) allowed::add(std::string("monai.utils.") + g.group + "." + member, value);
  }
};

const Enumerations enumerations{
    {"NumpyPadMode",
     {{"CONSTANT", "constant"},
      {"EDGE", "edge"},
      {"LINEAR_RAMP", "linear_ramp"},
      {"MAXIMUM", "maximum"},
      {"MEAN", "mean"},
      {"MEDIAN", "median"},
      {"MINIMUM", "minimum"},
      {"REFLECT", "reflect"},
      {"SYMMETRIC", "symmetric"},
      {"WRAP", "wrap"},
      {"EMPTY", "empty"}}},
    {"NdimageMode",
     {{"REFLECT", "reflect"},
      {"GRID_MIRROR", "grid-mirror"},
      {"CONSTANT", "constant"},
      {"GRID_CONSTANT", "grid-constant"},
      {"NEAREST", "nearest"},
      {"MIRROR", "mirror"},
      {"GRID_WRAP", "grid-wrap"},
      {"WRAP", "wrap"}}},
    {"GridSampleMode", {{"NEAREST", "nearest"}, {"BILINEAR", "bilinear"}, {"BICUBIC", "bicubic"}}},
    {"SplineMode", {{"ZERO", 0}, {"ONE", 1}, {"TWO", 2}, {"THREE", 3}, {"FOUR", 4}, {"FIVE", 5}}},
    {"InterpolateMode",
     {{"NEAREST", "nearest"},
      {"NEAREST_EXACT", "nearest-exact"},
      {"LINEAR", "linear"},
      {"BILINEAR", "bilinear"},
      {"BICUBIC", "bicubic"},
      {"TRILINEAR", "trilinear"},
      {"AREA", "area"}}},
    {"UpsampleMode", {{"DECONV", "deconv"}, {"DECONVGROUP", "deconvgroup"}, {"NONTRAINABLE", "nontrainable"}, {"PIXELSHUFFLE", "pixelshuffle"}}},
    {"BlendMode", {{"CONSTANT", "constant"}, {"GAUSSIAN", "gaussian"}}},
    {"PytorchPadMode", {{"CONSTANT", "constant"}, {"REFLECT", "reflect"}, {"REPLICATE", "replicate"}, {"CIRCULAR", "circular"}}},
    {"GridSamplePadMode", {{"ZEROS", "zeros"}, {"BORDER", "border"}, {"REFLECTION", "reflection"}}},
    {"Average", {{"MACRO", "macro"}, {"WEIGHTED", "weighted"}, {"MICRO", "micro"}, {"NONE", "none"}}},
    {"MetricReduction",
     {{"NONE", "none"},
      {"MEAN", "mean"},
      {"SUM", "sum"},
      {"MEAN_BATCH", "mean_batch"},
      {"SUM_BATCH", "sum_batch"},
      {"MEAN_CHANNEL", "mean_channel"},
      {"SUM_CHANNEL", "sum_channel"}}},
    {"LossReduction", {{"NONE", "none"}, {"MEAN", "mean"}, {"SUM", "sum"}}},
    {"DiceCEReduction", {{"MEAN", "mean"}, {"SUM", "sum"}}},
    {"Weight", {{"SQUARE", "square"}, {"SIMPLE", "simple"}, {"UNIFORM", "uniform"}}},
    {"ChannelMatching", {{"PAD", "pad"}, {"PROJECT", "project"}}},
    {"SkipMode", {{"CAT", "cat"}, {"ADD", "add"}, {"MUL", "mul"}}},
    {"Method", {{"SYMMETRIC", "symmetric"}, {"END", "end"}}},
    {"ForwardMode", {{"TRAIN", "train"}, {"EVAL", "eval"}}},
    {"CommonKeys", {{"IMAGE", "image"}, {"LABEL", "label"}, {"PRED", "pred"}, {"LOSS", "loss"}, {"METADATA", "metadata"}}},
    {"GanKeys", {{"REALS", "reals"}, {"FAKES", "fakes"}, {"LATENTS", "latents"}, {"GLOSS", "g_loss"}, {"DLOSS", "d_loss"}}},
    {"BoxModeName",
     {{"XYXY", "xyxy"},
      {"XYZXYZ", "xyzxyz"},
      {"XXYY", "xxyy"},
      {"XXYYZZ", "xxyyzz"},
      {"XYXYZZ", "xyxyzz"},
      {"XYWH", "xywh"},
      {"XYZWHD", "xyzwhd"},
      {"CCWH", "ccwh"},
      {"CCCWHD", "cccwhd"}}},
    {"GridPatchSort", {{"RANDOM", "random"}, {"MIN", "min"}, {"MAX", "max"}}},
    {"MetaKeys",
     {{"AFFINE", "affine"},
      {"ORIGINAL_AFFINE", "original_affine"},
      {"SPATIAL_SHAPE", "spatial_shape"},
      {"SPACE", "space"},
      {"ORIGINAL_CHANNEL_DIM", "original_channel_dim"},
      {"SAVED_TO", "saved_to"}}},
    {"SpaceKeys", {{"RAS", "RAS"}, {"LPS", "LPS"}}},
    {"ColorOrder", {{"RGB", "RGB"}, {"BGR", "BGR"}}},
    {"HoVerNetMode", {{"FAST", "FAST"}, {"ORIGINAL", "ORIGINAL"}}},
    {"HoVerNetBranch", {{"HV", "horizontal_vertical"}, {"NP", "nucleus_prediction"}, {"NC", "type_prediction"}}},
};

}  // namespace
}  // namespace vesal::bundle
