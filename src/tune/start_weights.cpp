#include "tune/start_weights.h"

#include <algorithm>
#include <map>

#include "base/random.h"
#include "base/registry.h"
#include "judge/cases.h"

namespace vesal::tune {
namespace {

struct Built {
  Value object;
  bundle::StateDict state;
  std::vector<std::string> parameters;
};

Built build(const Dict& network_def) {
  CallArgs arguments;
  const std::string target = network_def.at("_target_").as_string();
  for (const auto& [key, value] : network_def)
    if (!key.as_string().starts_with("_")) arguments.named.emplace_back(key.as_string(), value);
  Built built{construct(components::get(target), arguments), {}, {}};
  const auto stateful = std::dynamic_pointer_cast<bundle::Stateful>(built.object.as_object());
  if (!stateful) throw Error(ErrorKind::config, target + " takes no weights");
  built.state = stateful->state_dict();
  const auto named = built.object.as_object()->attribute("named_parameters");
  if (!named) throw Error(ErrorKind::unsupported, target + " cannot be trained");
  const Value pairs = call_value(*named, {});
  for (const Value& pair : pairs.items()) built.parameters.push_back(pair.items().at(0).as_string());
  return built;
}

void check_fit(const Built& built, const BaseBundle& base, const bundle::StateDict& state) {
  with_context("weights " + base.weights.string(),
               [&] { std::dynamic_pointer_cast<bundle::Stateful>(built.object.as_object())->load_state_dict(state, true); });
}

/// Copies the entries of `from` to `to` whose places along the class axes are those of a class in both; returns how many entries.
std::int64_t copy_rows(Array& to, const Array& from, const std::vector<std::pair<std::int64_t, std::int64_t>>& rows, std::vector<int> axes) {
  if (axes.empty()) {
    to.copy_from(from);
    return to.numel();
  }
  const int axis = axes.back();
  axes.pop_back();
  std::int64_t copied = 0;
  for (const auto& [target, source] : rows) {
    Array part = to.slice(axis, target, target + 1);
    copied += copy_rows(part, from.slice(axis, source, source + 1), rows, axes);
  }
  return copied;
}

}  // namespace

std::int64_t StartWeights::weights(const std::vector<std::string>& names) const {
  std::map<std::string, std::int64_t> sizes;
  for (const auto& [name, array] : state) sizes[name] = array.numel();
  std::int64_t total = 0;
  for (const std::string& name : names) total += sizes[name];
  return total;
}

Dict with_out_channels(const BaseBundle& base, std::int64_t channels) {
  Dict def;
  for (const auto& [key, value] : base.network_def) def[key] = value;
  def["out_channels"] = channels;
  return def;
}

StartWeights own_weights(const BaseBundle& base) {
  StartWeights start;
  start.state = read_weights(base);
  const Built built = build(base.network_def);
  check_fit(built, base, start.state);
  start.parameters = start.copied = built.parameters;
  return start;
}

StartWeights transplanted_weights(const BaseBundle& base, const std::vector<std::string>& classes, std::uint64_t seed) {
  const bundle::StateDict old = read_weights(base);
  const Built own = build(base.network_def), wider = build(with_out_channels(base, base.out_channels + 1));
  check_fit(own, base, old);
  set_global_seed(seed);
  Built made = build(with_out_channels(base, static_cast<std::int64_t>(classes.size())));

  std::vector<std::pair<std::int64_t, std::int64_t>> rows;  // new channel, old channel
  StartWeights start;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto same =
        std::find_if(base.classes.begin(), base.classes.end(), [&](const std::string& name) { return judge::same_name(name, classes[c]); });
    if (same == base.classes.end() || base.overlapping) continue;
    rows.emplace_back(static_cast<std::int64_t>(c), same - base.classes.begin());
    start.kept_classes.push_back(classes[c]);
  }
  std::map<std::string, Array> before(old.begin(), old.end());
  std::map<std::string, Shape> narrow, wide;
  for (const auto& [name, array] : own.state) narrow[name] = array.shape();
  for (const auto& [name, array] : wider.state) wide[name] = array.shape();
  std::map<std::string, bool> whole;
  for (auto& [name, array] : made.state) {
    const Array& source = before.at(name);
    std::vector<int> axes;
    bool rowwise = true;  // false: an extent hangs on the number of classes, but is not that number
    for (std::size_t d = 0; d < narrow[name].size(); ++d) {
      if (narrow[name][d] == wide[name][d]) continue;
      axes.push_back(static_cast<int>(d));
      rowwise = rowwise && narrow[name][d] == base.out_channels;
    }
    Array target = array.contiguous().clone();
    whole[name] = rowwise && copy_rows(target, source, rows, axes) == target.numel();
    start.state.emplace_back(name, target);
  }
  start.parameters = made.parameters;
  for (const std::string& name : made.parameters) (whole[name] ? start.copied : start.fresh).push_back(name);
  return start;
}

}  // namespace vesal::tune
