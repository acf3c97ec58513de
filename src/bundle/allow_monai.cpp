// monai.utils and monai.data: seeds and lists of data.
#include <filesystem>
#include <random>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "bundle/allow.h"
#include "bundle/config.h"
#include "bundle/expr_runtime.h"
#include "bundle/resolver.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;

/// A path or a list of paths below `base`; with `check`, text stays as it is unless there is such a file.
Value below(const std::string& base, const Value& item, bool check) {
  if (item.is_list()) {
    List list;
    for (const Value& v : item.items()) list.items.push_back(below(base, v, check));
    return list;
  }
  if (!item.is_string() || item.as_string().empty()) return item;
  const std::string path = fs::path(fs::path(base) / item.as_string()).lexically_normal().string();
  std::error_code ec;
  return check && !fs::exists(path, ec) ? item : Value(path);
}

Value datalist(const Args& a) {
  const std::string file = path_text(a["data_list_file_path"]), key = a.get<std::string>("data_list_key");
  const Value held = with_context(file, [&] { return parse_json(read_text(file)); });
  const Value* list = held.is_dict() ? held.as_dict().find(key) : nullptr;
  if (!list) throw Error(ErrorKind::not_found, file + ": there is no list '" + key + "' in it");
  const std::string parent = fs::path(file).parent_path().string();
  const std::string base = a.is_none("base_dir") ? (parent.empty() ? "." : parent) : path_text(a["base_dir"]);
  const bool segmentation = a.get<bool>("is_segmentation");
  List out;
  for (const Value& entry : list->items()) {
    expr::spend();
    Value item = entry;
    if (key == "test" && entry.is_string()) item = Dict{{"image", entry}};
    if (!item.is_dict()) throw Error(ErrorKind::format, file + ": '" + key + "' holds a " + item.type_name() + " where a dict is expected");
    Dict paths;
    for (const auto& [k, v] : item.as_dict()) {
      const bool surely = k == Value("image") || (segmentation && k == Value("label"));
      paths[k] = below(base, v, !surely);
    }
    out.items.push_back(paths);
  }
  return out;
}

/// numpy.random.RandomState(seed).shuffle of 0..n-1, so that partitions are those of the peer (Mersenne Twister, masked rejection).
std::vector<std::int64_t> shuffled(std::int64_t n, std::uint32_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::mt19937 draw(seed);
  for (std::size_t i = order.size(); i-- > 1;) {
    std::uint32_t mask = static_cast<std::uint32_t>(i), j = 0;
    for (int shift : {1, 2, 4, 8, 16}) mask |= mask >> shift;
    do j = static_cast<std::uint32_t>(draw()) & mask;
    while (j > i);
    std::swap(order[i], order[j]);
  }
  return order;
}

Value partitions(const Args& a) {
  const std::vector<Value> data = drain(a["data"], 1u << 31);
  const auto n = static_cast<std::int64_t>(data.size());
  std::vector<std::int64_t> order = shuffled(a.get<bool>("shuffle") ? n : 0, a.get<std::uint32_t>("seed"));
  if (order.empty())
    for (std::int64_t i = 0; i < n; ++i) order.push_back(i);
  List parts;
  auto take = [&](std::int64_t begin, std::int64_t end, std::int64_t step) {
    List part;
    for (std::int64_t i = begin; i < end; i += step) part.items.push_back(data[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
    parts.items.emplace_back(std::move(part));
  };
  if (!a.is_none("ratios") && a["ratios"].truthy()) {
    const auto ratios = a.get<std::vector<double>>("ratios");
    double sum = 0;
    for (const double r : ratios) sum += r;
    std::int64_t next = 0;
    for (const double r : ratios) {
      const std::int64_t begin = next;
      const double count = r / sum * static_cast<double>(n) + 0.5;
      if (!(count >= 0 && count < 9e18)) expr::fail("ratios must not be negative");
      next = std::min(begin + static_cast<std::int64_t>(count), n);
      take(begin, next, 1);
    }
    return parts;
  }
  const std::int64_t count = a.is_none("num_partitions") ? 0 : a.get<std::int64_t>("num_partitions");
  const bool even = a.get<bool>("even_divisible"), drop = a.get<bool>("drop_last");
  if (count < 1) expr::fail("partition_dataset needs ratios or num_partitions");
  if (drop && !even) expr::fail("drop_last only goes with even_divisible");
  if (n < count) expr::fail(std::to_string(n) + " items do not fill " + std::to_string(count) + " partitions");
  const std::int64_t each = drop && n % count ? n / count : (n + count - 1) / count;
  const std::int64_t total = even ? each * count : n;
  for (std::int64_t i = 0; static_cast<std::int64_t>(order.size()) < total; ++i) order.push_back(order[static_cast<std::size_t>(i)]);
  for (std::int64_t i = 0; i < count; ++i) take(i, total, count);
  return parts;
}

Value folds(const Args& a) {
  const Value held = a["datalist"].is_dict() ? a["datalist"] : ConfigParser::load_config_file(path_text(a["datalist"]));
  const std::string base = path_text(a["basedir"]);
  auto placed = [&](const Value& v) -> Value {
    return v.is_string() && !v.as_string().empty() ? Value((fs::path(base) / v.as_string()).string()) : v;
  };
  List training, validation;
  for (const Value& item : held.as_dict().at(a["key"]).items()) {
    expr::spend();
    Dict d;
    for (const auto& [k, v] : item.as_dict()) {
      if (!v.is_list()) {
        d[k] = placed(v);
        continue;
      }
      List list;
      for (const Value& one : v.items()) list.items.push_back(placed(one));
      d[k] = list;
    }
    const Value* fold = item.as_dict().find("fold");
    (fold && *fold == a["fold"] ? validation : training).items.emplace_back(d);
  }
  return Tuple{{training, validation}};
}

const AllowBound determinism("monai.utils.set_determinism",
                             {optional("seed", 2147483647, "of every random transform and of initial weights"),
                              optional("use_deterministic_algorithms", nullptr, "ignored"), optional("additional_settings", nullptr, "ignored")},
                             [](const Args& a) {
                               if (!a.is_none("seed")) set_global_seed(static_cast<std::uint64_t>(a.get<std::int64_t>("seed")) % 4294967295u);
                               return Value();
                             });
const AllowBound load_datalist("monai.data.load_decathlon_datalist",
                               {required("data_list_file_path", "dataset.json"), optional("is_segmentation", true, "labels are files"),
                                optional("data_list_key", "training", "which list"), optional("base_dir", nullptr, "folder of the files")},
                               datalist);
const AllowBound partition("monai.data.partition_dataset",
                           {required("data", "a list"), optional("ratios", nullptr, "[8, 1, 1]"), optional("num_partitions", nullptr, "or how many"),
                            optional("shuffle", false, ""), optional("seed", 0, ""), optional("drop_last", false, ""),
                            optional("even_divisible", false, "all of one length")},
                           partitions);
const AllowBound datafold("monai.auto3dseg.utils.datafold_read",
                          {required("datalist", "a file or dict"), required("basedir", "folder of the files"),
                           optional("fold", 0, "left out for validation"), optional("key", "training", "which list")},
                          folds);
const AllowBound first("monai.utils.first", {required("iterable", ""), optional("default", nullptr, "of nothing")}, [](const Args& a) {
  const IteratorPtr it = iterate(a["iterable"]);
  const auto v = it->next();
  return v ? *v : a["default"];
});

}  // namespace
}  // namespace vesal::bundle
