// The configuration language, compared with what MONAI's ConfigParser makes of the same files (data/config.json), and what goes
// beyond it.
#include "bundle/config.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "paths.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<fs::path> written(const tests::TempDir& folder, const Value& files, const Value* names) {
  std::vector<fs::path> paths;
  if (files.is_dict())
    for (const auto& [name, text] : files.as_dict()) write_file(folder / name.as_string(), text.as_string());
  if (names)
    for (const Value& name : names->items()) paths.push_back(folder / name.as_string());
  return paths;
}

/// Dicts print in their order, which "_meta_" may differ in; so values are compared, not texts.
void expect_same(ConfigParser& parser, const std::string& id, const std::string& want) {
  SCOPED_TRACE(id);
  try {
    const Value got = parser.get_parsed_content(id);
    if (want == "!") ADD_FAILURE() << "an error is expected, got " << got.repr();
    else if (got.repr() != want) {
      ConfigParser other(Dict{{"want", "$" + want}});
      EXPECT_EQ(got, other.get_parsed_content("want")) << got.repr() << " instead of " << want;
    }
  } catch (const Error& e) {
    if (want != "!") ADD_FAILURE() << e.what();
    EXPECT_THAT(e.what(), HasSubstr("'"));
  }
}

TEST(Config, GivesWhatMonaiGives) {
  const Value cases = parse_json(read_text(tests::data("bundle/data/config.json")));
  ASSERT_GT(cases.items().size(), 50u);
  for (const Value& c : cases.items()) {
    const Dict& d = c.as_dict();
    SCOPED_TRACE(d.at("name").as_string());
    const tests::TempDir folder;
    const auto files = written(folder, d.at("files"), &d.at("read"));
    const Value& want = d.at("want");
    ConfigParser parser;
    auto read = [&] {
      parser.read_config(files);
      if (const Value* meta = d.find("meta")) parser.read_meta(written(folder, {}, meta));
      if (const Value* pairs = d.find("set"))
        for (const Value& pair : pairs->items()) parser.update(pair.items()[0].as_string(), pair.items()[1]);
    };
    if (want.is_string()) {
      EXPECT_THROW(read(), Error);
      continue;
    }
    ASSERT_NO_THROW(read());
    for (const Value& pair : want.items()) expect_same(parser, pair.items()[0].as_string(), pair.items()[1].as_string());
  }
}

ConfigParser parsed(const std::string& json) { return ConfigParser(parse_json(json)); }

