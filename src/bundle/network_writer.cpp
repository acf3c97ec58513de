#include "bundle/network_writer.h"

#include <algorithm>

#include "bundle/checkpoint.h"
#include "bundle/safetensors.h"

namespace vesal::bundle {
namespace {

std::vector<NetworkWriter>& writers() {
  static std::vector<NetworkWriter> list;
  return list;
}

StateDict weights_of(const NetworkExport& what) {
  const auto network = what.network.object<Stateful>();
  if (!network) throw Error(ErrorKind::config, what.network.type_name() + " has no weights to write");
  return network->state_dict();
}

const RegisterNetworkWriter torch({.extensions = {".pt", ".pth"},
                                   .write = [](const NetworkExport& what) { write_state_dict(what.path, weights_of(what)); }});

const RegisterNetworkWriter safetensors({.extensions = {".safetensors"}, .write = [](const NetworkExport& what) {
                                           SafetensorsMetadata metadata = what.documents;
                                           metadata["format"] = "pt";
                                           write_safetensors(what.path, weights_of(what), metadata);
                                         }});

}  // namespace

RegisterNetworkWriter::RegisterNetworkWriter(NetworkWriter writer) { writers().push_back(std::move(writer)); }

void write_network(const NetworkExport& what) {
  const std::string extension = what.path.extension().string();
  std::vector<std::string> known;
  for (const NetworkWriter& writer : writers()) {
    if (std::find(writer.extensions.begin(), writer.extensions.end(), extension) != writer.extensions.end()) return writer.write(what);
    known.insert(known.end(), writer.extensions.begin(), writer.extensions.end());
  }
  std::sort(known.begin(), known.end());
  std::string list;
  for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
  throw Error(ErrorKind::usage, "no network can be written as '" + what.path.filename().string() + "'; this build writes " + list);
}

}  // namespace vesal::bundle
