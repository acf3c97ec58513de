// vesal dicom echo: whether a node is there and talks to us.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/dicom_command.h"
#include "dicom/dicomweb.h"

namespace vesal::cli {
namespace {

int run(const PeerOptions& options, const std::string& name) {
  const dicom::Peer peer = peer_named(options, name);
  if (peer.web()) dicom::Dicomweb(peer).find("STUDY", {{"StudyInstanceUID", "0.0"}}, 1);
  else dicom::Scu(peer, options.aet, dicom::query_contexts(false)).echo();
  if (globals().json) fmt::print("{}\n", to_json(Dict{{"node", peer.name}, {"answers", true}}));
  else fmt::print("{} answers\n", peer.name);
  return 0;
}

const RegisterCommand command({
    "dicom echo",
    "Ask whether a node is there: C-ECHO, or an empty query to a DICOMweb service",
    "  vesal dicom echo ORTHANC@127.0.0.1:4242\n"
    "  vesal dicom echo pacs --nodes rules.yaml\n",
    [](CLI::App& app) -> std::function<int()> {
      auto options = std::make_shared<PeerOptions>();
      auto name = std::make_shared<std::string>();
      app.add_option("NODE", *name, "Name in the nodes file, AET@HOST:PORT, or the https:// root of a DICOMweb service")->required();
      add_peer_options(app, *options);
      return [options, name] { return run(*options, *name); };
    },
});

}  // namespace
}  // namespace vesal::cli
