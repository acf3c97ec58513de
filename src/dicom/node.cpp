#include "dicom/node.h"

#include <algorithm>

#include "base/cancel.h"
#include "base/error.h"
#include "base/log.h"
#include "base/sha256.h"
#include "dicom/delivery.h"

namespace vesal::dicom {
namespace {

constexpr std::chrono::milliseconds kStep{200};  ///< between two looks at the journal when there is nothing to do
constexpr Time kCleanEvery = 60'000;

std::string reason(const std::exception& e) {
  std::string text = e.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, 1000);
}

}  // namespace

std::string digest_of(std::vector<std::string> instances) {
  std::sort(instances.begin(), instances.end());
  Sha256 hash;
  for (const std::string& uid : instances) hash.update(uid + "\n");
  return hash.hex();
}

Node::Node(Options options, StudyWorker& worker) : options_(std::move(options)), store_(options_.store, options_.config.limits), worker_(worker) {
  if (!is_aet(options_.aet)) throw Error(ErrorKind::usage, "'" + options_.aet + "' is no AE title: 1 to 16 characters");
  const int again = store_.journal().recover(options_.config.limits.interruptions);
  if (again > 0) event("recovered", Dict{{"jobs", again}});
  const NodeConfig& c = options_.config;
  listener_ = std::make_unique<Listener>(
      Listener::Options{options_.aet, options_.address, options_.port, c.allowed_aets, c.allowed_addresses, c.limits, c.tls}, store_);
  studies_ = std::thread([this] { loop("studies", [this] { return look_at_studies(); }); });
  work_ = std::thread([this] { loop("work", [this] { return work(); }); });
  sending_ = std::thread([this] { loop("sending", [this] { return send(); }); });
}

Node::~Node() {
  listener_.reset();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread* thread : {&studies_, &work_, &sending_}) thread->join();
}

/// Steps that had something to do follow each other at once. A step that throws is tried again later: a full disk gets room again.
void Node::loop(const char* what, const std::function<bool()>& step) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    std::chrono::milliseconds pause = kStep;
    try {
      if (step()) pause = std::chrono::milliseconds(0);
    } catch (const std::exception& e) {
      event("trouble", Dict{{"thread", what}, {"error", reason(e)}});
      pause = std::chrono::seconds(2);
    }
    lock.lock();
    wake_.wait_for(lock, pause, [this] { return stopping_; });
  }
}

void Node::event(const std::string& name, Dict facts) const {
  if (options_.events) options_.events(name, facts);
}

const Rule* Node::rule_named(const std::string& name) const {
  const auto& rules = options_.config.rules;
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.name == name; });
  return found == rules.end() ? nullptr : &*found;
}

bool Node::look_at_studies() {
  bool any = false;
  for (const Rule& rule : options_.config.rules)
    for (const StudyRow& study : store_.journal().complete_studies(rule.name, now() - rule.quiet.count(), now() - rule.broken.count())) {
      look_at(rule, study);
      any = true;
      if (cancel_requested()) return false;
    }
  if (now() - cleaned_ > kCleanEvery) clean();
  return any;
}

void Node::look_at(const Rule& rule, const StudyRow& study) {
  Journal& journal = store_.journal();
  const auto skip = [&](const std::string& why) {
    journal.looked(study, rule.name);
    event("skipped", Dict{{"study", name_of_uid(study.study)}, {"rule", rule.name}, {"why", why}});
  };
  if (!rule.callers.empty() && std::find(rule.callers.begin(), rule.callers.end(), study.caller) == rule.callers.end())
    return skip("the rule is for other callers");
  std::optional<ChosenSeries> chosen;
  try {
    // A series once chosen stays: what comes later counts only if it belongs to it.
    chosen = worker_.choose(store_.study_folder(study.study), rule, journal.chosen_series(study.study, rule.name));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled || e.kind() == ErrorKind::io || e.kind() == ErrorKind::memory) throw;  // looked at again
    journal.add_unusable(study, rule.name, reason(e));
    return event("unusable", Dict{{"study", name_of_uid(study.study)}, {"rule", rule.name}, {"error", reason(e)}});
  }
  if (!chosen) return skip("no series of it");
  if (journal.add_job(study, rule.name, chosen->series, digest_of(chosen->instances)))
    event("job", Dict{{"study", name_of_uid(study.study)}, {"rule", rule.name}, {"instances", chosen->instances.size()}, {"why", chosen->why}});
}

