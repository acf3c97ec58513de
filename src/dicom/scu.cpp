#include "dicom/scu.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/dcmnet/dcmtrans.h>
#include <dcmtk/dcmnet/scu.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/cancel.h"
#include "base/log.h"
#include "dicom/attributes.h"
#include "dicom/tls_layer.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

unsigned seconds_of(std::chrono::milliseconds t) { return static_cast<unsigned>(std::max<std::int64_t>(1, (t.count() + 999) / 1000)); }

void answered(unsigned status, const std::string& what) {
  if (status != STATUS_Success && (status & 0xf000) != 0xb000) throw Error(ErrorKind::refused, fmt::format("{}: status {:#06x}", what, status));
}

/// Connections whose last pieces are not held back until the other side acknowledges (Nagle), which takes 40 ms an object. In the clear without a
/// layer of TLS, whatever DCMTK calls "secure".
class PromptLayer : public DcmTransportLayer {
 public:
  explicit PromptLayer(std::unique_ptr<DcmTransportLayer> tls) : tls_(std::move(tls)) {}
  DcmTransportConnection* createConnection(DcmNativeSocketType socket, OFBool) override {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return tls_ ? tls_->createConnection(socket, OFTrue) : new DcmTCPConnection(socket);
  }

 private:
  std::unique_ptr<DcmTransportLayer> tls_;
};

}  // namespace

/// DCMTK's class with what comes in bounded and put where it belongs.
class Scu::Connection : public DcmSCU {
 public:
  using DcmSCU::useSecureConnection;

  ObjectSink* sink = nullptr;
  std::string caller;
  std::size_t most = 0;
  std::vector<Attributes> found;
  unsigned last_status = STATUS_Success;
  RetrieveCounts counts;

  OFCondition handleFINDResponse(const T_ASC_PresentationContextID, QRResponse* response, OFBool& more) override {
    last_status = response->m_status;
    more = (response->m_status & 0xfffe) == 0xff00;
    if (more && response->m_dataset) found.push_back(attributes_of(*response->m_dataset));
    if (more && (found.size() >= most || cancel_requested())) more = OFFalse;
    return EC_Normal;
  }
  OFCondition handleMOVEResponse(const T_ASC_PresentationContextID, RetrieveResponse* response, OFBool& more) override {
    return counted(*response, more);
  }
  OFCondition handleCGETResponse(const T_ASC_PresentationContextID, RetrieveResponse* response, OFBool& more) override {
    return counted(*response, more);
  }

  /// The name that DCMTK made of the identifier on the wire is not used.
  OFCondition handleSTORERequestFile(T_ASC_PresentationContextID* context, const OFString&, T_DIMSE_C_StoreRQ* request) override {
    const std::filesystem::path file = sink->incoming();
    OFCondition got = DcmSCU::handleSTORERequestFile(context, file.c_str(), request);
    if (got.good()) {
      try {
        sink->keep({file, request->AffectedSOPInstanceUID, request->AffectedSOPClassUID, caller});
      } catch (const Error& e) {
        log::warning("an object was refused: {}", e.what());
        got = EC_InvalidFilename;
      }
    }
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    return got;
  }

 private:
  OFCondition counted(const RetrieveResponse& response, OFBool& more) {
    last_status = response.m_status;
    counts = {response.m_numberOfCompletedSubops + response.m_numberOfWarningSubops, response.m_numberOfFailedSubops};
    more = response.m_status == STATUS_Pending && !cancel_requested();
    return EC_Normal;
  }
};

Scu::Scu(const Peer& peer, const std::string& own_aet, const std::vector<OfferedContext>& contexts)
    : name_(peer.name), connection_(std::make_unique<Connection>()) {
  start_toolkit();
  Connection& c = *connection_;
  c.caller = peer.aet;
  c.setAETitle(own_aet.c_str());
  c.setPeerAETitle(peer.aet.c_str());
  c.setPeerHostName(peer.host.c_str());
  c.setPeerPort(static_cast<Uint16>(peer.port));
  c.setConnectionTimeout(static_cast<Sint32>(seconds_of(peer.connect_timeout)));
  c.setACSETimeout(seconds_of(peer.timeout));
  c.setDIMSETimeout(seconds_of(peer.timeout));
  c.setDIMSEBlockingMode(DIMSE_NONBLOCKING);
  c.setDatasetConversionMode(OFTrue);
  c.setProgressNotificationMode(OFFalse);
  c.setStorageMode(DCMSCU_STORAGE_BIT_PRESERVING);
  for (const OfferedContext& context : contexts) {
    OFList<OFString> syntaxes;
    for (const std::string& uid : context.transfer_syntaxes) syntaxes.push_back(uid.c_str());
    check(c.addPresentationContext(context.sop_class.c_str(), syntaxes, context.receives ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT), name_,
          ErrorKind::internal);
  }
  check(c.initNetwork(), name_, ErrorKind::io);
  layer_ = std::make_unique<PromptLayer>(make_tls_layer(peer.tls, false));
  check(c.useSecureConnection(layer_.get()), name_, ErrorKind::io);
  const OFCondition open = c.negotiateAssociation();
  const bool rejected = open.code() == DULC_ASSOCIATIONREJECTED || open == NET_EC_NoAcceptablePresentationContexts;
  check(open, fmt::format("{}: no association with {} at {} port {}", name_, peer.aet, peer.host, peer.port),
        rejected ? ErrorKind::refused : ErrorKind::io);
}

