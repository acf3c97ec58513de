#include "dicom/store_scp.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmf.h>
#include <dcmtk/dcmnet/dimse.h>
#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <system_error>

#include "base/log.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {
namespace fs = std::filesystem;

constexpr std::uint64_t kCommandBytes = 64 << 10;  ///< a command set has a dozen short elements

int seconds_of(std::chrono::milliseconds t) { return static_cast<int>(std::max<std::int64_t>(1, (t.count() + 999) / 1000)); }

std::atomic<std::uint64_t> deliveries{0};

class Server {
 public:
  Server(Association& association, ObjectSink& sink, const Limits& limits) : association_(association), sink_(sink), limits_(limits) {}

  StoreOutcome run(const std::function<bool()>& stopping) {
    const auto idle_end = [this] { return std::chrono::steady_clock::now() + limits_.dimse; };
    auto end = idle_end();
    while (out_.end.empty()) {
      if (!association_.data_waiting()) {
        if (stopping()) stop("this node stops");
        else if (std::chrono::steady_clock::now() > end) {  // some senders leave associations open for days
          sink_.ended(delivery_, true);
          stop("nothing came for too long");
        }
        continue;
      }
      message();
      end = idle_end();
      if (out_.end.empty() && out_.stored + out_.refused >= limits_.association_instances) stop("too many instances on one association");
      if (out_.end.empty() && association_.guard().received() > limits_.association_bytes) stop("too many bytes on one association");
    }
    sink_.ended(delivery_, false);  // of no consequence after the other one
    return out_;
  }

 private:
  void stop(const std::string& why) {
    association_.guard().until(std::chrono::seconds(2));
    association_.abort();
    out_.end = why;
  }

  void message() {
    T_DIMSE_Message message;
    std::memset(&message, 0, sizeof message);
    T_ASC_PresentationContextID context = 0;
    DcmDataset* detail = nullptr;
    association_.guard().allow(kCommandBytes + limits_.pdu);
    const OFCondition got = DIMSE_receiveCommand(association_.handle(), DIMSE_NONBLOCKING, seconds_of(limits_.dimse), &context, &message, &detail);
    delete detail;
    if (got == DUL_PEERREQUESTEDRELEASE) {
      sink_.ended(delivery_, true);
      association_.acknowledge_release();
      out_.end = "released";
    } else if (got == DUL_PEERABORTEDASSOCIATION) {
      out_.end = "aborted by the other side";
    } else if (got.bad()) {
      stop(std::string("no message: ") + got.text());
    } else if (message.CommandField == DIMSE_C_ECHO_RQ) {
      if (DIMSE_sendEchoResponse(association_.handle(), context, &message.msg.CEchoRQ, STATUS_Success, nullptr).bad()) out_.end = "gone";
    } else if (message.CommandField == DIMSE_C_STORE_RQ) {
      store(message.msg.CStoreRQ, context);
    } else {
      stop(fmt::format("message {:#06x} is neither C-ECHO nor C-STORE", static_cast<unsigned>(message.CommandField)));
    }
  }

  void store(T_DIMSE_C_StoreRQ& request, T_ASC_PresentationContextID context) {
    // Rooms for the heads of the fragments, which may be small.
    association_.guard().allow(limits_.object + limits_.object / 8 + limits_.pdu);
    std::uint16_t status = STATUS_Success;
    fs::path file;
    try {
      file = sink_.incoming();
    } catch (const Error& e) {
      status = refused(e);
      if (!drain(context)) return;
    }
    if (!file.empty()) {
      if (!receive(request, context, file, status)) return;
      if (status == STATUS_Success) status = keep(request, file);
      std::error_code ignored;
      fs::remove(file, ignored);
    }
    ++(status == STATUS_Success ? out_.stored : out_.refused);
    answer(request, context, status);
  }

  std::uint16_t refused(const Error& e) {
    log::warning("an object was refused: {}", e.what());
    return static_cast<std::uint16_t>(e.kind() == ErrorKind::refused ? 0xA700 : error_codes(e.kind()).dimse_status);
  }

  bool drain(T_ASC_PresentationContextID) {
    DIC_UL bytes = 0, pdvs = 0;
    if (DIMSE_ignoreDataSet(association_.handle(), DIMSE_NONBLOCKING, seconds_of(limits_.dimse), &bytes, &pdvs).good()) return true;
    stop("a data set did not come to its end");
    return false;
  }

  /// False: the association has ended.
  bool receive(T_DIMSE_C_StoreRQ& request, T_ASC_PresentationContextID context, const fs::path& file, std::uint16_t& status) {
    DcmOutputFileStream* raw = nullptr;
    if (DIMSE_createFilestream(OFFilename(file.c_str()), &request, association_.handle(), context, 1, &raw).bad()) {
      status = STATUS_STORE_Refused_OutOfResources;
      return drain(context);
    }
    const std::unique_ptr<DcmOutputFileStream> stream(raw);
    T_ASC_PresentationContextID used = 0;
    OFCondition got =
        DIMSE_receiveDataSetInFile(association_.handle(), DIMSE_NONBLOCKING, seconds_of(limits_.dimse), &used, stream.get(), nullptr, nullptr);
    if (got.good()) {
      stream->flush();
      if (!stream->good()) status = STATUS_STORE_Refused_OutOfResources;
      else if (used != context) status = STATUS_STORE_Error_CannotUnderstand;
      return true;
    }
    if (got.code() == DIMSEC_OUTOFRESOURCES) {  // the rest has been read and thrown away
      status = STATUS_STORE_Refused_OutOfResources;
      return true;
    }
    std::error_code ignored;
    fs::remove(file, ignored);
    stop(std::string("a data set did not come to its end: ") + got.text());
    return false;
  }

  std::uint16_t keep(const T_DIMSE_C_StoreRQ& request, const fs::path& file) {
    try {
      if (fs::file_size(file) > limits_.object) throw Error(ErrorKind::memory, "it is larger than limits: object");
      sink_.keep({file, request.AffectedSOPInstanceUID, request.AffectedSOPClassUID, association_.caller(), delivery_});
      return STATUS_Success;
    } catch (const Error& e) { return refused(e); } catch (const std::exception& e) {
      return refused(Error(ErrorKind::internal, e.what()));
    }
  }

  void answer(T_DIMSE_C_StoreRQ& request, T_ASC_PresentationContextID context, std::uint16_t status) {
    T_DIMSE_C_StoreRSP response;
    std::memset(&response, 0, sizeof response);
    response.MessageIDBeingRespondedTo = request.MessageID;
    std::memcpy(response.AffectedSOPClassUID, request.AffectedSOPClassUID, sizeof response.AffectedSOPClassUID);
    std::memcpy(response.AffectedSOPInstanceUID, request.AffectedSOPInstanceUID, sizeof response.AffectedSOPInstanceUID);
    response.opts = O_STORE_AFFECTEDSOPCLASSUID | O_STORE_AFFECTEDSOPINSTANCEUID;
    response.DimseStatus = status;
    response.DataSetType = DIMSE_DATASET_NULL;
    association_.guard().until(limits_.dimse);
    if (DIMSE_sendStoreResponse(association_.handle(), context, &request, &response, nullptr).bad()) stop("the response could not be sent");
  }

  Association& association_;
  ObjectSink& sink_;
  const Limits& limits_;
  const std::uint64_t delivery_ = ++deliveries;
  StoreOutcome out_;
};

}  // namespace

StoreOutcome serve_association(Association& association, ObjectSink& sink, const Limits& limits, const std::function<bool()>& stopping) {
  return Server(association, sink, limits).run(stopping);
}

}  // namespace vesal::dicom
