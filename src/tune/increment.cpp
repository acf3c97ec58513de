#include "tune/increment.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "bundle/bundle_folder.h"
#include "tune/durable.h"
#include "tune/file_lock.h"
#include "tune/stage.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

using Labels = std::map<std::int64_t, std::string>;

List list_of(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& t : texts) list.items.emplace_back(t);
  return list;
}

std::string some(const std::vector<std::string>& texts) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(texts.size(), 3); ++i) out += (i ? "; " : "") + texts[i];
  return texts.size() > 3 ? out + fmt::format("; and {} more", texts.size() - 3) : out;
}

Outcome outcome_of(const std::string& name) {
  for (const Outcome o : {Outcome::accepted, Outcome::findings, Outcome::suspects})
    if (name == name_of(o)) return o;
  return Outcome::rejected;
}

/// One increment on its way.
class Month {
 public:
  Month(const Model& model, const IncrementOptions& options, const Program& program)
      : model_(model), options_(options), program_(program), state_(model.state()), reference_(model.cases(state_.reference)) {}

  IncrementResult run() {
    check_registry();
    std::vector<HashedCase> fresh = hash_cases(options_.data);
    map_labels(fresh, options_.label_map, model_.folder() / "labels");
    request_ = request_hash(state_, fresh, options_);
    if (auto before = decided_before()) return *before;
    check_month_is_new();
    plan_ = plan_month(state_, std::move(fresh), pool_, options_);
    stage_.emplace(model_, plan_.month, plan_.fingerprint);
    report_plan();
    if (auto refused = gate()) return *refused;
    judge_champion();
    if (auto refused = look_at_labels()) return *refused;
    train();
    return compare_and_decide();
  }

 private:
  void check_registry() {
    if (const auto changed = changed_files(reference_); !changed.empty())
      throw Error(ErrorKind::refused, "the frozen reference set of " + model_.name() + " is no longer what it was: " + some(changed) +
                                          ". Put the files back: scores could not be compared any more");
    pool_ = model_.pool(state_);
    if (const auto changed = changed_files(pool_); !changed.empty())
      throw Error(ErrorKind::refused, "cases that are to be replayed are no longer what they were: " + some(changed) +
                                          ". Put the files back, or bring corrected cases as new ones");
  }

  /// The decision on the same request, if it still holds: an accepted month while its version is the champion or what that came from, the others
  /// as long as the champion they were measured against is there. A refusal of labels is open to --accept-anyway.
  std::optional<IncrementResult> decided_before() const {
    for (auto entry = state_.journal.rbegin(); entry != state_.journal.rend(); ++entry) {
      if (entry->event() != "increment" || entry->text("request") != request_) continue;
      IncrementResult out;
      out.outcome = outcome_of(entry->text("outcome"));
      if (out.outcome == Outcome::suspects && !options_.accept_anyway.empty()) continue;
      if (out.outcome == Outcome::accepted ? !learned(entry->text("version")) : entry->text("parent") != state_.champion()) continue;
      out.decided_before = true;
      out.entry = *entry;
      for (const Value& reason : entry->value.as_dict().at("reasons").items()) out.reasons.push_back(reason.str());
      if (out.outcome == Outcome::accepted || out.outcome == Outcome::rejected)
        Stage(model_, options_.month, entry->text("fingerprint")).clear();  // a crash may have left it
      return out;
    }
    return std::nullopt;
  }

  bool learned(const std::string& version) const {
    for (const VersionInfo* v : state_.lineage(state_.champion()))
      if (v->version == version) return true;
    return false;
  }

  void check_month_is_new() const {
    for (const VersionInfo* v : state_.lineage(state_.champion()))
      if (v->month == options_.month)
        throw Error(ErrorKind::usage, fmt::format("month {} of {} was learned already (version {}); give further cases a --month of their own",
                                                  options_.month, model_.name(), v->version));
  }

