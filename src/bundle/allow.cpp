#include "bundle/allow.h"

namespace vesal::bundle {

AllowBound::AllowBound(std::initializer_list<std::string> dotted, std::vector<Param> params, std::function<Value(const Args&)> body) {
  for (const std::string& name : dotted)
    allowed::add(name, make_function(name, [name, params, body](const CallArgs& call) { return body(bind(name, params, call)); }));
}

std::string path_text(const Value& v) {
  if (const auto path = v.object<PathObject>()) return path->path.string();
  return v.as_string();
}

}  // namespace vesal::bundle
