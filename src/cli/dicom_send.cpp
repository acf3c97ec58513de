// vesal dicom send: files to a node.
#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/dicom_command.h"
#include "dicom/delivery.h"
#include "image/dicom_files.h"

namespace vesal::cli {
namespace {

struct Options {
  PeerOptions peer;
  std::string to;
  std::vector<std::filesystem::path> files;
};

int run(const Options& o) {
  const dicom::Peer peer = peer_named(o.peer, o.to);
  std::vector<dicom::Parcel> parcels;
  for (const std::filesystem::path& path : o.files) {
    const bool folder = std::filesystem::is_directory(path);
    for (const image::DicomFile& file : image::find_dicom_files(path)) {
      if (file.in_archive()) throw Error(ErrorKind::unsupported, path.string() + ": unpack the archive to send what is in it");
      try {
        parcels.push_back(dicom::parcel_of(file.path()));
      } catch (const Error& e) {
        if (!folder) throw;
        log::warning("left out: {}", e.what());
      }
    }
  }
  if (parcels.empty()) throw Error(ErrorKind::not_found, "there are no DICOM files");
  List list;
  int failed = 0;
  dicom::deliver(peer, o.peer.aet, parcels, [&](std::size_t i, const std::string& why) {
    failed += why.empty() ? 0 : 1;
    list.items.push_back(Dict{{"file", parcels[i].file.string()}, {"sent", why.empty()}, {"error", why.empty() ? Value() : Value(why)}});
    if (!why.empty() && !globals().json) log::error("{}: {}", parcels[i].file.string(), why);
  });
  if (globals().json) fmt::print("{}\n", to_json(list));
  else fmt::print("{} of {} objects sent to {}\n", list.items.size() - static_cast<std::size_t>(failed), parcels.size(), peer.name);
  return failed ? error_codes(ErrorKind::refused).exit_code : 0;
}

const RegisterCommand command({
    "dicom send",
    "Send DICOM files to a node: C-STORE or STOW-RS",
    "  vesal dicom send liver.seg.dcm --to pacs --nodes rules.yaml\n"
    "  vesal dicom send STUDY_FOLDER --to ORTHANC@127.0.0.1:4242\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("FILES", o->files, "DICOM files and folders")->required();
      app.add_option("--to", o->to, "Node: a name, AET@HOST:PORT, or a DICOMweb root")->required();
      add_peer_options(app, o->peer);
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
