#include "cli/dicom_command.h"

#include <cstdlib>

#include "dicom/dicomweb.h"
#include "dicom/node_config.h"

namespace vesal::cli {

void add_peer_options(CLI::App& app, PeerOptions& options) {
  app.add_option("--nodes", options.nodes, "YAML file with nodes, such as a rules file (default: $VESAL_NODES)");
  app.add_option("--aet", options.aet, "Our AE title")->capture_default_str();
}

dicom::Peer peer_named(const PeerOptions& options, const std::string& name) {
  if (!dicom::is_aet(options.aet)) throw Error(ErrorKind::usage, "--aet '" + options.aet + "' is no AE title: 1 to 16 characters");
  std::filesystem::path file = options.nodes;
  if (const char* usual = std::getenv("VESAL_NODES"); file.empty() && usual) file = usual;
  if (!file.empty()) {
    const dicom::NodeConfig config = dicom::read_node_config(file);
    if (const auto found = config.peers.find(name); found != config.peers.end()) return found->second;
    if (name.find_first_of("@:") == std::string::npos) {
      std::string known;
      for (const auto& [other, peer] : config.peers) known += (known.empty() ? "" : ", ") + other;
      throw Error(ErrorKind::not_found, "no node '" + name + "' in " + file.string() + "; there are " + (known.empty() ? "none" : known));
    }
  }
  return dicom::parse_peer(name);
}

void add_query_options(CLI::App& app, QueryOptions& o) {
  app.add_option("--accession", o.accession, "Accession number");
  app.add_option("--patient-id", o.patient, "Patient's number");
  app.add_option("--study", o.study, "Study's identifier (UID)");
  app.add_option("--date", o.date, "Date of the study, 20261124 or 20261101-20261130");
  app.add_option("--modality", o.modality, "CT, MR, ...");
  app.add_option("--key", o.keys, "KEYWORD=VALUE, or KEYWORD to be told its value; may be repeated")->allow_extra_args(false);
}

dicom::Attributes keys_of(const QueryOptions& o) {
  const bool series = o.level == "SERIES";
  dicom::Attributes keys{{"StudyInstanceUID", o.study}, {"AccessionNumber", o.accession}, {"PatientID", o.patient}, {"StudyDate", o.date}};
  keys.emplace_back(series ? "Modality" : "ModalitiesInStudy", o.modality);
  keys.emplace_back(series ? "SeriesDescription" : "StudyDescription", "");
  keys.emplace_back(series ? "NumberOfSeriesRelatedInstances" : "NumberOfStudyRelatedInstances", "");
  if (series) keys.emplace_back("SeriesInstanceUID", "");
  for (const std::string& key : o.keys) {
    const auto equals = key.find('=');
    const std::string name = key.substr(0, equals), value = equals == std::string::npos ? "" : key.substr(equals + 1);
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.first == name; });
    if (known != keys.end()) known->second = value;
    else keys.emplace_back(name, value);
  }
  return keys;
}

std::vector<dicom::Attributes> find_at(const dicom::Peer& peer, const std::string& own_aet, const QueryOptions& options) {
  const dicom::Attributes keys = keys_of(options);
  if (peer.web()) return dicom::Dicomweb(peer).find(options.level, keys);
  return dicom::Scu(peer, own_aet, dicom::query_contexts(false)).find(options.level, keys);
}

}  // namespace vesal::cli
