// Expressions of scalars, strings and containers, compared with Python's own answers in data/expr.json.
#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "bundle/expr_eval.h"
#include "paths.h"

namespace vesal::bundle::expr {
namespace {

class NoNames : public Environment {
 public:
  std::optional<Value> name(const std::string&) const override { return std::nullopt; }
  Value reference(const std::string& id) const override { throw Error(ErrorKind::config, "no reference " + id); }
};

Value run(const std::string& source) { return evaluate(parse(source), std::make_shared<NoNames>()); }

TEST(Expression, GivesWhatPythonGives) {
  const Value cases = parse_json(read_text(tests::data("bundle/data/expr.json")));
  ASSERT_GT(cases.items().size(), 200u);
  for (const Value& c : cases.items()) {
    const std::string source = c.items()[0].as_string(), want = c.items()[1].as_string();
    SCOPED_TRACE(source);
    if (want == "!") EXPECT_THROW(run(source), Error);
    else {
      try {
        EXPECT_EQ(run(source).repr(), want);
      } catch (const Error& e) { ADD_FAILURE() << e.what(); }
    }
  }
}

}  // namespace
}  // namespace vesal::bundle::expr
