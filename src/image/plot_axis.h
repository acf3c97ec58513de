// The scale of an axis: from values to [0, 1], and where its ticks are.
#pragma once
#include <string>
#include <vector>

namespace vesal::image {

struct Tick {
  double at;  ///< in [0, 1] along the axis
  std::string label;
};

class PlotAxis {
 public:
  explicit PlotAxis(bool log = false, bool whole = false) : log_(log), whole_(whole) {}
  void cover(double value);    ///< widens the axis to show the value; what cannot be shown is ignored
  void finish(double margin);  ///< after all values: a margin at both ends, as a share of the axis
  bool shows(double value) const;
  double position(double value) const;       ///< of a value that is shown; [0, 1] within the axis
  std::vector<Tick> ticks(int about) const;  ///< about so many, at round values; `whole`: at whole numbers only

 private:
  double scaled(double value) const;
  bool log_, whole_, any_ = false;
  double low_ = 0, high_ = 1;
};

}  // namespace vesal::image