  void report_plan() const {
    if (!plan_.known.empty()) log::info("{} cases are learned already and left out: {}", plan_.known.size(), some(plan_.known));
    log::info("{} new cases: {} train, {} choose the epoch, {} judge; {} of the pool are replayed", plan_.cases.size(),
              plan_.of(Part::training).size(), plan_.of(Part::validation).size(), plan_.of(Part::judging).size(), plan_.replay.size());
    Dict cases;
    for (std::size_t i = 0; i < plan_.cases.size(); ++i) cases[plan_.cases[i].source.id] = name_of(plan_.parts[i]);
    write_durably(stage_->folder() / "plan.json", to_json(Dict{{"month", plan_.month},
                                                               {"parent", plan_.parent},
                                                               {"version", plan_.version},
                                                               {"fingerprint", plan_.fingerprint},
                                                               {"cases", cases},
                                                               {"options", to_value(options_)}}) +
                                                      "\n");
    step("increment: planned");
  }

  std::optional<IncrementResult> gate() {
    std::vector<judge::Finding> findings;
    for (const HashedCase& c : plan_.cases)
      for (const HashedCase& r : reference_)
        if (c.image_sha256 == r.image_sha256)
          findings.push_back({judge::Severity::error, "leak", c.source.id, c.source.image,
                              "the same file as " + r.source.id + " of the frozen reference set, which must never train", "leave the case out",
                              judge::Fix::drop});
    if (findings.empty()) {
      judge::GateOptions gate;
      gate.declared = classes();
      gate.modality = options_.data.modality;
      findings = judge::check_dataset(case_set(plan_.cases, options_.data.source), case_set(reference_, model_.folder()), gate);
      std::erase_if(findings, [&](const judge::Finding& f) { return !concerns_new_cases(f); });
    }
    const bool sure = !options_.accept_anyway.empty();
    std::vector<std::string> reasons;
    for (const judge::Finding& f : findings) {
      const bool counts = f.severity == judge::Severity::error && !(sure && f.rule == "anatomy");
      if (counts) reasons.push_back((f.file.empty() ? "" : f.file.string() + ": ") + f.message);
      else if (f.severity != judge::Severity::note) log::warning("{}: {}", f.file.filename().string(), f.message);
    }
    if (reasons.empty()) return std::nullopt;
    IncrementResult out = refuse(Outcome::findings, reasons, "findings", judge::to_value(findings));
    out.findings = findings;
    return out;
  }

  bool concerns_new_cases(const judge::Finding& f) const {
    if (f.rule == "count" || (f.rule == "classes" && f.file.empty())) return false;  // a month may lack a class
    return std::none_of(reference_.begin(), reference_.end(),
                        [&](const HashedCase& r) { return f.file == r.source.image || f.file == r.source.label; }) ||
           f.rule == "leak";
  }

  Labels classes() const {
    const bundle::BundleFacts facts = bundle::read_bundle_facts(champion());
    Labels names = facts.output_channels;
    if (!facts.has_background() && names.size() == 1) return {{1, names.begin()->second}};
    names.erase(0);
    return names;
  }

  fs::path champion() const { return model_.version_folder(plan_.parent); }
  fs::path challenger() const { return stage_->folder() / "challenger"; }

  void judge_champion() {
    champion_reference_ = registered_scores().value_or(SetScores{});
    if (champion_reference_.cases.empty())
      champion_reference_ = stage_->scores("champion_reference", champion(), reference_, {}, options_.training.device, program_);
    for (std::size_t k = 0; k < champion_reference_.labels.size(); ++k) labels_[champion_reference_.labels[k]] = champion_reference_.names[k];
    champion_fresh_ = stage_->scores("champion_new", champion(), plan_.cases, labels_, options_.training.device, program_);
    log::info("champion {}: Dice {:.4f} on the reference set, {:.4f} on the new cases", plan_.parent, champion_reference_.mean(),
              champion_fresh_.mean());
  }

