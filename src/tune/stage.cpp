#include "tune/stage.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "tune/durable.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

std::string hash_of(const std::vector<HashedCase>& cases) {
  std::string all;
  for (const HashedCase& c : cases) all += c.source.id + '\0' + c.image_sha256 + c.label_sha256 + '\n';
  return sha256(all);
}

}  // namespace

Value to_value(const KeyedScores& s) {
  Dict out = to_value(s.scores).as_dict();
  out["mean"] = Dict{{"dice", s.interval.mean}, {"low", s.interval.low}, {"high", s.interval.high}};
  out["bundle_sha256"] = s.bundle_sha256;
  out["cases_sha256"] = s.cases_sha256;
  out["program_sha256"] = s.program_sha256;
  return out;
}

KeyedScores keyed_scores_of(const Value& value) {
  KeyedScores out;
  out.scores = set_scores_of(value);
  out.interval = judge::bootstrap_mean(out.scores.of_cases());
  const auto text = [&](const char* key) { return value.as_dict().at(key).as_string(); };
  out.bundle_sha256 = text("bundle_sha256");
  out.cases_sha256 = text("cases_sha256");
  out.program_sha256 = text("program_sha256");
  return out;
}

bool same_keys(const KeyedScores& a, const KeyedScores& b) {
  return a.bundle_sha256 == b.bundle_sha256 && a.cases_sha256 == b.cases_sha256 && a.program_sha256 == b.program_sha256;
}

KeyedScores keys_of(const fs::path& bundle, const std::vector<HashedCase>& cases, const Program& program) {
  KeyedScores out;
  out.bundle_sha256 = content_hash(bundle);
  out.cases_sha256 = hash_of(cases);
  out.program_sha256 = program.sha256;
  return out;
}

KeyedScores judge_bundle(const fs::path& bundle, const std::vector<HashedCase>& cases, const std::map<std::int64_t, std::string>& labels,
                         const std::string& device, const Program& program) {
  KeyedScores out = keys_of(bundle, cases, program);
  const infer::Segmenter segmenter({.bundle = bundle, .device = device, .overrides = {}});
  out.scores = scores_of(judge::evaluate(segmenter, case_set(cases, bundle, labels), {}));
  out.interval = judge::bootstrap_mean(out.scores.of_cases());
  return out;
}

Stage::Stage(const Model& model, const std::string& month, const std::string& fingerprint)
    : folder_(model.folder() / "months" / (month + "-" + fingerprint.substr(0, 12))), month_(month) {}

SetScores Stage::scores(const std::string& name, const fs::path& bundle, const std::vector<HashedCase>& cases,
                        const std::map<std::int64_t, std::string>& labels, const std::string& device, const Program& program) const {
  const fs::path file = folder_ / (name + ".json");
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    KeyedScores kept = keyed_scores_of(parse_json(read_text(file)));
    if (same_keys(kept, keys_of(bundle, cases, program))) return std::move(kept.scores);
  }
  KeyedScores fresh = judge_bundle(bundle, cases, labels, device, program);
  write_durably(file, to_json(to_value(fresh)) + "\n");
  step("increment: " + name);
  return std::move(fresh.scores);
}

void Stage::clear() const {
  std::error_code ec;
  std::vector<fs::path> stages;
  for (const auto& entry : fs::directory_iterator(folder_.parent_path(), ec)) {
    const std::string stage = entry.path().filename().string();
    if (stage.size() == month_.size() + 13 && stage.starts_with(month_ + "-")) stages.push_back(entry.path());
  }
  for (const fs::path& stage : stages) fs::remove_all(stage, ec);
}

}  // namespace vesal::tune
