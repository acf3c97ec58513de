// Outlines of a label in a plane.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace vesal::dicom {

/// A closed line in pixels, (x, y), pixel centres at whole numbers; the last point joins the first.
using Contour = std::vector<std::array<double, 2>>;

/// The outlines of the pixels of `plane` (rows x columns, row by row) that equal `label`: marching squares, halfway between pixels inside and
/// outside, straight stretches as one. Pixels that touch at a corner are apart. A hole becomes a part of the outline around it by a keyhole: a line
/// there and back between them, which encloses nothing (PS3.3, C.8.8.6.3). Filled by the even-odd or by the winding rule, they cover
/// exactly the pixel centres of the label.
std::vector<Contour> contours_of(const std::int64_t* plane, std::int64_t rows, std::int64_t columns, std::int64_t label);

/// Calls visit(x, y) for the pixel centres inside by the even-odd rule.
template <class Visit>
void fill(const Contour& contour, const Visit& visit);

/// Signed area in pixels, positive where x turns towards y.
double area_of(const Contour& contour);

}  // namespace vesal::dicom

#include "dicom/contours_fill.h"
