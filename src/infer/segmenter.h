// Segmenter: a bundle as a function from a scan to a label map on the scan's own grid.
//
//   Segmenter segmenter({.bundle = "bundles/spleen_ct_phantom"});
//   Segmentation s = segmenter.segment("ct.nii.gz");
//
// The bundle's inference configuration is read once and the network stays in memory. What a scan goes through is what the configuration's
// evaluator says: preprocessing, inferer(network), postprocessing; only its SaveImage steps are left out, the result goes to the caller.
#pragma once
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bundle/bundle_folder.h"
#include "bundle/config.h"
#include "image/image.h"
#include "infer/forecast.h"
#include "infer/inferer.h"
#include "transforms/transform.h"

namespace vesal::infer {

/// Wall-clock seconds.
struct StageTimes {
  double read = 0, preprocess = 0, network = 0, postprocess = 0;
};

/// A scan that is ready for the network.
struct PreparedScan {
  Dict item;             ///< what the preprocessing left
  image::Affine affine;  ///< of the scan as it was read
  Shape shape;           ///< spatial extents of the scan as it was read
  StageTimes times;
  std::uint64_t memory = 0;  ///< the most bytes that preparing it took, if nothing else went on
};

struct Segmentation {
  image::Image mask;  ///< [C, spatial...] on the scan's grid; one channel unless the bundle gives several; see label_array()
  StageTimes times;
  /// What finish() thought it would take; nothing if the whole output had to be kept.
  std::optional<Forecast> forecast;
};

class Segmenter {
 public:
  struct Options {
    std::filesystem::path bundle;
    std::string device = "auto";                                 ///< as the configuration says; or "cpu", "cuda:0"
    std::string precision = "auto";                              ///< of products on the CPU: "fp32", "bf16"; auto: bf16 if the evaluator asks for amp
    std::vector<std::pair<std::string, std::string>> overrides;  ///< ids of the configuration and texts
    /// A scan that prepare() will be asked for first: that begins while the network is loaded, and its memory is not told.
    std::filesystem::path first = {};
  };
  /// Throws Error naming the file: not_found, format, config, weights, refused, unsupported.
  explicit Segmenter(const Options& options);
  Segmenter(const Segmenter&) = delete;
  Segmenter& operator=(const Segmenter&) = delete;

  const bundle::BundleFacts& facts() const { return facts_; }
  const std::filesystem::path& weights() const { return weights_; }
  const Value& network() const { return network_; }
  /// Whether the network multiplies numbers rounded to bfloat16, which this machine then has instructions for.
  bool bf16() const { return bf16_; }
  /// Names of the labels in a mask of so many channels; empty if the metadata do not say.
  std::map<std::int64_t, std::string> label_names(std::int64_t channels) const;

  /// Reads and preprocesses a scan. May run while another thread is in finish().
  PreparedScan prepare(const std::filesystem::path& scan) const;
  /// Network and postprocessing; one thread at a time. Lets go of the scan as early as it can. Throws Error(memory) if it takes more than
  /// memory_limit().
  Segmentation finish(PreparedScan scan, const PlannedStream::Options& options = {}) const;
  Segmentation segment(const std::filesystem::path& scan) const { return finish(prepare(scan)); }

 private:
  void build(bundle::ConfigParser& config, const Options& options);
  void choose_precision(const std::string& asked, const Value& amp);
  PreparedScan prepared(const std::filesystem::path& scan) const;
  void study_postprocessing(const Value& described);
  void find_stream(const Value& described);
  std::size_t network(Dict& item, Segmentation& out, const PlannedStream::Options& options) const;
  bool streamed(Dict& item, const image::Image& image, Segmentation& out, const PlannedStream::Options& options) const;
  void postprocess(Dict& item, std::size_t first) const;
  Value discretizer(std::int64_t channels) const;

  bundle::BundleFacts facts_;
  std::filesystem::path weights_;
  Value network_;
  std::shared_ptr<Inferer> inferer_;
  std::vector<Value> preprocessing_, postprocessing_;  ///< callables, one after the other
  std::string image_key_ = "image", pred_key_ = "pred";
  std::optional<DType> saved_type_;  ///< what the bundle's SaveImage would write
  bool bf16_ = false;
  bool activates_ = false, inverts_ = false, discretizes_ = false;
  bool reads_image_ = false;  ///< whether the postprocessing may look at the scan's voxels
  /// The postprocessing's first step that makes labels, if all before it can wait for the network and labels can be made in pieces; its
  /// number of steps if discretizer() is that step.
  std::optional<std::size_t> labels_at_;
  std::filesystem::path first_;
  mutable std::future<PreparedScan> first_scan_;  ///< until prepare() takes it; last, so that it ends before what it uses goes
};

}  // namespace vesal::infer
