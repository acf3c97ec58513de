#include "transforms/affine_ranges.h"

namespace vesal::transforms {
namespace {

std::vector<Interval> intervals(const Args& args, const std::string& name) {
  return with_context(args.component() + ": " + name, [&] {
    std::vector<Interval> out;
    for (const Value& v : args[name].is_sequence() ? args[name].items() : std::vector<Value>{args[name]}) {
      if (v.is_none()) continue;
      const auto ends = cast<std::vector<double>>(v);
      if (!v.is_sequence()) out.push_back({-ends[0], ends[0]});
      else if (ends.size() == 2) out.push_back({ends[0], ends[1]});
      else throw Error(ErrorKind::config, "a range is a number or (min, max), got " + v.repr());
    }
    return out;
  });
}

std::vector<double> draws(const std::vector<Interval>& from, Random& random, double add = 0) {
  std::vector<double> out;
  for (const Interval& interval : from) out.push_back(interval.draw(random) + add);
  return out;
}

}  // namespace

AffineRanges::AffineRanges(const Args& args)
    : rotate_(intervals(args, "rotate_range")),
      shear_(intervals(args, "shear_range")),
      translate_(intervals(args, "translate_range")),
      scale_(intervals(args, "scale_range")) {}

AffineParameters AffineRanges::draw(Random& random) const {
  AffineParameters p;
  p.rotate = draws(rotate_, random);
  p.shear = draws(shear_, random);
  p.translate = draws(translate_, random);
  p.scale = draws(scale_, random, 1);
  return p;
}

std::vector<Param> AffineRanges::params(std::vector<Param> before, const std::vector<Param>& after) {
  std::vector<Param> params = std::move(before);
  params.push_back(optional("rotate_range", Value(), "angles in radians, r for [-r, r] or (min, max): one in 2D, about x, y and z in 3D"));
  params.push_back(optional("shear_range", Value(), "factors beside the diagonal, row by row: 2 in 2D, 6 in 3D"));
  params.push_back(optional("translate_range", Value(), "voxels per axis"));
  params.push_back(optional("scale_range", Value(), "per axis; 1 is added to what is drawn"));
  params.insert(params.end(), after.begin(), after.end());
  return params;
}

SampleOptions sample_options(const Args& args, bool align_corners) {
  if (!args["mode"].is_string())
    throw Error(ErrorKind::unsupported, args.component() + ": mode " + args["mode"].repr() + " (splines); bilinear or nearest wanted");
  return sample_options(args.get<std::string>("mode"), args.get<std::string>("padding_mode"), align_corners);
}

Param result_size_param() { return optional("spatial_size", Value(), "extents of the result; None or not positive keeps the image's own"); }
Param mode_param() { return optional("mode", "bilinear", "bilinear, or nearest for labels"); }
Param padding_mode_param() { return optional("padding_mode", "reflection", "outside of the image: zeros, border or reflection"); }
Param device_param() { return optional("device", Value(), "accepted; results stay in host memory"); }

}  // namespace vesal::transforms
