// vesal segment INPUT... -o OUT: scans in, label maps out.
#include <fmt/format.h>

#include <chrono>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "bundle/bundle_folder.h"
#include "cli/command.h"
#include "cli/network_table.h"
#include "cli/segment_case.h"
#include "cli/segment_flow.h"
#include "cli/segment_plan.h"
#include "engine/predictor.h"
#include "image/dicom_select.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<fs::path> inputs;
  std::vector<fs::path> outputs;
  fs::path report, preview, codes;
  std::vector<std::string> kinds;
  std::string bundle = "spleen_ct_phantom", device = "auto", precision = "auto", max_memory, series, shard;
  std::vector<std::string> overrides;
  bool explain = false, skip_done = false;
};

infer::Segmenter::Options segmenter_options(const Options& o) {
  infer::Segmenter::Options s;
  s.bundle = bundle::find_bundle(o.bundle, bundle::bundle_roots());
  s.device = o.device;
  s.precision = o.precision;
  for (const std::string& text : o.overrides) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw Error(ErrorKind::usage, "--override " + text + ": want ID=VALUE");
    s.overrides.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return s;
}

void check_device(const std::string& device) {
  if (device == "auto" || device == "cpu" || device == "cuda") return;
  if (device.starts_with("cuda:") && device.size() > 5 && device.find_first_not_of("0123456789", 5) == std::string::npos) return;
  throw Error(ErrorKind::usage, "--device " + device + ": want auto, cpu or cuda:N");
}

/// With the network in memory and no scan yet.
void check_room() {
  const auto limit = memory_limit();
  if (!limit || resident_memory() <= *limit) return;
  throw Error(ErrorKind::memory, "the program and this bundle's network take " + bytes_text(resident_memory()) + " before any scan, " +
                                     bytes_text(*limit) + " are allowed; it would take more than --max-memory " +
                                     std::to_string(resident_memory() / (1 << 20) + 1) + "M");
}

/// A shard may have no scan, and all may be done: no reason to load a network.
int nothing_to_do(const Options& o, std::size_t skipped) {
  const Dict report{{"vesal", VESAL_VERSION}, {"cases", List{}}, {"segmented", 0}, {"failed", 0}, {"skipped", skipped}};
  if (!o.report.empty()) write_file(o.report, to_json(report) + "\n");
  if (globals().json) fmt::print("{}\n", to_json(report));
  else fmt::print("nothing to do\n");
  return 0;
}

int run(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  check_device(o.device);
  image::set_default_series(o.series);
  if (!o.max_memory.empty()) set_memory_limit(with_context("--max-memory", [&] { return parse_bytes(o.max_memory); }));
  std::vector<SegmentCase> cases = plan_segmentation(o.inputs, o.outputs, o.preview, o.kinds);
  if (!o.shard.empty()) cases = shard_of(std::move(cases), o.shard);
  const std::size_t planned = cases.size();
  if (o.skip_done) drop_done(cases);
  if (cases.size() < planned) log::info("{} of {} scans are done already", planned - cases.size(), planned);
  if (cases.empty()) return nothing_to_do(o, planned);
  if (!o.codes.empty()) results::read_codes(o.codes);  // a fault in it is known before the network runs
  for (SegmentCase& c : cases) {
    c.how = {"vesal " VESAL_VERSION, o.codes, ""};
    for (const std::string& change : o.overrides) c.how.changes += change + "\n";
  }
  infer::Segmenter::Options how = segmenter_options(o);
  // What several scans take is measured on the first, and a limit on what a scan adds to the network: these come one after the other.
  if (cases.size() == 1 && !memory_limit()) how.first = cases[0].input;
  const infer::Segmenter segmenter(how);
  check_room();
  const bundle::BundleFacts& facts = segmenter.facts();
  log::info("{} {}: {}", facts.name, facts.version, facts.task);
  const auto predictor = o.explain ? segmenter.network().object<engine::Predictor>() : nullptr;
  if (predictor) predictor->set_profiling(true);

  List reports;
  std::size_t failed = 0;
  int exit_code = 0;
  segment_cases(segmenter, cases, [&](const SegmentOutcome& outcome) {
    clear_progress_line();
    reports.items.push_back(to_report(outcome));
    if (!outcome.error) {
      if (!globals().json) fmt::print("{}", describe(outcome));
      return;
    }
    fmt::print(stderr, "vesal: {}\n", outcome.error->what());
    if (failed++ == 0) exit_code = error_codes(outcome.error->kind()).exit_code;
  });

  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Dict report{{"vesal", VESAL_VERSION},
              {"bundle", bundle_report(segmenter)},
              {"device", o.device},
              {"precision", segmenter.bf16() ? "bf16" : "fp32"},
              {"threads", thread_count()},
              {"cases", reports},
              {"segmented", cases.size() - failed},
              {"failed", failed},
              {"skipped", planned - cases.size()},
              {"seconds", seconds}};
  if (predictor) report["network"] = predictor->runs();
  if (!o.report.empty()) write_file(o.report, to_json(report) + "\n");
  if (globals().json) {
    fmt::print("{}\n", to_json(report));
  } else {
    if (cases.size() > 1) fmt::print("{} of {} scans segmented in {:.1f} s, {} failed\n", cases.size() - failed, cases.size(), seconds, failed);
    if (predictor) fmt::print("{}", network_table(predictor->runs()));
    if (failed < cases.size() && facts.not_for_diagnosis()) fmt::print("{}\n", facts.intended_use);
  }
  return exit_code;
}

