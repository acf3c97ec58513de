#include "server/worker.h"

#include <algorithm>

#include "base/cancel.h"
#include "base/json.h"
#include "base/log.h"
#include "base/plugin.h"
#include "base/progress.h"
#include "image/dicom_select.h"
#include "image/formats.h"
#include "infer/label_map.h"

namespace vesal::server {
namespace fs = std::filesystem;
namespace {

Dict report_of(const infer::Segmenter& segmenter, const infer::Segmentation& made) {
  List labels;
  for (const infer::LabelAmount& l : infer::label_amounts(made.mask, segmenter.label_names(made.mask.shape()[0])))
    labels.items.push_back(Dict{{"label", l.label}, {"name", l.name}, {"voxels", l.voxels}, {"ml", l.ml}});
  const bundle::BundleFacts& facts = segmenter.facts();
  return {{"bundle", facts.name},
          {"version", facts.version},
          {"not_for_diagnosis", facts.not_for_diagnosis()},
          {"labels", labels},
          {"seconds", Dict{{"read", made.times.read},
                           {"preprocess", made.times.preprocess},
                           {"network", made.times.network},
                           {"postprocess", made.times.postprocess}}}};
}

/// Which part of a job a stage is: where its progress begins and ends.
std::pair<double, double> share_of(const std::string& stage) {
  if (stage == "sliding window") return {0.1, 0.9};
  if (stage == "Writing") return {0.9, 1};
  return {0.05, 0.1};
}

}  // namespace

Worker::Worker(Services& services) : services_(services) {
  services_.jobs.recover();
  set_progress_sink([this](const std::string& title, std::int64_t done, std::int64_t total, double left) { watch(title, done, total, left); });
  thread_ = std::thread([this] { run(); });
}

Worker::~Worker() {
  ending_ = true;
  cancel_work(true);
  thread_.join();
  cancel_work(false);
  set_progress_sink(nullptr);
}

void Worker::watch(const std::string& title, std::int64_t done, std::int64_t total, double left) {
  std::string job;
  {
    const std::lock_guard lock(mutex_);
    job = running_;
  }
  if (job.empty()) return;
  const auto [from, to] = share_of(title);
  const double part = std::clamp(static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(total, 1)), 0.0, 1.0);
  services_.live.set(job, {.state = "running", .stage = title, .progress = from + (to - from) * part, .seconds_left = left});
}

void Worker::run() {
  try {
    plugin::networks().load();  // so that the first job need not wait for it
  } catch (const Error& e) { log::warning("{}", e.what()); }
  constexpr double kLook = 1;  // seconds; a job that is added wakes the worker at once
  std::uint64_t seen = 0;
  while (!ending_ && !ending_requested()) {
    try {
      if (const auto job = services_.jobs.take()) work(*job);
      else services_.live.changes(seen, kLook);
    } catch (const std::exception& e) {  // the disk does not do as it is told
      log::error("jobs: {}", e.what());
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  }
}

void Worker::work(const JobRow& job) {
  Jobs& jobs = services_.jobs;
  const fs::path folder = jobs.folder(job.id), part = folder.string() + ".part";
  {
    const std::lock_guard lock(mutex_);
    running_ = job.id;
  }
  struct AtTheEnd {
    Worker& worker;
    const fs::path& part;
    ~AtTheEnd() {
      {
        const std::lock_guard lock(worker.mutex_);
        worker.running_.clear();
      }
      std::error_code ignored;
      fs::remove_all(part, ignored);
      worker.services_.jobs.stop_heard();
      if (worker.ending_) cancel_work(true);
    }
  } const at_the_end{*this, part};
  const auto fail = [&](const Error& e) {
    if (e.kind() == ErrorKind::cancelled) {
      services_.models.forget(job.model);
      if (jobs.stop_wanted(job.id)) jobs.cancelled(job.id);
      else jobs.put_back(job.id);
      return;
    }
    const std::string why = services_.store.without_paths(e.what());
    log::warning("job {} failed: {}", job.id, error_codes(e.kind()).name);
    jobs.failed(job.id, why, error_codes(e.kind()).name);
  };
  try {
    const image::SeriesScope series(job.series.empty() ? "" : "series=" + job.series);
    fs::remove_all(folder);
    fs::remove_all(part);
    fs::create_directory(part);
    const auto segmenter = services_.models.segmenter(job.model);
    const infer::Segmentation made = segmenter->segment(services_.uploads.scan_of(job.upload));
    image::write_image(part / "mask.nii.gz", made.mask);
    fs::rename(part, folder);
    jobs.done(job.id, to_json(report_of(*segmenter, made), -1));
  } catch (const Error& e) { fail(e); } catch (const std::bad_alloc&) {
    fail(Error(ErrorKind::memory, "out of memory"));
  } catch (const std::exception& e) { fail(Error(ErrorKind::internal, e.what())); }
}

}  // namespace vesal::server
