// What `vesal info` says about a scan.
#include <fmt/format.h>

#include "cli/info.h"
#include "image/dicom_files.h"
#include "image/formats.h"
#include "image/statistics.h"

namespace vesal::cli {
namespace {

const std::vector<double> kPercents{1, 5, 25, 50, 75, 95, 99};

Value numbers(const auto& values) {
  List list;
  for (const auto v : values) list.items.emplace_back(v);
  return Value(std::move(list));
}

/// Of a file, or of all those in a folder (a DICOM study).
std::uintmax_t bytes_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return std::filesystem::file_size(path);
  std::uintmax_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file()) sum += entry.file_size();
  return sum;
}

Dict describe(const std::filesystem::path& path) {
  const image::Image scan = image::read_image(path);
  Dict facts{{"kind", "scan"},
             {"file", path.string()},
             {"file_bytes", bytes_of(path)},
             {"format", image::format_of(path).name},
             {"shape", numbers(scan.shape())},
             {"dtype", scan.meta.at("dtype_on_disk")}};
  if (scan.meta.contains("original_affine")) {  // the file says where its voxels are
    List rows;
    for (const auto& row : scan.affine.m) rows.items.emplace_back(numbers(row));
    facts["spacing_mm"] = numbers(image::spacing_of(scan.affine));
    facts["orientation"] = image::axcodes(image::orientation_of(scan.affine));
    facts["affine"] = std::move(rows);
  }
  const image::Statistics s = image::statistics_of(scan.array(), kPercents);
  Dict percentiles;
  for (std::size_t i = 0; i < kPercents.size(); ++i) percentiles[fmt::format("{}", kPercents[i])] = s.percentiles[i];
  facts["intensity"] = Dict{
      {"min", s.min}, {"max", s.max}, {"mean", s.mean}, {"std", s.standard_deviation}, {"percentiles", percentiles}, {"not_finite", s.not_finite}};
  return facts;
}

std::string joined(const Value& list, const char* between) {
  std::string text;
  for (const Value& v : list.items()) text += (text.empty() ? "" : between) + (v.is_int() ? v.str() : fmt::format("{:.6g}", v.as_float()));
  return text;
}

std::string print(const Dict& facts) {
  const auto line = [](const char* name, const std::string& value) { return fmt::format("{:<13}{}\n", name, value); };
  std::string text = line("scan", facts.at("file").as_string());
  text += line("format", fmt::format("{}, {:.1f} MB", facts.at("format").as_string(), facts.at("file_bytes").as_float() / 1e6));
  text += line("voxels", joined(facts.at("shape"), " x ") + ", " + facts.at("dtype").as_string());
  if (const Value* spacing = facts.find("spacing_mm")) {
    text += line("spacing", joined(*spacing, " x ") + " mm");
    text += line("orientation", facts.at("orientation").as_string());
    const char* name = "affine";
    for (const Value& row : facts.at("affine").items()) {
      std::string cells;
      for (const Value& v : row.items()) cells += fmt::format("{:>12.5g}", v.as_float());
      text += line(name, cells);
      name = "";
    }
  }
  const Dict& s = facts.at("intensity").as_dict();
  const auto number = [&](const char* key) { return fmt::format("{:.6g}", s.at(key).as_float()); };
  text += line("intensity", number("min") + " to " + number("max") + ", mean " + number("mean") + ", standard deviation " + number("std"));
  std::string percentiles;
  for (const auto& [percent, value] : s.at("percentiles").as_dict())
    percentiles += (percentiles.empty() ? "" : ", ") + percent.str() + "%: " + fmt::format("{:.6g}", value.as_float());
  text += line("percentiles", percentiles);
  if (const auto n = s.at("not_finite").as_int(); n > 0) text += line("not finite", std::to_string(n) + " voxels are NaN or infinite");
  return text;
}

const RegisterDescriber registered({.kind = "scan",
                                    .priority = 0,
                                    .matches =
                                        [](const std::filesystem::path& path) {
                                          std::error_code ignored;
                                          return std::filesystem::is_regular_file(path, ignored) || image::holds_dicom(path);
                                        },
                                    .describe = describe,
                                    .print = print});

}  // namespace
}  // namespace vesal::cli
