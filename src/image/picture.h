// A small RGB canvas with text, for previews.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/array.h"

namespace vesal::image {

struct Colour {
  std::uint8_t r = 0, g = 0, b = 0;
};

/// Pixels outside are ignored. y grows downwards.
class Picture {
 public:
  Picture(int width, int height, Colour background);
  int width() const { return width_; }
  int height() const { return height_; }
  void blend(int x, int y, Colour colour, double alpha = 1);
  void fill(int x, int y, int width, int height, Colour colour);
  /// ASCII in a font of 5x7 pixels, each `scale` wide; other characters appear as '?'. (x, y) is the top left corner.
  void text(int x, int y, std::string_view words, Colour colour, int scale = 2);
  static int text_width(std::string_view words, int scale = 2) { return static_cast<int>(words.size()) * kAdvance * scale; }
  static int text_height(int scale = 2) { return 7 * scale; }
  const Array& array() const { return pixels_; }  ///< [height, width, 3] uint8

 private:
  static constexpr int kAdvance = 6;
  int width_, height_;
  Array pixels_;
};

}  // namespace vesal::image