Scu::~Scu() {
  if (connection_ && connection_->isConnected() && connection_->releaseAssociation().bad()) connection_->abortAssociation();
}

unsigned char Scu::context_for(const char* sop_class, const char* what) const {
  const T_ASC_PresentationContextID id = connection_->findAnyPresentationContextID(sop_class, UID_LittleEndianExplicitTransferSyntax);
  if (id == 0) throw Error(ErrorKind::refused, name_ + ": it does not offer " + what);
  return id;
}

void Scu::echo() { check(connection_->sendECHORequest(context_for(UID_VerificationSOPClass, "C-ECHO")), name_ + ": C-ECHO", ErrorKind::io); }

std::vector<Attributes> Scu::find(const std::string& level, const Attributes& keys, std::size_t most) {
  DcmDataset query = dataset_of(keys);
  query.putAndInsertString(DCM_QueryRetrieveLevel, level.c_str());
  connection_->most = most;
  connection_->found.clear();
  check(connection_->sendFINDRequest(context_for(UID_FINDStudyRootQueryRetrieveInformationModel, "C-FIND"), &query, nullptr), name_ + ": C-FIND",
        ErrorKind::io);
  check_cancelled();
  if (connection_->found.size() >= most) {
    log::warning("{}: more than {} matches; the rest is left out", name_, most);
    connection_->abortAssociation();  // the others are still on their way
  } else {
    answered(connection_->last_status, name_ + ": C-FIND");
  }
  return std::move(connection_->found);
}

RetrieveCounts Scu::move(const std::string& study, const std::string& to) {
  DcmDataset query = dataset_of({{"QueryRetrieveLevel", "STUDY"}, {"StudyInstanceUID", study}});
  check(connection_->sendMOVERequest(context_for(UID_MOVEStudyRootQueryRetrieveInformationModel, "C-MOVE"), to.c_str(), &query, nullptr),
        name_ + ": C-MOVE", ErrorKind::io);
  check_cancelled();
  answered(connection_->last_status, name_ + ": C-MOVE to " + to);
  return connection_->counts;
}

RetrieveCounts Scu::get(const std::string& study, ObjectSink& sink) {
  DcmDataset query = dataset_of({{"QueryRetrieveLevel", "STUDY"}, {"StudyInstanceUID", study}});
  connection_->sink = &sink;
  check(connection_->sendCGETRequest(context_for(UID_GETStudyRootQueryRetrieveInformationModel, "C-GET"), &query, nullptr), name_ + ": C-GET",
        ErrorKind::io);
  check_cancelled();
  answered(connection_->last_status, name_ + ": C-GET");
  return connection_->counts;
}

unsigned Scu::store(const std::filesystem::path& file, const std::string& sop_class, const std::string& transfer_syntax) {
  const auto& plain = uncompressed();
  const bool converts = std::find(plain.begin(), plain.end(), transfer_syntax) != plain.end();
  const T_ASC_PresentationContextID id = converts ? connection_->findAnyPresentationContextID(sop_class.c_str(), transfer_syntax.c_str())
                                                  : connection_->findPresentationContextID(sop_class.c_str(), transfer_syntax.c_str());
  if (id == 0)
    throw Error(ErrorKind::refused, fmt::format("{}: it does not take objects of class {} in transfer syntax {}", name_, sop_class, transfer_syntax));
  Uint16 status = 0;
  check(connection_->sendSTORERequest(id, OFFilename(file.c_str()), nullptr, status), name_ + ": C-STORE", ErrorKind::io);
  return status;
}

const std::vector<std::string>& uncompressed() {
  static const std::vector<std::string> list{UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax};
  return list;
}

std::vector<OfferedContext> query_contexts(bool move) {
  std::vector<OfferedContext> out{{UID_VerificationSOPClass, uncompressed()}, {UID_FINDStudyRootQueryRetrieveInformationModel, uncompressed()}};
  if (move) out.push_back({UID_MOVEStudyRootQueryRetrieveInformationModel, uncompressed()});
  return out;
}

std::vector<OfferedContext> get_contexts() {
  std::vector<OfferedContext> out{{UID_GETStudyRootQueryRetrieveInformationModel, uncompressed()}};
  for (int i = 0; i < numberOfDcmLongSCUStorageSOPClassUIDs && out.size() < 128; ++i)
    out.push_back({dcmLongSCUStorageSOPClassUIDs[i], storage_transfer_syntaxes(), true});
  return out;
}

}  // namespace vesal::dicom
