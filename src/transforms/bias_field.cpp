// RandBiasField: the slowly varying gain of an MR coil as a random polynomial. MONAI: RandBiasField.
#include <cmath>

#include "transforms/arguments.h"
#include "transforms/elementwise.h"
#include "transforms/random_transform.h"
#include "transforms/spatial_step.h"

namespace vesal::transforms {
namespace {

/// Legendre polynomials of degree 0 to `degree` at `count` places from -1 to 1: [degree + 1][count].
std::vector<std::vector<double>> legendre(std::int64_t count, int degree) {
  std::vector<std::vector<double>> p(static_cast<std::size_t>(degree) + 1, std::vector<double>(static_cast<std::size_t>(count), 1));
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const double x = count == 1 ? -1 : static_cast<double>(static_cast<float>(-1 + 2 * static_cast<double>(i) / static_cast<double>(count - 1)));
    for (std::size_t k = 1; k < p.size(); ++k) {
      const double n = static_cast<double>(k);
      p[k][i] = k == 1 ? x : ((2 * n - 1) * x * p[k - 1][i] - (n - 1) * p[k - 2][i]) / n;
    }
  }
  return p;
}

class RandBiasField : public RandomImageTransform {
 public:
  explicit RandBiasField(const Args& args)
      : RandomImageTransform(args.get<double>("prob")),
        degree_(args.get<int>("degree")),
        coefficients_(interval_argument(args, "coeff_range")),
        type_(dtype_argument(args, "dtype")) {
    if (degree_ < 1 || degree_ > 100) throw Error(ErrorKind::config, "RandBiasField: degree = " + std::to_string(degree_) + ", want 1 to 100");
  }
  std::string type_name() const override { return "RandBiasField"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    const Shape shape = spatial_shape(image);
    if (shape.size() != 2 && shape.size() != 3)
      throw Error(ErrorKind::unsupported, "RandBiasField wants 2 or 3 spatial axes, got " + to_string(shape));
    const DType type = type_.value_or(image.dtype());
    Array out = copy_as(image.array(), working_type(type));
    const std::vector<double> coefficients = draw(shape.size(), random);
    visit_working(out, [&](auto zero) { apply<decltype(zero)>(out, shape, coefficients); });
    return image.with(converted(out, type));
  }

 private:
  std::size_t side() const { return static_cast<std::size_t>(degree_) + 1; }

  /// [side, side, side], the coefficient of P_i(x) P_j(y) P_k(z); zero where i + j + k > degree. In 2D [side, 1, side], zero where k > i,
  /// as MONAI fills its triangle.
  std::vector<double> draw(std::size_t rank, Random& random) const {
    const std::size_t n = side(), middle = rank == 3 ? n : 1;
    std::vector<double> c(n * middle * n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < middle; ++j)
        for (std::size_t k = 0; k < n; ++k)
          if (rank == 3 ? i + j + k < n : k <= i) c[(i * middle + j) * n + k] = coefficients_.draw(random);
    return c;
  }

  template <class T>
  void apply(Array& values, const Shape& shape, const std::vector<double>& c) const {
    const std::size_t n = side(), middle = shape.size() == 3 ? n : 1;
    const std::int64_t nx = shape[0], ny = shape.size() == 3 ? shape[1] : 1, nz = shape.back(), channels = values.size(0);
    const auto px = legendre(nx, degree_), py = legendre(ny, static_cast<int>(middle) - 1), pz = legendre(nz, degree_);
    T* data = values.data<T>();
    parallel_for(nx * ny, 8, [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> along(n);
      for (std::int64_t row = begin; row < end; ++row) {
        const auto x = static_cast<std::size_t>(row / ny), y = static_cast<std::size_t>(row % ny);
        for (std::size_t k = 0; k < n; ++k) {
          along[k] = 0;
          for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < middle; ++j) along[k] += c[(i * middle + j) * n + k] * px[i][x] * py[j][y];
        }
        for (std::int64_t z = 0; z < nz; ++z) {
          double field = 0;
          for (std::size_t k = 0; k < n; ++k) field += along[k] * pz[k][static_cast<std::size_t>(z)];
          const double gain = std::exp(field);
          for (std::int64_t ch = 0; ch < channels; ++ch) {
            T& v = data[(ch * nx * ny + row) * nz + z];
            v = static_cast<T>(static_cast<double>(v) * gain);
          }
        }
      }
    });
  }

  int degree_;
  Interval coefficients_;
  std::optional<DType> type_;
};

const RegisterRandomTransform rand_bias_field({
    .name = "RandBiasField",
    .summary = "Multiply by the exponential of a random polynomial of the place",
    .params = {optional("degree", 3, "of the polynomial"), optional("coeff_range", Tuple{{0.0, 0.1}}, "range of its coefficients, (min, max)"),
               dtype_param(), prob_param()},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandBiasField>(args); },
});

}  // namespace
}  // namespace vesal::transforms