  /// What was measured when the champion was registered, if it was by this program.
  std::optional<SetScores> registered_scores() const {
    const VersionInfo& version = state_.version(plan_.parent);
    if (version.scores.empty()) return std::nullopt;
    KeyedScores kept = keyed_scores_of(model_.object(version.scores));
    if (!same_keys(kept, keys_of(champion(), reference_, program_))) return std::nullopt;
    return std::move(kept.scores);
  }

  std::optional<IncrementResult> look_at_labels() {
    screening_ = screen(champion_fresh_, champion_reference_);
    for (const std::string& name : screening_.blind)
      log::warning("the champion is too weak in {} to tell whether new labels are right: only the reference set protects it", name);
    if (screening_.suspects.empty()) return std::nullopt;
    std::vector<std::string> reasons;
    for (const Suspect& s : screening_.suspects)
      reasons.push_back(fmt::format("{}: the champion agrees with the label of {} at Dice {:.3f} only (at least {:.3f} is expected): look at it",
                                    s.id, s.name, s.dice, s.threshold));
    if (!options_.accept_anyway.empty()) {
      log::warning("{} labels look wrong; accepted because: {}", screening_.suspects.size(), options_.accept_anyway);
      return std::nullopt;
    }
    IncrementResult out = refuse(Outcome::suspects, reasons, "screening", to_value(screening_));
    out.screening = screening_;
    return out;
  }

  void train() {
    std::error_code ec;
    if (fs::exists(challenger(), ec)) return;  // finished before
    TuningOptions tuning = options_.training;
    const fs::path unfinished = challenger().string() + ".unfinished";
    tuning.resume = fs::exists(unfinished / "configs/train.json", ec);
    if (!tuning.resume) fs::remove_all(unfinished, ec);
    tuning.bundle = champion();
    tuning.output = challenger();
    tuning.version = plan_.version;
    tuning.label_map = {};  // the labels have the bundle's numbers already
    std::vector<HashedCase> validation = plan_.of(Part::validation);
    if (validation.empty()) validation = plan_.of(Part::training);
    validation.insert(validation.end(), plan_.replay_validation.begin(), plan_.replay_validation.end());
    tuning.training = case_set(plan_.of(Part::training), options_.data.source, labels_);
    tuning.validation = with_unique_ids(case_set(validation, options_.data.source, labels_));
    tuning.replay = case_set(plan_.replay, model_.folder(), labels_);
    if (plan_.replay.empty()) tuning.replay_share = 0;
    tuning.start_counts = plan_.replay_validation.empty();  // the champion has learned the pool: there nothing seems as good as it
    const TuningResult result = tune(tuning);
    log::info("trained: best epoch {} of {}", result.best_epoch, result.epochs);
    step("increment: trained");
  }

  static judge::CaseSet with_unique_ids(judge::CaseSet set) {
    std::map<std::string, int> seen;
    for (judge::LabelledCase& c : set.cases)
      if (const int n = seen[c.id]++; n > 0) c.id += fmt::format("-{}", n + 1);
    return set;
  }

