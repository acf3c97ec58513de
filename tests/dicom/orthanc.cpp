#include "dicom/orthanc.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "dicom/http.h"

namespace vesal::tests {
namespace {

constexpr const char* kProgram = "/usr/sbin/Orthanc";

}  // namespace

bool Orthanc::installed() { return std::filesystem::exists(kProgram) && std::filesystem::exists("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"); }

Orthanc::Orthanc(int node_port) : port_(free_port()), http_port_(free_port()) {
  const std::filesystem::path config = folder_ / "orthanc.json";
  write_file(config, fmt::format(R"({{
    "Name": "test", "StorageDirectory": "{0}", "IndexDirectory": "{0}", "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
    "DicomAet": "ORTHANC", "DicomPort": {1}, "HttpPort": {2}, "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
    "HttpThreadsCount": 4, "ConcurrentJobs": 2, "DicomAlwaysAllowStore": true, "DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true,
    "DicomAlwaysAllowMove": true, "DicomCheckCalledAet": true, "OverwriteInstances": false, "SaveJobs": false, "StableAge": 1,
    "DicomModalities": {{"VESAL": {{"AET": "VESAL", "Host": "127.0.0.1", "Port": {3}, "Timeout": 20}}}},
    "DicomWeb": {{"Enable": true, "Root": "/dicom-web/", "EnableWado": true}}
  }})",
                                 folder_.path().string(), port_, http_port_, node_port));
  child_ = Child({kProgram, config.string()}, (folder_ / "log").string());
  const bool up = eventually(30, [&] {
    try {
      get("/system");
      return true;
    } catch (const Error&) { return false; }
  });
  if (!up) throw std::runtime_error("Orthanc does not start: " + read_text(folder_ / "log").substr(0, 2000));
}

dicom::Peer Orthanc::dimse() const {
  dicom::Peer peer;
  peer.name = "orthanc";
  peer.aet = "ORTHANC";
  peer.host = "127.0.0.1";
  peer.port = port_;
  return peer;
}

dicom::Peer Orthanc::web() const {
  dicom::Peer peer;
  peer.name = "web";
  peer.url = fmt::format("http://127.0.0.1:{}/dicom-web", http_port_);
  return peer;
}

Value Orthanc::get(const std::string& path) const {
  std::string body;
  dicom::Peer peer = web();
  peer.connect_timeout = std::chrono::milliseconds(1000);
  dicom::http(peer, {.url = fmt::format("http://127.0.0.1:{}{}", http_port_, path)}, 1 << 26,
              [&](const std::string&, std::string_view b) { body += b; });
  return parse_json(body);
}

Value Orthanc::post(const std::string& path, const std::string& text) const {
  std::string body;
  dicom::HttpRequest request{.method = "POST", .url = fmt::format("http://127.0.0.1:{}{}", http_port_, path)};
  request.end = text;
  dicom::http(web(), request, 1 << 26, [&](const std::string&, std::string_view b) { body += b; });
  return parse_json(body);
}

std::string Orthanc::add(const std::filesystem::path& file) const {
  return post("/instances", read_text(file)).as_dict().at("ParentStudy").as_string();
}

bool Orthanc::send_study(const std::string& id) const {
  try {
    const Value answer = post("/modalities/VESAL/store", "\"" + id + "\"");
    return answer.as_dict().at("FailedInstancesCount").as_int() == 0;
  } catch (const Error&) { return false; }
}

std::vector<std::string> Orthanc::instances(const std::string& study, const std::string& modality) const {
  std::vector<std::string> out;
  const Value series =
      post("/tools/find",
           fmt::format(R"({{"Level": "Series", "Query": {{"StudyInstanceUID": "{}", "Modality": "{}"}}, "Expand": true}})", study, modality));
  for (const Value& one : series.items())
    for (const Value& instance : one.as_dict().at("Instances").items())
      out.push_back(get("/instances/" + instance.as_string()).as_dict().at("MainDicomTags").as_dict().at("SOPInstanceUID").as_string());
  return out;
}

}  // namespace vesal::tests
