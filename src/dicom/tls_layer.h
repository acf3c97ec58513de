// TLS as PS3.15 asks for it (BCP 195), for both sides of DIMSE associations.
#pragma once
#include <memory>

#include "dicom/peer.h"

class DcmTransportLayer;

namespace vesal::dicom {

/// Certificates and trust of `tls` in DCMTK's form; `accepts` for the side that is called. The other side must show a certificate that
/// tls.authorities holds or has signed, unless verify is off. Whose name it bears is not compared: trust only authorities that sign for your
/// own nodes. Throws Error(config) naming the file; null if TLS is off.
std::unique_ptr<DcmTransportLayer> make_tls_layer(const Tls& tls, bool accepts);

}  // namespace vesal::dicom
