// LoadImage and SaveImage against MONAI's, on small files of several kinds (data/make_files.py).
#include "golden.h"
#include "image/formats.h"

namespace vesal::transforms {
namespace {

using namespace tests;
namespace fs = std::filesystem;

const Dict& golden() {
  static const Value all = parse_json(slurp(vesal::tests::data("transforms/data/files.json")));
  return all.as_dict();
}
const std::vector<Value>& cases(const char* kind) { return golden().at(kind).items(); }

std::string file(const Value& name) { return vesal::tests::data("transforms/data/files/" + name.as_string()).string(); }

std::shared_ptr<Transform> made(const char* name, const Dict& args, const std::string& output_dir = "") {
  CallArgs call;
  for (const auto& [key, value] : args)
    call.named.emplace_back(key.as_string(), value == Value("@root") ? Value(vesal::tests::data("transforms/data").string()) : value);
  if (!output_dir.empty()) call.named.emplace_back("output_dir", output_dir), call.named.emplace_back("print_log", false);
  return construct(components::get(name), call).object<Transform>();
}

void expect_same(const Array& got, const Affine& affine, const Dict& want, double tolerance) {
  ASSERT_EQ(got.shape(), cast<Shape>(want.at("shape")));
  EXPECT_EQ(name_of(got.dtype()), want.at("dtype").as_string());
  const Array flat = got.to(DType::f64).contiguous();
  double worst = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i)
    worst = std::max(worst, std::fabs(flat.data<double>()[i] - want.at("values").items()[static_cast<std::size_t>(i)].as_float()));
  EXPECT_LE(worst, tolerance);
  if (want.contains("affine")) { EXPECT_LE(image::max_difference(affine, affine_of(want.at("affine"))), 1e-5); }
}

class LoadGolden : public testing::TestWithParam<std::size_t> {};

TEST_P(LoadGolden, AgreesWithMonai) {
  const Dict& c = cases("loads")[GetParam()].as_dict();
  SCOPED_TRACE(to_json(cases("loads")[GetParam()], -1).substr(0, 300));
  Value path = c.at("file");
  if (path.is_list()) {
    List paths;
    for (const Value& name : path.items()) paths.items.emplace_back(file(name));
    path = paths;
  } else {
    path = file(path);
  }
  const Image image = image::image_of(made("LoadImage", c.at("args").as_dict())->apply(path));
  expect_same(image.array(), image.affine, c.at("out").as_dict(), 0);
}

class SaveGolden : public testing::TestWithParam<std::size_t> {};

TEST_P(SaveGolden, AgreesWithMonai) {
  const Dict& c = cases("saves")[GetParam()].as_dict();
  SCOPED_TRACE(to_json(cases("saves")[GetParam()], -1).substr(0, 300));
  Value image = made("LoadImage", Dict{{"ensure_channel_first", true}})->apply(file(c.at("file")));
  for (const Value& step : c.at("steps").items())
    image = step.is_string() ? made("Orientation", Dict{{"axcodes", step}})->apply(image) : made("Spacing", Dict{{"pixdim", step}})->apply(image);
  const vesal::tests::TempDir out;
  made("SaveImage", c.at("args").as_dict(), out.path().string())->apply(image);
  std::vector<std::string> written;
  for (const auto& entry : fs::recursive_directory_iterator(out.path()))
    if (entry.is_regular_file()) written.push_back(entry.path().lexically_relative(out.path()).string());
  ASSERT_EQ(written, std::vector<std::string>{c.at("path").as_string()});
  const Image back = image::read_image(out / written[0]);
  expect_same(back.array(), back.affine, c.at("out").as_dict(), c.at("steps").items().size() > 1 ? 1e-3 : 0);
}

std::string number(const testing::TestParamInfo<std::size_t>& info) { return "Case" + std::to_string(info.index); }
INSTANTIATE_TEST_SUITE_P(Files, LoadGolden, testing::Range<std::size_t>(0, cases("loads").size()), number);
INSTANTIATE_TEST_SUITE_P(Files, SaveGolden, testing::Range<std::size_t>(0, cases("saves").size()), number);

}  // namespace
}  // namespace vesal::transforms
