// What the commands that talk to DICOM nodes share.
#pragma once
#include <filesystem>
#include <string>

#include "cli/command.h"
#include "dicom/peer.h"
#include "dicom/scu.h"

namespace vesal::cli {

struct PeerOptions {
  std::filesystem::path nodes;  ///< file with "nodes:"
  std::string aet = "VESAL";
};
/// --nodes and --aet.
void add_peer_options(CLI::App& app, PeerOptions& options);
/// A node of the file, AET@HOST:PORT, or the https:// root of a DICOMweb service. Throws Error(usage | not_found | config).
dicom::Peer peer_named(const PeerOptions& options, const std::string& name);

struct QueryOptions {
  std::string accession, patient, study, date, modality, level = "STUDY";
  std::vector<std::string> keys;  ///< "Keyword=value"
};
void add_query_options(CLI::App& app, QueryOptions& options);
/// For a query at options.level; asks for the usual attributes too. Throws Error(usage).
dicom::Attributes keys_of(const QueryOptions& options);
/// Asks by C-FIND or QIDO-RS.
std::vector<dicom::Attributes> find_at(const dicom::Peer& peer, const std::string& own_aet, const QueryOptions& options);

}  // namespace vesal::cli