/// All kinds, those of parts that are loaded late too.
std::string kinds_text() {
  std::string text =
      "\nResults, by the file's ending or by name with --write:\n  nifti        .nii.gz          the mask, also in any other image format\n";
  for (const results::ResultKind* kind : results::result_kinds())
    text += fmt::format("  {:<12} {:<16} {}\n", kind->name, kind->endings[0], kind->summary);
  return text;
}

const RegisterCommand command({
    "segment",
    "Segment scans with a bundle: label maps on the scans' own grids, and volumes",
    "  vesal segment ct.nii.gz -o mask.nii.gz\n"
    "  vesal segment ct.nii.gz -o mask.nii.gz --bundle models/spleen_ct_segmentation --preview picture.png\n"
    "  vesal segment study.zip -o mask.nii.gz --series \"description~venous\"    (also a folder, a DICOMDIR)\n"
    "  vesal segment study/ -o organs.seg.dcm -o mask.nii.gz -o organs.glb -o report.pdf\n"
    "  vesal segment study/ -o results --write seg,rtstruct,sr,stl\n"
    "  vesal segment archive/* -o masks --shard 2/8 --skip-done          (a third machine of eight, which may be ended and started again)\n"
    "  vesal segment scans/ more/a.nrrd -o masks --report report.json    (masks/NAME.nii.gz for each scan)\n"
    "\n"
    "A scan that fails is reported and the others go on; the exit code is that of the first failure (see docs/exit-codes.md).\n"
    "Bundles are looked for by name in $VESAL_BUNDLES, ~/.local/share/vesal/bundles and beside the program.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("INPUT", o->inputs, "Scans, or folders of scans")->required();
      app.add_option("-o,--output", o->outputs, "Files for one scan, each with its own -o (the name's ending tells what), else a folder")
          ->required()
          ->allow_extra_args(false);
      app.add_option("--write", o->kinds, "With a folder as -o: kinds of results to write there, with commas between; they are listed below")
          ->delimiter(',')
          ->allow_extra_args(false);
      app.add_option("--codes", o->codes, "JSON file with codes of labels for DICOM results (docs/dicom.md)");
      app.add_option("--bundle", o->bundle, "Name or folder of the bundle")->capture_default_str();
      app.add_option("--device", o->device, "auto, cpu or cuda:N")->capture_default_str();
      app.add_option("--precision", o->precision, "auto, fp32 or bf16; auto: bf16 if the bundle asks for amp and the processor has it")
          ->capture_default_str();
      app.add_option("--max-memory", o->max_memory, "The most memory the program may take, e.g. 1G; fewer windows at a time, one scan at a time");
      app.add_option("--series", o->series, "Which volume of a DICOM study, e.g. \"modality=CT,description~venous,slices>=40\" (docs/dicom.md)");
      app.add_option("--shard", o->shard, "I/N: only every N-th of the scans from number I on, counted from 0, e.g. $JOB_COMPLETION_INDEX/8");
      app.add_flag("--skip-done", o->skip_done, "Leave out scans whose files are all there, as after a run that was ended");
      app.add_option("--override", o->overrides, "ID=VALUE: change an id of the bundle's configuration")->allow_extra_args(false);
      app.add_flag("--explain", o->explain, "Also show how the network ran: its steps with milliseconds, and what went through libtorch and why");
      app.add_option("--report", o->report, "JSON file with volumes, seconds per stage and memory");
      app.add_option("--preview", o->preview, "PNG of the result over the scan; a folder for several scans");
      return [o] { return run(*o); };
    },
    &kinds_text,
});

}  // namespace
}  // namespace vesal::cli
