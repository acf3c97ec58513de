#include "dicom/bundle_worker.h"

#include <algorithm>

#include "base/error.h"
#include "base/sha256.h"
#include "bundle/bundle_folder.h"
#include "dicom/object_store.h"
#include "image/dicom_select.h"
#include "results/result.h"
#include "transforms/channels.h"

namespace vesal::dicom {
namespace {
namespace fs = std::filesystem;

/// The study, or its files of one series.
image::DicomStudy study_of(const fs::path& folder, const std::string& series) {
  image::DicomStudy study = image::read_dicom_study(series.empty() ? folder : folder / name_of_uid(series));
  if (!series.empty()) std::erase_if(study.series, [&](const image::DicomSeries& s) { return s.series_uid != series; });
  return study;
}

}  // namespace

BundleWorker::BundleWorker(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules)
    with_context("rule " + rule.name, [&] {
      image::DicomRule{rule.series};
      for (const std::string& name : rule.results) {
        const results::ResultKind& kind = results::result_kind(name);
        if (!kind.dicom) throw Error(ErrorKind::usage, "results: '" + name + "' is no DICOM object; a node sends nothing else");
        for (const std::string& other : kind.needs)
          if (std::find(rule.results.begin(), rule.results.end(), other) == rule.results.end())
            throw Error(ErrorKind::usage, "results: " + name + " refers to " + other + ", which has to be made too");
      }
      if (!bundle::is_bundle(rule.bundle)) throw Error(ErrorKind::not_found, rule.bundle.string() + " is no bundle");
    });
}

std::optional<ChosenSeries> BundleWorker::choose(const fs::path& folder, const Rule& rule, const std::string& series) {
  try {
    const image::DicomChoice choice = image::choose_volume(study_of(folder, series), image::DicomRule(rule.series));
    ChosenSeries out{choice.volume.series.series_uid, {}, choice.volume.plane() + ", " + std::to_string(choice.volume.slices.size()) + " slices"};
    for (const image::DicomSlice& slice : choice.volume.slices) out.instances.push_back(slice.sop_instance);
    std::sort(out.instances.begin(), out.instances.end());
    out.instances.erase(std::unique(out.instances.begin(), out.instances.end()), out.instances.end());  // frames of one file
    return out;
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::not_found) return std::nullopt;
    throw;
  }
}

BundleWorker::Resident& BundleWorker::resident(const Rule& rule) {
  std::unique_ptr<Resident>& place = residents_[rule.bundle];
  if (!place) {
    infer::Segmenter::Options options;
    options.bundle = rule.bundle;
    place.reset(new Resident{infer::Segmenter(options), ""});
    const bundle::BundleFacts& facts = place->segmenter.facts();
    place->identity = facts.name + " " + facts.version + " " + sha256_file(place->segmenter.weights());
  }
  return *place;
}

std::vector<fs::path> BundleWorker::work(const WorkOrder& order) {
  const image::DicomChoice choice = image::choose_volume(study_of(order.study, order.series), image::DicomRule(order.rule.series));
  Resident& bundle = resident(order.rule);
  image::set_default_series(order.rule.series);  // this thread alone reads images
  const fs::path scan = order.study / name_of_uid(choice.volume.series.series_uid);
  infer::Segmentation made = bundle.segmenter.segment(scan);
  const auto channels = made.mask.shape()[0];
  results::Result result = results::make_result(std::move(made.mask), bundle.segmenter.label_names(channels), bundle.segmenter.facts(),
                                                std::make_shared<image::DicomSource>(choice.volume));
  result.identity = bundle.identity;
  result.input = "series";  // no text of the study in what people may read elsewhere
  result.scan = [&choice] {
    const image::Image stored = image::read_dicom_volume(choice.volume);
    return transforms::channel_first(stored, stored.meta.at("original_channel_dim"));
  };
  std::vector<fs::path> files;
  for (const std::string& name : order.rule.results) {
    const std::vector<fs::path> written = results::write_result(results::result_kind(name), order.output / (name + ".dcm"), result);
    files.insert(files.end(), written.begin(), written.end());
  }
  return files;
}

}  // namespace vesal::dicom
