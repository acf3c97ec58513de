// vesal dicom fetch: studies from an archive into a folder.
#include <fmt/format.h>

#include "base/cancel.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/dicom_command.h"
#include "dicom/attributes.h"
#include "dicom/dicomweb.h"
#include "dicom/folder_sink.h"
#include "dicom/listener.h"
#include "dicom/toolkit.h"

namespace vesal::cli {
namespace {

struct Options {
  PeerOptions peer;
  QueryOptions query;
  std::string from, method, address = "0.0.0.0";
  std::filesystem::path output;
  int port = 11112;
};

/// By C-MOVE the archive calls us back, so that we are a node for as long as it takes, to that archive alone.
void fetch_by_move(const Options& o, const dicom::Peer& peer, const std::string& study, dicom::FolderSink& sink) {
  dicom::Listener::Options reception;
  reception.aet = o.peer.aet;
  reception.address = o.address;
  reception.port = o.port;
  reception.callers = {peer.aet};
  reception.tls = peer.tls;
  dicom::Listener listener(reception, sink);
  const dicom::RetrieveCounts counts = dicom::Scu(peer, o.peer.aet, dicom::query_contexts(true)).move(study, o.peer.aet);
  if (counts.failed > 0) throw Error(ErrorKind::refused, fmt::format("{}: {} instances could not be sent", peer.name, counts.failed));
  if (sink.kept() < counts.completed)
    throw Error(ErrorKind::not_found, fmt::format("{} has sent {} instances to '{}', {} came here: it knows that AE title at another address or port "
                                                  "than {}:{}. Correct that at the archive or with --port, or use --method get",
                                                  peer.name, counts.completed, o.peer.aet, sink.kept(), o.address, o.port));
}

void fetch_study(const Options& o, const dicom::Peer& peer, const std::string& study, dicom::FolderSink& sink) {
  const std::string method = !o.method.empty() ? o.method : peer.get ? "get" : "move";
  if (peer.web()) dicom::Dicomweb(peer).get(study, sink);
  else if (method == "move") fetch_by_move(o, peer, study, sink);
  else if (const int failed = dicom::Scu(peer, o.peer.aet, dicom::get_contexts()).get(study, sink).failed; failed > 0)
    throw Error(ErrorKind::refused, fmt::format("{}: {} instances could not be sent", peer.name, failed));
}

int run(Options& o) {
  const QueryOptions& q = o.query;
  if (q.accession.empty() && q.patient.empty() && q.study.empty() && q.date.empty() && q.keys.empty())
    throw Error(ErrorKind::usage, "which study? --accession, --study, --patient-id, --date or --key says so");
  const dicom::Peer peer = peer_named(o.peer, o.from);
  const auto matches = find_at(peer, o.peer.aet, q);
  if (matches.empty()) throw Error(ErrorKind::not_found, peer.name + " has no study that matches");
  List list;
  for (const dicom::Attributes& match : matches) {
    check_cancelled();
    const std::string study = dicom::value_of(match, "StudyInstanceUID");
    if (!dicom::is_uid(study)) throw Error(ErrorKind::format, peer.name + ": a match without an identifier of its study");
    dicom::FolderSink sink(o.output);
    fetch_study(o, peer, study, sink);
    list.items.push_back(Dict{{"study", study}, {"instances", sink.kept()}});
    if (!globals().json) fmt::print("{}: {} instances\n", study, sink.kept());
  }
  if (globals().json) fmt::print("{}\n", to_json(list));
  return 0;
}

const RegisterCommand command({
    "dicom fetch",
    "Fetch studies from an archive into a folder: C-MOVE, C-GET or WADO-RS",
    "  vesal dicom fetch --from pacs --nodes rules.yaml --accession 123 -o study\n"
    "  vesal dicom fetch --from ORTHANC@127.0.0.1:4242 --method get --study 1.2.840.1 -o study\n"
    "\n"
    "C-MOVE: the archive must know our AE title (--aet), this machine and --port. See docs/dicom-node.md.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("--from", o->from, "Node: a name, AET@HOST:PORT, or a DICOMweb root")->required();
      app.add_option("-o,--output", o->output, "Folder for the files")->required();
      app.add_option("--method", o->method, "move or get (default: what the nodes file says, else move)")->check(CLI::IsMember({"move", "get"}));
      app.add_option("--port", o->port, "Where the archive calls us for C-MOVE")->check(CLI::Range(1, 65535))->capture_default_str();
      app.add_option("--bind", o->address, "Address to be called at")->capture_default_str();
      add_query_options(app, o->query);
      add_peer_options(app, o->peer);
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
