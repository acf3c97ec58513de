#include "dicom/association.h"

#include <arpa/inet.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmnet/dul.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "dicom/attributes.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

constexpr const char* kImplicit = "1.2.840.10008.1.2";
constexpr const char* kExplicit = "1.2.840.10008.1.2.1";

/// DCMTK reads the request on the thread that waits for connections, so that one silent peer would keep all others out. We accept by
/// ourselves and tell DCMTK, whose switch is one for the whole process, that the socket comes from outside: any connected one, as GuardedLayer
/// puts the real one in its place.
void accept_elsewhere() {
  static const bool done = [] {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), caller = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, raw, size) != 0 || ::listen(listener, 1) != 0 || ::getsockname(listener, raw, &size) != 0 ||
        ::connect(caller, raw, size) != 0)
      throw Error(ErrorKind::io, "no sockets on the loopback interface");
    const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listener);
    dcmExternalSocketHandle.set(accepted);
    dcmDisableGethostbyaddr.set(OFTrue);  // names are nobody's proof, and looking them up takes seconds
    return true;
  }();
  (void)done;
}

std::string trimmed(const char* text) {
  std::string out(text);
  out.erase(out.find_last_not_of(' ') + 1);
  out.erase(0, std::min(out.find_first_not_of(' '), out.size()));
  return out;
}

}  // namespace

std::string choose_transfer_syntax(const std::vector<std::string>& offered) {
  const auto known = [](const std::string& uid) {
    const auto& all = storage_transfer_syntaxes();
    return std::find(all.begin(), all.end(), uid) != all.end();
  };
  const auto first = std::find_if(offered.begin(), offered.end(), known);
  if (first == offered.end()) return "";
  return *first == kImplicit && std::find(offered.begin(), offered.end(), kExplicit) != offered.end() ? kExplicit : *first;
}

bool is_storage_class(const std::string& uid) {
  return is_uid(uid) && (uid.starts_with("1.2.840.10008.5.1.4.1.1.") || dcmIsaStorageSOPClassUID(uid.c_str()));
}

Association::Association(std::shared_ptr<ConnectionGuard> guard, const Reception& reception, bool full) : guard_(std::move(guard)) {
  try {
    start_toolkit();
    accept_elsewhere();
    layer_ = std::make_unique<GuardedLayer>(guard_, reception.tls);
    const int seconds = static_cast<int>(std::max<std::int64_t>(1, reception.limits.acse.count() / 1000));
    check(ASC_initializeNetwork(NET_ACCEPTOR, 0, seconds, &network_), "network", ErrorKind::internal);
    check(ASC_setTransportLayer(network_, layer_.get(), 0), "transport", ErrorKind::internal);
    check(ASC_receiveAssociation(network_, &association_, static_cast<long>(reception.limits.pdu), nullptr, nullptr, reception.tls != nullptr,
                                 DUL_NOBLOCK, seconds),
          "no association request", ErrorKind::format);
    negotiate(reception, full);
  } catch (...) {
    finish();
    throw;
  }
}

Association::~Association() { finish(); }

void Association::finish() {
  const int socket = guard_->socket();
  if (association_) {
    ASC_dropAssociation(association_);
    ASC_destroyAssociation(&association_);
  }
  if (network_) ASC_dropNetwork(&network_);
  if (socket >= 0 && guard_->socket() >= 0) {  // DCMTK never came to own it
    guard_->closed();
    ::close(socket);
  }
}

void Association::refuse(T_ASC_RejectParametersResult result, T_ASC_RejectParametersSource source, T_ASC_RejectParametersReason reason,
                         const std::string& why) {
  const T_ASC_RejectParameters rejected{result, source, reason};
  ASC_rejectAssociation(association_, &rejected);
  throw Error(ErrorKind::refused, why);
}

void Association::negotiate(const Reception& reception, bool full) {
  char calling[DUL_LEN_TITLE + 1] = {}, called[DUL_LEN_TITLE + 1] = {}, context[DUL_LEN_NAME + 1] = {};
  check(ASC_getAPTitles(association_->params, calling, sizeof calling, called, sizeof called, nullptr, 0), "titles");
  caller_ = trimmed(calling);
  check(ASC_getApplicationContextName(association_->params, context, sizeof context), "application context");
  if (std::string(context) != UID_StandardApplicationContext)
    refuse(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED,
           "another application context than DICOM's");
  if (trimmed(called) != reception.aet)
    refuse(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED, "it asked for another AE title");
  if (!is_aet(caller_) ||
      (!reception.callers.empty() && std::find(reception.callers.begin(), reception.callers.end(), caller_) == reception.callers.end()))
    refuse(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED, "its AE title is not allowed");
  if (full)
    refuse(ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED, ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED,
           "all associations are taken");

  for (int i = 0; i < ASC_countPresentationContexts(association_->params); ++i) {
    T_ASC_PresentationContext offer;
    if (ASC_getPresentationContext(association_->params, i, &offer).bad()) continue;
    const std::vector<std::string> syntaxes(offer.proposedTransferSyntaxes, offer.proposedTransferSyntaxes + offer.transferSyntaxCount);
    const std::string chosen = choose_transfer_syntax(syntaxes), sop_class = offer.abstractSyntax;
    const bool wanted = sop_class == UID_VerificationSOPClass || is_storage_class(sop_class);
    const OFCondition answered =
        !wanted          ? ASC_refusePresentationContext(association_->params, offer.presentationContextID, ASC_P_ABSTRACTSYNTAXNOTSUPPORTED)
        : chosen.empty() ? ASC_refusePresentationContext(association_->params, offer.presentationContextID, ASC_P_TRANSFERSYNTAXESNOTSUPPORTED)
                         : ASC_acceptPresentationContext(association_->params, offer.presentationContextID, chosen.c_str());
    check(answered, "presentation context");
  }
  check(ASC_acknowledgeAssociation(association_), "acknowledging", ErrorKind::io);
}

bool Association::data_waiting() const { return ASC_dataWaiting(association_, 1); }
void Association::acknowledge_release() { ASC_acknowledgeRelease(association_); }
void Association::abort() { ASC_abortAssociation(association_); }

}  // namespace vesal::dicom