  IncrementResult compare_and_decide() {
    const std::string& device = options_.training.device;
    const SetScores reference = stage_->scores("challenger_reference", challenger(), reference_, labels_, device, program_);
    const std::vector<HashedCase> judging = plan_.of(Part::judging);
    const SetScores fresh = stage_->scores("challenger_new", challenger(), judging, labels_, device, program_);
    const Comparison on_reference = compare(reference, champion_reference_, options_.margin);
    const Comparison on_fresh = compare(fresh, part_of(champion_fresh_, judging), options_.margin);
    const Acceptance decision = decide(on_reference, on_fresh, options_.margin);

    const Outcome outcome = decision.accepted ? Outcome::accepted : Outcome::rejected;
    Dict what = facts(outcome, decision.reasons);
    const KeyedScores registered = keyed_scores_of(parse_json(read_text(stage_->folder() / "challenger_reference.json")));
    what["data"] = model_.put_object(to_value(plan_.cases, model_.folder()));
    what["scores"] = model_.put_object(to_value(registered));
    what["reference_dice"] = Dict{{"dice", registered.interval.mean}, {"low", registered.interval.low}, {"high", registered.interval.high}};
    what["on_reference"] = to_value(on_reference);
    what["on_new"] = to_value(on_fresh);
    what["comparison"] = model_.put_object(Dict{{"champion_reference", to_value(champion_reference_)},
                                                {"challenger_reference", to_value(reference)},
                                                {"champion_new", to_value(champion_fresh_)},
                                                {"challenger_new", to_value(fresh)}});
    what["screening"] = model_.put_object(to_value(screening_));
    IncrementResult out;
    out.outcome = outcome;
    out.reasons = decision.reasons;
    out.screening = screening_;
    out.entry = model_.add_version(challenger(), plan_.version, "increment", what, decision.accepted, plan_.parent, program_);
    stage_->clear();
    step("increment: cleared");
    return out;
  }

  static SetScores part_of(const SetScores& all, const std::vector<HashedCase>& cases) {
    SetScores out = all;
    out.cases.clear();
    out.dice.clear();
    for (const HashedCase& c : cases)
      for (std::size_t i = 0; i < all.cases.size(); ++i)
        if (all.cases[i] == c.source.id) {
          out.cases.push_back(all.cases[i]);
          out.dice.push_back(all.dice[i]);
        }
    return out;
  }

  /// What every decision says.
  Dict facts(Outcome outcome, const std::vector<std::string>& reasons) const {
    Dict cases;
    for (std::size_t i = 0; i < plan_.cases.size(); ++i) cases[plan_.cases[i].source.id] = name_of(plan_.parts[i]);
    Dict out{{"month", plan_.month},
             {"outcome", name_of(outcome)},
             {"reasons", list_of(reasons)},
             {"request", request_},
             {"fingerprint", plan_.fingerprint},
             {"parent", plan_.parent},
             {"cases", cases},
             {"known", list_of(plan_.known)},
             {"replayed", plan_.replay.size()},
             {"options", to_value(options_)}};
    if (!options_.accept_anyway.empty()) out["accepted_anyway"] = options_.accept_anyway;
    return out;
  }

  IncrementResult refuse(Outcome outcome, const std::vector<std::string>& reasons, const char* key, const Value& details) const {
    Dict what = facts(outcome, reasons);
    what["data"] = model_.put_object(to_value(plan_.cases, model_.folder()));
    what[key] = model_.put_object(details);
    IncrementResult out;
    out.outcome = outcome;
    out.reasons = reasons;
    out.entry = model_.record("increment", what, program_);
    return out;
  }

  const Model& model_;
  const IncrementOptions& options_;
  const Program& program_;
  const ModelState state_;
  const std::vector<HashedCase> reference_;
  std::vector<HashedCase> pool_;
  std::string request_;
  MonthPlan plan_;
  std::optional<Stage> stage_;
  Labels labels_;  ///< classes that count
  SetScores champion_reference_, champion_fresh_;
  Screening screening_;
};

}  // namespace

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted: return "accepted";
    case Outcome::findings: return "findings";
    case Outcome::suspects: return "suspect-labels";
    case Outcome::rejected: break;
  }
  return "rejected";
}

int exit_code(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted: return 0;
    case Outcome::findings: return 22;
    case Outcome::suspects: return 24;
    case Outcome::rejected: break;
  }
  return 23;
}

IncrementResult increment(const Model& model, const IncrementOptions& options, const Program& program) {
  const FileLock alone(model.folder() / "increment.lock", "increment " + options.month, 0);
  return Month(model, options, program).run();
}

}  // namespace vesal::tune
