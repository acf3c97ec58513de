#include "infer/curves.h"

#include <gtest/gtest.h>

#include <cmath>

#include "image/png.h"

namespace vesal::infer {
namespace {

TEST(Curves, OnePageOfTwoPanels) {
  const auto path = std::filesystem::temp_directory_path() / "vesal_curves_test.png";
  Curves c{.title = "spleen_ct_phantom, 60 epochs", .losses = {{"train loss", {}, {}}}, .learning_rates = {{"lr", {}, {}}}};
  c.metrics = {{"val_mean_dice", {}, {}}, {"val_hausdorff", {}, {}}};
  for (int e = 1; e <= 60; ++e) {
    c.losses[0].x.push_back(e), c.losses[0].y.push_back(1.2 * std::exp(-e / 12.0) + 0.02 + 0.04 * std::sin(e * 1.7) * std::exp(-e / 30.0));
    c.learning_rates[0].x.push_back(e), c.learning_rates[0].y.push_back(2e-3 * std::pow(0.1, (e - 1) / 20));
    if (e % 5 == 0) c.metrics[0].x.push_back(e), c.metrics[0].y.push_back(e == 25 ? NAN : 0.94 - 0.7 * std::exp(-e / 9.0));
    if (e % 5 == 0) c.metrics[1].x.push_back(e), c.metrics[1].y.push_back(0.3 + 0.4 * std::exp(-e / 20.0));
  }
  const auto panels = curve_panels(c);
  ASSERT_EQ(panels.size(), 2u);
  EXPECT_TRUE(panels[0].log_right) << "2e-3 to 2e-5";
  EXPECT_TRUE(panels[0].log_y);
  EXPECT_FALSE(panels[1].log_y);
  write_curves(path, c);
  const Array read = image::read_png(path).array();
  EXPECT_EQ(read.shape(), (Shape{1000, image::draw_plots(panels, {.title = c.title}).size(0), 3}));
  std::filesystem::remove(path);
  c.losses[0].y[3] = -0.5;
  EXPECT_FALSE(curve_panels(c)[0].log_y) << "a negative loss cannot stand on a logarithmic axis";
}

}  // namespace
}  // namespace vesal::infer
