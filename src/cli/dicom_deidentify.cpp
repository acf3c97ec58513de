// vesal dicom deidentify IN -o OUT: DICOM objects without the people's names, for sets to train with.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/command.h"
#include "dicom/deidentify_folder.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path in, out, map;
  std::string dates = "remove";
  std::vector<std::string> keep;
  bool allow_burned_in = false;
};

dicom::DeidentifyOptions profile(const Options& o) {
  dicom::DeidentifyOptions p;
  p.allow_burned_in = o.allow_burned_in;
  if (o.dates == "keep") p.retained.dates = dicom::Dates::keep;
  else if (o.dates == "shift") p.retained.dates = dicom::Dates::shift;
  else if (o.dates != "remove") throw Error(ErrorKind::usage, "--dates " + o.dates + ": want remove, shift or keep");
  for (const std::string& what : o.keep) {
    if (what == "uids") p.retained.uids = true;
    else if (what == "device") p.retained.device = true;
    else if (what == "institution") p.retained.institution = true;
    else if (what == "characteristics") p.retained.characteristics = true;
    else throw Error(ErrorKind::usage, "--keep " + what + ": want uids, device, institution or characteristics");
  }
  return p;
}

Dict to_dict(const std::map<std::string, std::size_t>& counts) {
  Dict d;
  for (const auto& [key, n] : counts) d[key] = n;
  return d;
}

int run(const Options& o) {
  const fs::path map = o.map.empty() ? fs::path(o.out.string() + ".pseudonyms.json") : o.map;
  const dicom::DeidentifiedFolder done = dicom::deidentify_folder(o.in, o.out, map, profile(o));
  if (globals().json) {
    List damaged;
    for (const std::string& text : done.damaged) damaged.items.emplace_back(text);
    fmt::print("{}\n", to_json(Dict{{"written", done.written},
                                    {"patients", done.pseudonyms.size()},
                                    {"studies", done.studies},
                                    {"left_out", to_dict(done.left_out)},
                                    {"damaged", damaged},
                                    {"other_files", done.others},
                                    {"emptied_texts", to_dict(done.leaks)},
                                    {"pseudonyms", to_dict(done.pseudonyms)},
                                    {"map", map.string()}}));
  } else {
    fmt::print("{} objects of {} patients, {} studies, in {}\n", done.written, done.pseudonyms.size(), done.studies, o.out.string());
    for (const auto& [reason, n] : done.left_out) fmt::print("left out  {:>6}  {}\n", n, reason);
    if (done.others) fmt::print("left out  {:>6}  no DICOM objects\n", done.others);
    for (const auto& [tag, n] : done.leaks) fmt::print("emptied   {:>6}  {}: a name or number stood in free text\n", n, tag);
    for (const std::string& text : done.damaged) fmt::print("damaged   {}\n", text);
    fmt::print("who is who: {} (keep it in the hospital; without it the next run gives other names)\n", map.string());
  }
  return done.damaged.empty() ? 0 : error_codes(ErrorKind::format).exit_code;
}

const RegisterCommand command({
    "dicom deidentify",
    "Copy DICOM objects without what tells whose they are (PS3.15 basic profile)",
    "  vesal dicom deidentify export/ -o training/ --map hospital-only/pseudonyms.json\n"
    "  vesal dicom deidentify study.zip -o training/ --dates shift --keep characteristics\n"
    "\n"
    "Names, numbers, dates, places, devices, private attributes, overlays and free text go; identifiers are replaced, the same by the same, also in\n"
    "later runs with the same map; pixels stay as they are. Reports, documents and images that may show names are left out and counted.\n"
    "Faces can be told from a head's voxels: this command does not remove them.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("IN", o->in, "Folder, zip archive, DICOMDIR or file")->required();
      app.add_option("-o,--output", o->out, "Folder for the copies: PSEUDONYM/STUDY/SERIES/INSTANCE.dcm")->required();
      app.add_option("--map", o->map, "File of pseudonyms, made if it is not there; OUT.pseudonyms.json without this");
      app.add_option("--dates", o->dates, "remove; shift: by a number of days of the patient's own, so that intervals stay; keep")
          ->capture_default_str();
      app.add_option("--keep", o->keep, "uids, device, institution, characteristics (sex, age, size, weight)")
          ->delimiter(',')
          ->allow_extra_args(false);
      app.add_flag("--allow-burned-in", o->allow_burned_in, "Also take images whose pixels may show names (secondary captures, ultrasound)");
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
