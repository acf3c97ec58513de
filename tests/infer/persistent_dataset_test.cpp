#include <gmock/gmock.h>

#include "base/file.h"
#include "engines.h"
#include "image/image.h"
#include "infer/dataset.h"
#include "paths.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// An image of a text file's length, flipped: counts its calls.
class Read : public transforms::Transform {
 public:
  std::string type_name() const override { return "Read"; }
  Value apply(const Value& item) const override {
    ++calls;
    image::Image image(Array::full({1, 2, 3}, DType::i16, static_cast<double>(read_text(item.as_dict().at("image").as_string()).size())));
    image.meta["filename_or_obj"] = item.as_dict().at("image");
    const Value flipped = construct(components::get("Flip"), {{Value(0)}, {}});
    return Dict{{"image", call_value(flipped, {{image::to_value(std::move(image))}, {}})}, {"name", "ä"}, {"spacing", List{{1.5, 2}}}};
  }
  mutable int calls = 0;
};

TEST(PersistentDataset, KeepsItemsInFilesAndMakesStaleAndDamagedOnesAgain) {
  const tests::TempDir dir;
  const fs::path cache = dir / "kept/here";
  write_file(dir / "a.txt", "abc");
  const Value items = List{{Dict{{"image", (dir / "a.txt").string()}}}};
  auto read = std::make_shared<Read>();
  const auto open = [&] {
    return make("PersistentDataset", {{"data", items}, {"transform", read}, {"cache_dir", cache.string()}}).object<Dataset>();
  };
  EXPECT_TRUE(fs::is_directory((open(), cache)));
  const Value first = open()->item(0), again = open()->item(0);
  EXPECT_EQ(read->calls, 1);
  for (const Value& item : {first, again}) {
    const image::Image image = image::image_of(item.as_dict().at("image"));
    EXPECT_EQ(image.shape(), (Shape{1, 2, 3}));
    EXPECT_EQ(image.dtype(), DType::i16);
    EXPECT_EQ(image.array().at({0, 1, 2}), 3);
    EXPECT_EQ(image.meta.at("filename_or_obj"), Value((dir / "a.txt").string()));
    EXPECT_EQ(item.as_dict().at("name"), Value("ä"));
    EXPECT_EQ(item.as_dict().at("spacing").items()[1], Value(2));
    const Value invert = make("Invert", {});  // the way back is not kept, and nothing pretends that it were
    EXPECT_THAT(failure([&] { image::array_of(call_value(invert, {{item.as_dict().at("image")}, {}})); }), HasSubstr("kept by PersistentDataset"));
  }

  const fs::path file = fs::directory_iterator(cache)->path();
  write_file(file, read_text(file).substr(0, 200));
  EXPECT_EQ(image::array_of(open()->item(0).as_dict().at("image")).at({0, 0, 0}), 3);
  EXPECT_EQ(read->calls, 2);
  write_file(dir / "a.txt", "longer");
  EXPECT_EQ(image::array_of(open()->item(0).as_dict().at("image")).at({0, 0, 0}), 6);
  EXPECT_EQ(read->calls, 3);
}

TEST(PersistentDataset, WithoutAFolderKeepsNothing) {
  const tests::TempDir dir;
  write_file(dir / "a.txt", "abc");
  auto read = std::make_shared<Read>();
  auto data = make("PersistentDataset", {{"data", List{{Dict{{"image", (dir / "a.txt").string()}}}}}, {"transform", read}, {"cache_dir", Value()}});
  data.object<Dataset>()->item(0);
  data.object<Dataset>()->item(0);
  EXPECT_EQ(read->calls, 2);
}

}  // namespace
}  // namespace vesal::infer