void Node::clean() {
  cleaned_ = now();
  for (const std::string& study : store_.journal().old_studies(now() - options_.config.limits.keep.count())) {
    store_.forget(study);
    event("forgotten", Dict{{"study", name_of_uid(study)}});
  }
}

bool Node::work() {
  Journal& journal = store_.journal();
  const std::optional<JobRow> job = journal.take_job();
  if (!job) return false;
  const Limits& limits = options_.config.limits;
  const Dict about{{"job", job->id}, {"study", name_of_uid(job->study)}, {"rule", job->rule}, {"attempt", job->attempts}};
  event("started", about);
  try {
    const Rule* rule = rule_named(job->rule);
    if (!rule) throw Error(ErrorKind::config, "the rule '" + job->rule + "' is not in the rules file any more");
    do_job(*job, *rule);
  } catch (const std::exception& e) {
    const auto* known = dynamic_cast<const Error*>(&e);
    if (known && known->kind() == ErrorKind::cancelled) {
      journal.put_back(job->id);
      event("put back", about);
      return false;
    }
    const bool again = job->attempts < limits.attempts;
    journal.failed(job->id, reason(e), again ? now() + pause_after(limits, job->attempts).count() : 0);
    Dict facts = about;
    facts["error"] = reason(e);
    event(again ? "will retry" : "failed", facts);
  }
  return true;
}

void Node::do_job(const JobRow& job, const Rule& rule) {
  const std::filesystem::path output = store_.fresh_results(job.id);
  const std::vector<std::filesystem::path> files = worker_.work({rule, store_.study_folder(job.study), job.series, job.digest, output});
  std::vector<ResultRow> results;
  for (const std::filesystem::path& file : files) {
    const Parcel parcel = parcel_of(file);
    sync_path(file);
    results.push_back({0, parcel.sop, parcel.sop_class, store_.relative(file)});
  }
  sync_path(output);
  sync_path(output.parent_path());
  if (!store_.journal().made(job.id, results, rule.send_to)) return;
  event("made", Dict{{"job", job.id}, {"study", name_of_uid(job.study)}, {"rule", rule.name}, {"results", results.size()}});
}

bool Node::send() {
  Journal& journal = store_.journal();
  const std::vector<SendingRow> due = journal.due_sendings();
  if (due.empty()) return false;
  const std::string& name = due.front().peer;
  const Limits& limits = options_.config.limits;
  std::vector<bool> told(due.size(), false);
  const auto failed = [&](std::size_t i, const std::string& why) {
    told[i] = true;
    const int attempts = due[i].attempts + 1;
    const bool again = attempts < limits.send_attempts;
    journal.sending_failed(due[i].result.id, name, why, again ? now() + pause_after(limits, attempts).count() : 0);
    event(again ? "will resend" : "not sent", Dict{{"job", due[i].job}, {"to", name}, {"attempt", attempts}, {"error", why}});
  };
  try {
    const auto peer = options_.config.peers.find(name);
    if (peer == options_.config.peers.end()) throw Error(ErrorKind::config, "the node '" + name + "' is not in the rules file any more");
    std::vector<Parcel> parcels;
    for (const SendingRow& row : due) parcels.push_back({store_.path_of(row.result.path), row.result.sop, row.result.sop_class});
    deliver(peer->second, options_.aet, parcels, [&](std::size_t i, const std::string& why) {
      if (!why.empty()) return failed(i, why);
      journal.sent(due[i].result.id, name);
      told[i] = true;
      event("sent", Dict{{"job", due[i].job}, {"to", name}, {"object", name_of_uid(due[i].result.sop)}});
    });
  } catch (const std::exception& e) {
    const auto* known = dynamic_cast<const Error*>(&e);
    if (known && known->kind() == ErrorKind::cancelled) return false;
    for (std::size_t i = 0; i < due.size(); ++i)
      if (!told[i]) failed(i, reason(e));
  }
  return true;
}

}  // namespace vesal::dicom
