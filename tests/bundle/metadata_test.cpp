#include "bundle/metadata.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "paths.h"

namespace vesal::bundle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value good() { return ConfigParser::load_config_file(tests::source_dir() / "bundles/spleen_ct_phantom/configs/metadata.json"); }

std::vector<std::string> faults_with(const std::string& id, Value value) {
  ConfigParser parser(good());
  parser.set(id, std::move(value));
  return metadata_faults(parser.get());
}

TEST(Metadata, OfTheBuiltInBundleAreRight) { EXPECT_THAT(metadata_faults(good()), IsEmpty()); }

TEST(Metadata, MissingFieldsAreNamed) {
  for (const char* key : {"version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version", "task", "description",
                          "authors", "copyright", "network_data_format"}) {
    Value v = good();
    v.mutable_dict().erase(key);
    EXPECT_THAT(metadata_faults(v), ElementsAre(std::string(key) + ": is missing"));
  }
}

TEST(Metadata, TheOldNameOfRequiredPackagesCounts) {
  Value v = good();
  v.mutable_dict().erase("required_packages_version");
  v.mutable_dict()["optional_packages_version"] = Dict{};
  EXPECT_THAT(metadata_faults(v), IsEmpty());
}

TEST(Metadata, WrongFieldsAreNamed) {
  const std::string image = "network_data_format::inputs::image::";
  EXPECT_THAT(faults_with("version", "1/2"), ElementsAre(HasSubstr("version: must be")));
  EXPECT_THAT(faults_with("task", 3), ElementsAre(HasSubstr("task: must be a text, not 3")));
  EXPECT_THAT(faults_with(image + "dtype", "float31"), ElementsAre(HasSubstr(image + "dtype")));
  EXPECT_THAT(faults_with(image + "num_channels", -1), ElementsAre(HasSubstr(image + "num_channels")));
  EXPECT_THAT(faults_with(image + "num_channels", "1"), ElementsAre(HasSubstr(image + "num_channels")));
  EXPECT_THAT(faults_with(image + "value_range", List{{1, 0}}), ElementsAre(HasSubstr(image + "value_range")));
  EXPECT_THAT(faults_with(image + "spatial_shape", List{{"2**p", "x"}}), ElementsAre(HasSubstr(image + "spatial_shape")));
  EXPECT_THAT(faults_with(image + "spatial_shape", List{{"*", "16*n", "2**p*n", 4}}), IsEmpty());
  EXPECT_THAT(faults_with(image + "is_patch_data", "true"), ElementsAre(HasSubstr(image + "is_patch_data")));
  EXPECT_THAT(faults_with("network_data_format::outputs", List{}), ElementsAre(HasSubstr("network_data_format::outputs")));
  EXPECT_THAT(metadata_faults(3), ElementsAre(HasSubstr("must be a dict")));
}

TEST(Metadata, SizesAreArithmeticOfNAndP) {
  EXPECT_EQ(spatial_size(96), 96);
  EXPECT_EQ(spatial_size("*", 1, 1, 7), 7);
  EXPECT_EQ(spatial_size("2**p*n", 4, 3), 48);
  for (const Value& bad : {Value("q"), Value("__import__('os')"), Value(0), Value(-3), Value("n - 1"), Value(1.5), Value(), Value("@n")})
    EXPECT_THROW((void)spatial_size(bad), Error) << bad.repr();
}

TEST(Metadata, MissingPropertiesOfAWorkflowAreNamed) {
  ConfigParser parser(
      parse_json(R"json({"bundle_root": ".", "device": "cpu", "dataset_dir": ".", "train": {"trainer": {"max_epochs": 1}, "dataset": 1},
    "_meta_": {"version": "1", "monai_version": "1", "pytorch_version": "1", "numpy_version": "1"}})json"));
  EXPECT_THAT(missing_properties(parser, "training"), ElementsAre("train_inferer (id train::inferer)"));
  EXPECT_THAT(missing_properties(parser, "eval"), ElementsAre("dataset", "evaluator", "network_def", "inferer"));
  EXPECT_THROW((void)missing_properties(parser, "dream"), Error);
}

}  // namespace
}  // namespace vesal::bundle