std::string error_of(ConfigParser& parser, const std::string& id, ErrorKind kind) {
  try {
    (void)parser.get_parsed_content(id);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), kind) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(Config, MacrosInsideMacrosAreReplaced) {
  ConfigParser parser = parsed(R"json({"A": "%B", "B": "%C#0", "C": [[1, 2]]})json");
  EXPECT_EQ(parser.get_parsed_content("A").repr(), "[1, 2]");
}

TEST(Config, AMacroInsideItselfIsAnError) {
  for (const char* json : {R"json({"A": "%A"})json", R"json({"A": "%B", "B": "%A"})json", R"json({"A": {"x": "%A"}})json"}) {
    ConfigParser parser = parsed(json);
    EXPECT_THROW((void)parser.get_parsed_content("A"), Error) << json;
  }
}

TEST(Config, PlusOfTheCommandLineMerges) {
  ConfigParser parser = parsed(R"json({"A": {"b": 1}, "L": [1]})json");
  parser.override_with("+A", "{'c': [x, y]}");
  parser.override_with("+L", "[2]");
  EXPECT_EQ(parser.get_parsed_content("A").repr(), "{'b': 1, 'c': ['x', 'y']}");
  EXPECT_EQ(parser.get_parsed_content("L").repr(), "[1, 2]");
}

TEST(Config, YamlMergeKeysAndKeysThatAreNumbers) {
  const tests::TempDir folder;
  write_file(folder / "a.yaml", "base: &base {x: 1, y: 2}\nmore:\n  <<: *base\n  y: 3\n1: a\nr: '@1'\n");
  ConfigParser parser;
  parser.read_config({folder / "a.yaml"});
  EXPECT_EQ(parser.get_parsed_content("more::y").repr(), "3");
  EXPECT_EQ(parser.get_parsed_content("more::x").repr(), "1");
  EXPECT_EQ(parser.get_parsed_content("r").repr(), "'a'");
}

TEST(Config, TextOfTheCommandLineIsReadAsFireReadsIt) {
  ConfigParser parser = parsed("{}");
  for (const auto& [text, want] : {std::pair{"3", "3"},
                                   {"-1", "-1"},
                                   {"1e-3", "0.001"},
                                   {"True", "True"},
                                   {"true", "'true'"},
                                   {"None", "None"},
                                   {"'3'", "'3'"},
                                   {"cuda:0", "'cuda:0'"},
                                   {"a b", "'a b'"},
                                   {"/data/scans", "'/data/scans'"},
                                   {"[1, 2]", "[1, 2]"},
                                   {"(1, 2)", "(1, 2)"},
                                   {"[a, 'b', 3]", "['a', 'b', 3]"},
                                   {"{a: 1}", "{'a': 1}"},
                                   {"1-2", "'1-2'"},
                                   {"a-b", "'a-b'"},
                                   {"", "''"}}) {
    parser.override_with("x", text);
    EXPECT_EQ(parser.get("x").repr(), want) << text;
  }
  parser.override_with("y", "$1 + 2");
  EXPECT_EQ(parser.get_parsed_content("y").repr(), "3");
}

TEST(Config, ErrorsNameFileIdAndExpression) {
  const tests::TempDir folder;
  write_file(folder / "bad.json", R"json({"a": "$1 / 0", "b": {"c": ["$os.system('id')"]}, "d": "$(1"})json");
  ConfigParser parser;
  parser.read_config({folder / "bad.json"});
  EXPECT_THAT(error_of(parser, "a", ErrorKind::config), testing::AllOf(HasSubstr("bad.json: 'a': $1 / 0: "), HasSubstr("zero")));
  EXPECT_THAT(error_of(parser, "b", ErrorKind::refused), HasSubstr("bad.json: 'b::c::0': $os.system('id'): 'os.system' is not on the allow-list"));
  EXPECT_THAT(error_of(parser, "d", ErrorKind::config), HasSubstr("bad.json: 'd': $(1: "));
}

TEST(Config, ACycleIsShown) {
  ConfigParser parser = parsed(R"json({"A": "@B", "B": "@C", "C": "$@A + 1"})json");
  EXPECT_THAT(error_of(parser, "A", ErrorKind::config), HasSubstr("@A -> @B -> @C -> @A"));
}

TEST(Config, MissingIdsAndComponentsComeWithASuggestion) {
  ConfigParser parser = parsed(R"json({"network_def": 1, "A": "@netwrk_def", "B": {"_target_": "sortd"}, "C": {"_target_": "scripts.net.Net"}})json");
  EXPECT_THAT(error_of(parser, "A", ErrorKind::not_found), HasSubstr("did you mean network_def?"));
  EXPECT_THAT(error_of(parser, "network_de", ErrorKind::not_found), HasSubstr("did you mean network_def?"));
  EXPECT_THAT(error_of(parser, "B", ErrorKind::not_found), HasSubstr("no component 'sortd'"));
  EXPECT_THAT(error_of(parser, "C", ErrorKind::refused), HasSubstr("Python code of the bundle"));
}

TEST(Config, RunsListsItemByItemAndEachTimeAnew) {
  ConfigParser parser = parsed(R"json({"l": "$list()", "run": ["$@l.append(1)", "$len(@l)"], "one": "$@l.append(2)"})json");
  EXPECT_EQ(parser.run_expressions("run").back().repr(), "1");
  EXPECT_EQ(parser.run_expressions("run").back().repr(), "2");
  EXPECT_EQ(parser.run_expressions("one").size(), 1u);
  EXPECT_EQ(parser.get_parsed_content("l").repr(), "[1, 1, 2]");
  EXPECT_TRUE(parser.run_expressions("finalize").empty());
}

TEST(Config, WithoutInstantiatingComponentsStayDicts) {
  ConfigParser parser = parsed(R"json({"n": 2, "net": {"_target_": "NoSuchNet", "width": "$@n * 2", "_disabled_": false}, "moved": "$@net.to('cpu')",
                                   "used": "$@net.parameters()", "l": ["@net", "$@n + 1"], "bad": "$1 / 0"})json");
  const ParseOptions options{.instantiate = false, .keep_going = true};
  EXPECT_EQ(parser.get_parsed_content("net", options).repr(), "{'_target_': 'NoSuchNet', 'width': 4, '_disabled_': False}");
  EXPECT_EQ(parser.get_parsed_content("moved", options).as_dict().at("width").repr(), "4");
  EXPECT_EQ(parser.get_parsed_content("used", options).repr(), "'$@net.parameters()'");
  EXPECT_EQ(parser.get_parsed_content("l", options).items()[1].repr(), "3");
  const Value whole = parser.get_parsed_content("", options);
  EXPECT_THAT(whole.as_dict().at("bad").as_dict().at("_error_").as_string(), HasSubstr("zero"));
}

}  // namespace
}  // namespace vesal::bundle
