// Transforms of intensities, labels, axes and items against MONAI's results, alone and in lists as bundles have them (data/make_values.py).
#include "golden.h"
#include "transforms/compose.h"

namespace vesal::transforms {
namespace {

using namespace tests;

const Golden& golden() {
  static const Golden g("values");
  return g;
}

/// How the input lies in memory; what comes out must not depend on it.
enum class Layout { plain, fortran, backwards };

Array laid_out(const Array& a, Layout layout) {
  if (layout == Layout::plain) return a;
  if (layout == Layout::backwards) {
    Array turned = a;
    for (int i = 0; i < a.dim(); ++i) turned = turned.flip(i);
    turned = turned.clone();
    for (int i = 0; i < a.dim(); ++i) turned = turned.flip(i);
    return turned;
  }
  std::vector<int> order;
  for (int i = a.dim() - 1; i >= 0; --i) order.push_back(i);
  return a.permute(order).clone().permute(order);
}

Image input(const std::string& name, Layout layout) {
  const Dict& entry = golden().cases[0].as_dict().at(name).as_dict();
  if (entry.contains("rule")) {
    Array a = Array::empty({1, 1010, 1000}, DType::f32);
    for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = static_cast<float>(i * 7919 % 100003);
    return Image(laid_out(a, layout));
  }
  return Image(laid_out(golden().array(entry).to(*dtype_from_name(entry.at("dtype").as_string())), layout), affine_of(entry.at("affine")));
}

/// Components in lists and dicts made, "@pre" replaced.
Value built(const Value& v, const Value& pre) {
  if (v == Value("@pre")) return pre;
  if (v.is_list()) {
    List out;
    for (const Value& item : v.items()) out.items.push_back(built(item, pre));
    return out;
  }
  if (!v.is_dict() || !v.as_dict().contains("_target_")) return v;
  CallArgs args;
  for (const auto& [key, value] : v.as_dict())
    if (key != Value("_target_")) args.named.emplace_back(key.as_string(), built(value, pre));
  return construct(components::get(v.as_dict().at("_target_").as_string()), args);
}

void expect_array(const Value& got, const Dict& want, double tolerance, bool exact) {
  const Array values = image::array_of(got);
  const Shape shape = cast<Shape>(want.at("shape"));
  ASSERT_EQ(values.shape(), shape);
  EXPECT_EQ(name_of(values.dtype()), want.at("dtype").as_string());
  const std::int64_t every = want.contains("every") ? want.at("every").as_int() : 1;
  const Array flat = values.to(DType::f64).contiguous();
  const float* expected = golden().values.data() + want.at("offset").as_int();
  double scale = 1, worst = 0;
  for (std::int64_t i = 0; i < flat.numel(); i += every) scale = std::max<double>(scale, std::fabs(expected[i / every]));
  for (std::int64_t i = 0; i < flat.numel(); i += every) {
    const double a = flat.data<double>()[i], b = expected[i / every];
    if (!(std::isnan(a) && std::isnan(b))) worst = std::max(worst, std::isnan(a - b) ? 1e300 : std::fabs(a - b));
  }
  EXPECT_LE(worst, exact ? 0 : tolerance * scale);
  const auto image = got.object<Image>();
  if (image && want.contains("affine")) { EXPECT_LE(image::max_difference(image->affine, affine_of(want.at("affine"))), 1e-5); }
}

void expect_value(const Value& got, const Dict& want, double tolerance, bool exact) {
  if (const Value* list = want.find("list")) {
    ASSERT_TRUE(got.is_sequence());
    ASSERT_EQ(got.items().size(), list->items().size());
    for (std::size_t i = 0; i < got.items().size(); ++i) expect_value(got.items()[i], list->items()[i].as_dict(), tolerance, exact);
  } else if (const Value* dict = want.find("dict")) {
    ASSERT_TRUE(got.is_dict());
    for (const auto& [key, value] : dict->as_dict()) {
      SCOPED_TRACE(key.as_string());
      ASSERT_TRUE(got.as_dict().contains(key));
      expect_value(got.as_dict().at(key), value.as_dict(), tolerance, exact);
    }
    EXPECT_EQ(got.as_dict().size(), dict->as_dict().size());
  } else if (const Value* value = want.find("value")) {
    EXPECT_EQ(got, *value);
  } else {
    expect_array(got, want, tolerance, exact);
  }
}

Value result_of(const Dict& c, Layout layout) {
  if (c.contains("transform")) return transform_of(c)->apply(image::to_value(input(c.at("input").as_string(), layout)));
  Dict item;
  for (const auto& [key, value] : c.at("item").as_dict()) {
    const bool named = value.is_string() && golden().cases[0].as_dict().contains(value);
    item[key] = named ? image::to_value(input(value.as_string(), layout)) : value;
  }
  const Value pre = compose(built(c.at("steps"), Value()));
  Value out = call_value(pre, {{item}, {}});
  for (const Value& step : c.at("inverse").items()) out = call_value(built(step, pre), {{out}, {}});
  if (c.at("keys").is_none()) return out;
  Dict kept;
  for (const Value& key : c.at("keys").items()) kept[key] = out.as_dict().at(key);
  return kept;
}

class ValueGolden : public testing::TestWithParam<std::size_t> {};

TEST_P(ValueGolden, AgreesWithMonai) {
  const Dict& c = golden().cases[GetParam()].as_dict();
  SCOPED_TRACE(to_json(golden().cases[GetParam()], -1).substr(0, 400));
  const Value* tolerance = c.find("tolerance");
  for (const Layout layout : {Layout::plain, Layout::fortran, Layout::backwards}) {
    SCOPED_TRACE("layout " + std::to_string(static_cast<int>(layout)));
    expect_value(result_of(c, layout), c.at("out").as_dict(), tolerance ? tolerance->as_float() : 1e-5, c.at("exact").as_bool());
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ValueGolden, testing::Range<std::size_t>(1, golden().cases.size()), [](const auto& info) {
  const Dict& c = golden().cases[info.param].as_dict();
  return (c.contains("transform") ? c.at("transform").as_string() : std::string("List")) + std::to_string(info.param);
});

}  // namespace
}  // namespace vesal::transforms
