#include "dicom/tls_layer.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmtls/tlslayer.h>

#include "dicom/toolkit.h"

namespace vesal::dicom {

std::unique_ptr<DcmTransportLayer> make_tls_layer(const Tls& tls, bool accepts) {
  if (!tls.on) return nullptr;
  start_toolkit();
  auto layer = std::make_unique<DcmTLSTransportLayer>(accepts ? NET_ACCEPTOR : NET_REQUESTOR, nullptr, OFTrue);
  const auto good = [](const OFCondition& condition, const std::string& what) { check(condition, "TLS: " + what, ErrorKind::config); };
  good(layer->setTLSProfile(TSP_Profile_BCP195_ND), "profile");
  if (!tls.certificate.empty()) {
    good(layer->setPrivateKeyFile(tls.key.c_str(), DCF_Filetype_PEM), "key " + tls.key.string());
    good(layer->setCertificateFile(tls.certificate.c_str(), DCF_Filetype_PEM), "certificate " + tls.certificate.string());
    if (!layer->checkPrivateKeyMatchesCertificate())
      throw Error(ErrorKind::config, "TLS: " + tls.key.string() + " is not the key of " + tls.certificate.string());
  }
  if (!tls.authorities.empty()) good(layer->addTrustedCertificateFile(tls.authorities.c_str(), DCF_Filetype_PEM), "ca " + tls.authorities.string());
  good(layer->activateCipherSuites(), "cipher suites");
  layer->setCertificateVerification(tls.verify ? DCV_requireCertificate : DCV_ignoreCertificate);
  return layer;
}

}  // namespace vesal::dicom
