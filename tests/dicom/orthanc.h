// Orthanc as a real archive beside a test.
#pragma once
#include <memory>
#include <string>

#include "base/value.h"
#include "dicom/child.h"
#include "dicom/peer.h"
#include "paths.h"

namespace vesal::tests {

class Orthanc {
 public:
  static bool installed();
  /// Starts one on free ports that knows an AE title VESAL at `node_port` of this machine. Throws if it does not come up in 30 s.
  explicit Orthanc(int node_port);

  dicom::Peer dimse() const;
  dicom::Peer web() const;
  int port() const { return port_; }
  int http_port() const { return http_port_; }

  Value get(const std::string& path) const;
  Value post(const std::string& path, const std::string& body) const;
  /// Sends the file in; returns Orthanc's identifier of the study.
  std::string add(const std::filesystem::path& file) const;
  /// Asks it to send a study to VESAL by C-STORE; whether all was taken. Throws nothing.
  bool send_study(const std::string& id) const;
  /// SOP instances of a study with one of these modalities ("SEG"), by StudyInstanceUID.
  std::vector<std::string> instances(const std::string& study, const std::string& modality) const;

 private:
  TempDir folder_;
  int port_, http_port_;
  Child child_;
};

}  // namespace vesal::tests
