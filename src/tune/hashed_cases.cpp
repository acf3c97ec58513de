#include "tune/hashed_cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cancel.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "image/formats.h"
#include "judge/scoring.h"
#include "tune/durable.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

/// Runs body(i) for each case, several at a time, with a bar.
template <class Body>
void for_each_case(const char* title, std::size_t count, Body&& body) {
  Progress progress(title, static_cast<std::int64_t>(count));
  parallel_for(static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      check_cancelled();
      body(static_cast<std::size_t>(i));
      progress.advance();
    }
  });
}

fs::path existing(const fs::path& path) {
  std::error_code ec;
  const fs::path real = fs::canonical(path, ec);
  if (ec) throw Error(ErrorKind::not_found, path.string() + ": " + ec.message());
  return real;
}

/// What is wrong with a file that had this hash; "" if nothing is.
std::string change_of(const fs::path& path, const std::string& sha256) {
  try {
    return content_hash(path) == sha256 ? "" : path.string() + " has changed";
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    return e.what();
  }
}

std::string stored_path(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return relative.empty() || *relative.begin() == ".." ? path.string() : relative.string();
}

std::string text_at(const Dict& dict, const char* key) {
  const Value* found = dict.find(key);
  if (!found || !found->is_string() || found->as_string().empty()) throw Error(ErrorKind::format, fmt::format("a case without '{}'", key));
  return found->as_string();
}

}  // namespace

std::string content_hash(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return sha256_file(path);
  std::string all;
  for (const HashedFile& f : hash_files(path)) all += f.path + '\0' + f.sha256 + '\n';
  return sha256(all);
}

std::vector<HashedCase> hash_cases(const judge::CaseSet& cases) {
  std::vector<HashedCase> out(cases.cases.size());
  for_each_case("hashing", out.size(), [&](std::size_t i) {
    HashedCase& c = out[i];
    c.source = cases.cases[i];
    if (c.source.image.empty() || c.source.label.empty())
      throw Error(ErrorKind::not_found, "case " + c.source.id + " has no " + (c.source.image.empty() ? "scan" : "label"));
    c.source.image = existing(c.source.image);
    c.source.label = existing(c.source.label);
    c.image_sha256 = content_hash(c.source.image);
    c.label_sha256 = content_hash(c.source.label);
  });
  return out;
}

void map_labels(std::vector<HashedCase>& cases, const judge::LabelMap& map, const fs::path& folder) {
  if (map.empty()) return;
  std::string rule;
  for (const auto& [from, to] : map) rule += fmt::format("{}:{},", from, to);
  for_each_case("labels", cases.size(), [&](std::size_t i) {
    HashedCase& c = cases[i];
    const fs::path file = folder / (sha256(c.label_sha256 + " " + rule) + ".nii.gz");
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
      image::Image label = image::read_image(c.source.label);
      const Array mapped = with_context(c.source.label.filename().string(), [&] { return judge::mapped_labels(label.array(), map); });
      image::write_image(file, image::Image(mapped, label.affine));
      sync_path(file);
    }
    c.source.label = file;
    c.label_sha256 = content_hash(file);
  });
}

std::vector<std::string> changed_files(const std::vector<HashedCase>& cases) {
  std::vector<std::string> per_case(cases.size());
  for_each_case("checking files", cases.size(), [&](std::size_t i) {
    per_case[i] = change_of(cases[i].source.image, cases[i].image_sha256);
    if (per_case[i].empty()) per_case[i] = change_of(cases[i].source.label, cases[i].label_sha256);
  });
  std::erase(per_case, "");
  return per_case;
}

Value to_value(const std::vector<HashedCase>& cases, const fs::path& folder) {
  List list;
  for (const HashedCase& c : cases)
    list.items.push_back(Dict{{"id", c.source.id},
                              {"image", stored_path(c.source.image, folder)},
                              {"label", stored_path(c.source.label, folder)},
                              {"image_sha256", c.image_sha256},
                              {"label_sha256", c.label_sha256}});
  return list;
}

std::vector<HashedCase> hashed_cases_of(const Value& value, const fs::path& folder) {
  if (!value.is_list()) throw Error(ErrorKind::format, "no list of cases");
  std::vector<HashedCase> out;
  for (const Value& v : value.items()) {
    if (!v.is_dict()) throw Error(ErrorKind::format, "an entry that is no case");
    const Dict& d = v.as_dict();
    HashedCase c;
    c.source.id = text_at(d, "id");
    c.source.image = folder / text_at(d, "image");  // an absolute path stays as it is
    c.source.label = folder / text_at(d, "label");
    c.image_sha256 = text_at(d, "image_sha256");
    c.label_sha256 = text_at(d, "label_sha256");
    out.push_back(std::move(c));
  }
  return out;
}

judge::CaseSet case_set(const std::vector<HashedCase>& cases, const fs::path& source, const std::map<std::int64_t, std::string>& labels) {
  judge::CaseSet set;
  set.labels = labels;
  set.source = source;
  set.layout = "registry";
  for (const HashedCase& c : cases) set.cases.push_back(c.source);
  return set;
}

}  // namespace vesal::tune
