// vesal dicom find: what an archive has.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/dicom_command.h"
#include "dicom/attributes.h"

namespace vesal::cli {
namespace {

int run(const PeerOptions& options, const QueryOptions& query, const std::string& name) {
  const dicom::Peer peer = peer_named(options, name);
  List list;
  for (const dicom::Attributes& match : find_at(peer, options.aet, query)) {
    Dict item;
    // What was asked for: archives add names of patients by themselves.
    for (const auto& [keyword, asked] : keys_of(query)) item[keyword] = dicom::value_of(match, keyword);
    list.items.push_back(item);
    if (globals().json) continue;
    const bool series = query.level == "SERIES";
    fmt::print("{}  {:<16} {:<8} {:>5}  {}\n", dicom::value_of(match, series ? "SeriesInstanceUID" : "StudyInstanceUID"),
               dicom::value_of(match, "AccessionNumber"), dicom::value_of(match, series ? "Modality" : "StudyDate"),
               dicom::value_of(match, series ? "NumberOfSeriesRelatedInstances" : "NumberOfStudyRelatedInstances"),
               dicom::value_of(match, series ? "SeriesDescription" : "StudyDescription"));
  }
  if (globals().json) fmt::print("{}\n", to_json(list));
  else if (list.items.empty()) fmt::print("{} has nothing that matches\n", peer.name);
  return 0;
}

const RegisterCommand command({
    "dicom find",
    "Ask an archive for studies or series: C-FIND or QIDO-RS",
    "  vesal dicom find --from pacs --nodes rules.yaml --accession 123\n"
    "  vesal dicom find --from ORTHANC@127.0.0.1:4242 --date 20261101-20261130 --modality CT --json\n"
    "  vesal dicom find --from https://pacs.example/dicom-web --level SERIES --study 1.2.840.1\n",
    [](CLI::App& app) -> std::function<int()> {
      auto options = std::make_shared<PeerOptions>();
      auto query = std::make_shared<QueryOptions>();
      auto name = std::make_shared<std::string>();
      app.add_option("--from", *name, "Node to ask: a name, AET@HOST:PORT, or a DICOMweb root")->required();
      app.add_option("--level", query->level, "STUDY or SERIES")->check(CLI::IsMember({"STUDY", "SERIES"}))->capture_default_str();
      add_query_options(app, *query);
      add_peer_options(app, *options);
      return [=] { return run(*options, *query, *name); };
    },
});

}  // namespace
}  // namespace vesal::cli
