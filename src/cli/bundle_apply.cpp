// vesal bundle apply: a configuration's transform lists on one item, and what they make of it as arrays.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "cli/config_options.h"
#include "image/formats.h"
#include "image/npy.h"
#include "infer/transform_list.h"
#include "transforms/channels.h"
#include "transforms/transform.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string ids = "preprocessing";
  std::vector<std::string> inputs;
  fs::path output;
};

std::vector<std::string> split(const std::string& text, char between) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == between) parts.emplace_back();
    else parts.back() += c;
  }
  std::erase(parts, "");
  return parts;
}

/// The image that tells where arrays of the same extents lie: "image", else the first there is.
std::shared_ptr<image::Image> place_in(const Dict& item) {
  if (const Value* found = item.find("image"))
    if (auto image = found->object<image::Image>()) return image;
  for (const auto& [key, value] : item)
    if (auto image = value.object<image::Image>()) return image;
  return nullptr;
}

/// A .npy file as an array [C, x, y, z], in the place of the item's image if it has the image's extents; any other file as an image.
Value loaded(const std::string& path, const Dict& item) {
  if (!path.ends_with(".npy")) {
    const image::Image stored = image::read_image(path);
    return image::to_value(transforms::channel_first(stored, stored.meta.at("original_channel_dim")));
  }
  const Array array = image::read_npy(path);
  const auto image = place_in(item);
  if (!image || array.dim() < 2) return array;
  const Shape own = array.shape(), there = image->shape();
  const bool same = own.size() == there.size() && std::equal(own.begin() + 1, own.end(), there.begin() + 1);
  return same ? image::to_value(image->with(array)) : Value(array);
}

Value shape_list(const auto& numbers) {
  List list;
  for (const auto n : numbers) list.items.emplace_back(n);
  return list;
}

void leave(const fs::path& folder, const std::string& key, const Value& value) {
  const auto image = value.object<image::Image>();
  const Array array = image::array_of(value);
  Dict facts{{"affine", Value()}, {"spacing", Value()}, {"shape", shape_list(array.shape())}, {"dtype", name_of(array.dtype())}};
  if (image) {
    List rows;
    for (const auto& row : image->affine.m) rows.items.push_back(shape_list(row));
    facts["affine"] = rows;
    facts["spacing"] = shape_list(image::spacing_of(image->affine));
  }
  image::write_npy(inside(folder, key + ".npy"), array);
  write_file(inside(folder, key + ".json"), to_json(facts) + "\n");
  if (!globals().json) fmt::print("{:<12} {:<24} {}\n", key, to_string(array.shape()), name_of(array.dtype()));
}

/// Every array of an item; of several items (random crops of one scan) each in a folder of its own. Returns the keys.
List leave_all(const fs::path& folder, const Value& result) {
  List keys;
  if (result.is_sequence()) {
    for (std::size_t i = 0; i < result.items().size(); ++i)
      for (const Value& key : leave_all(folder / std::to_string(i), result.items()[i]).items)
        keys.items.push_back(std::to_string(i) + "/" + key.str());
    return keys;
  }
  if (!result.is_dict()) throw Error(ErrorKind::unsupported, "the transforms give " + result.type_name() + " instead of an item");
  for (const auto& [key, value] : result.as_dict()) {
    if (!value.is_array() && !value.object<image::Image>()) continue;
    leave(folder, key.str(), value);
    keys.items.push_back(key);
  }
  return keys;
}

int run(ConfigOptions& config, const Options& o) {
  if (const auto words = config.words(); !words.empty())
    throw Error(ErrorKind::usage, "unexpected '" + words[0] + "'; inputs are given as --input KEY=FILE");
  bundle::ConfigParser parser = config.parser();
  const std::vector<std::string> ids = split(o.ids, ',');
  if (ids.empty()) throw Error(ErrorKind::usage, "--id names no transforms");

  const bundle::ParseOptions describe{.instantiate = false};
  std::vector<std::string> read_by_transforms;
  for (const std::string& id : ids)
    for (std::string& key : infer::loaded_keys(parser.get_parsed_content(id, describe))) read_by_transforms.push_back(std::move(key));

  Dict item;
  std::vector<std::pair<std::string, std::string>> arrays;
  for (const std::string& input : o.inputs) {
    const auto equals = input.find('=');
    if (equals == std::string::npos || equals == 0) throw Error(ErrorKind::usage, "--input " + input + ": want KEY=FILE");
    const std::string key = input.substr(0, equals), path = input.substr(equals + 1);
    if (std::find(read_by_transforms.begin(), read_by_transforms.end(), key) != read_by_transforms.end()) item[key] = path;
    else arrays.emplace_back(key, path);
  }

  Value data = item;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    // What no transform reads stands in the item before the last list: a prediction comes after the preprocessing.
    if (i + 1 == ids.size() && data.is_dict())
      for (const auto& [key, path] : arrays) data.mutable_dict()[key] = loaded(path, data.as_dict());
    with_context(ids[i], [&] {
      for (const Value& t : infer::flat_transforms(parser.get_parsed_content(ids[i])))
        if (!infer::is_saver(t)) data = transforms::apply(t, data);
    });
  }
  const List keys = leave_all(o.output, data);
  if (globals().json) fmt::print("{}\n", to_json(Dict{{"folder", o.output.string()}, {"keys", keys}}));
  return 0;
}

const RegisterCommand command({
    "bundle apply",
    "Run a configuration's transforms on one item and leave its arrays: what the network sees",
    "  vesal bundle apply --config_file configs/inference.json --id preprocessing --input image=ct.nii.gz -o seen\n"
    "  vesal bundle apply --config_file configs/inference.json --id preprocessing,postprocessing \\\n"
    "      --input image=ct.nii.gz --input pred=logits.npy -o out\n"
    "\n"
    "Leaves DIR/KEY.npy (C, x, y, z) and DIR/KEY.json (affine, spacing, shape, dtype) for each key that holds an array. An array\n"
    "given as .npy joins before the last list and lies where the image then lies. SaveImage steps are left out.",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto o = std::make_shared<Options>();
      config->add("id", o->ids, "Ids of transform lists, separated by commas");
      app.add_option("--input", o->inputs, "KEY=FILE: a scan, or an array as .npy")->required()->allow_extra_args(false);
      app.add_option("-o,--output", o->output, "Folder for the arrays")->required();
      return [config, o] { return run(*config, *o); };
    },
});

}  // namespace
}  // namespace vesal::cli
