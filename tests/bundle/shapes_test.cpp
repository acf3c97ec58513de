// The shapes of expression that occur in the model zoo: what Python gives for them, or how they are refused (data/shapes.json).
#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "bundle/config.h"
#include "paths.h"

namespace vesal::bundle {
namespace {

/// The working directory, for the time of a test.
class Within {
 public:
  explicit Within(const std::filesystem::path& folder) : before_(std::filesystem::current_path()) { std::filesystem::current_path(folder); }
  ~Within() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_;
};

ConfigParser with_expression(const Dict& all, const Value& references, const std::string& expression) {
  Dict config = references.as_dict();
  config["imports"] = all.at("imports");
  config["it"] = "$" + expression;
  return ConfigParser(config);
}

TEST(Shapes, EvaluateAsInPythonOrAreRefusedByName) {
  const Value data = parse_json(read_text(tests::data("bundle/data/shapes.json")));
  const Dict& all = data.as_dict();
  const tests::TempDir folder;
  const Within here(folder.path());
  for (const auto& [name, text] : all.at("files").as_dict()) write_file(name.as_string(), text.as_string());
  ASSERT_GT(all.at("rows").items().size(), 100u);
  const std::string refused = "refused: ";
  for (const Value& row : all.at("rows").items()) {
    const std::string expression = row.items()[1].as_string(), want = row.items()[2].as_string();
    SCOPED_TRACE(expression);
    ConfigParser parser = with_expression(all, row.items()[0], expression);
    try {
      const Value got = parser.get_parsed_content("it");
      if (want.starts_with(refused)) ADD_FAILURE() << "is not refused: " << got.repr();
      else EXPECT_EQ(got.repr(), want);
    } catch (const Error& e) {
      const std::string message = e.what();
      if (!want.starts_with(refused)) ADD_FAILURE() << message;
      EXPECT_THAT(message, testing::HasSubstr("'it': $" + expression.substr(0, 250)));
      EXPECT_THAT(message, testing::HasSubstr(want.substr(std::min(want.size(), refused.size()))));
      EXPECT_NE(e.kind(), ErrorKind::internal) << message;
    }
  }
  EXPECT_TRUE(std::filesystem::exists("list.json")) << "an expression has deleted a file";
}

}  // namespace
}  // namespace vesal::bundle
