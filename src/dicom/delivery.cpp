#include "dicom/delivery.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cancel.h"
#include "dicom/dicomweb.h"
#include "dicom/object_sink.h"
#include "dicom/scu.h"
#include "image/dicom_files.h"

namespace vesal::dicom {
namespace {

bool plain(const std::string& syntax) { return std::find(uncompressed().begin(), uncompressed().end(), syntax) != uncompressed().end(); }

void by_store(const Peer& peer, const std::string& own_aet, const std::vector<Parcel>& parcels,
              const std::function<void(std::size_t, const std::string&)>& told) {
  std::vector<std::string> syntaxes;
  std::vector<OfferedContext> contexts;
  for (const Parcel& parcel : parcels) {
    syntaxes.push_back(image::DicomObject(image::DicomFile(parcel.file)).transfer_syntax());
    const OfferedContext wanted{parcel.sop_class, plain(syntaxes.back()) ? uncompressed() : std::vector<std::string>{syntaxes.back()}};
    if (std::none_of(contexts.begin(), contexts.end(),
                     [&](const OfferedContext& c) { return c.sop_class == wanted.sop_class && c.transfer_syntaxes == wanted.transfer_syntaxes; }))
      contexts.push_back(wanted);
  }
  if (contexts.size() > 128) throw Error(ErrorKind::unsupported, "objects of more than 128 kinds at once; send them in several parts");
  Scu scu(peer, own_aet, contexts);
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    check_cancelled();
    std::string why;
    try {
      const unsigned status = scu.store(parcels[i].file, parcels[i].sop_class, syntaxes[i]);
      // Warnings (Bxxx) are kept objects.
      if (status != 0 && (status & 0xf000) != 0xb000) why = fmt::format("{} answered {:#06x}", peer.name, status);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::refused) throw;
      why = e.what();
    }
    told(i, why);
  }
}

}  // namespace

Parcel parcel_of(const std::filesystem::path& file) {
  return with_context(file.string(), [&] {
    const ObjectFacts facts = read_object_facts(file);
    return Parcel{file, facts.sop, facts.sop_class};
  });
}

void deliver(const Peer& peer, const std::string& own_aet, const std::vector<Parcel>& parcels,
             const std::function<void(std::size_t, const std::string&)>& told) {
  if (peer.web()) Dicomweb(peer).store(parcels, told);
  else by_store(peer, own_aet, parcels, told);
}

}  // namespace vesal::dicom
