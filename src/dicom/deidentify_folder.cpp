#include "dicom/deidentify_folder.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dctk.h>

#include <set>

#include "base/cancel.h"
#include "base/file.h"
#include "base/progress.h"
#include "dicom/toolkit.h"
#include "image/dicom_files.h"

namespace vesal::dicom {
namespace {

namespace fs = std::filesystem;

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path inner = fs::weakly_canonical(path), outer = fs::weakly_canonical(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

void read(const image::DicomFile::Bytes& bytes, DcmFileFormat& file) {
  DcmInputBufferStream stream;
  stream.setBuffer(bytes.bytes.data(), static_cast<offile_off_t>(bytes.bytes.size()));
  stream.setEos();
  file.transferInit();
  const OFCondition read = file.read(stream, EXS_Unknown, EGL_noChange);
  file.transferEnd();
  check(read, "reading");
}

void write(DcmFileFormat& file, E_TransferSyntax syntax, const fs::path& path) {
  AtomicFile out(path);
  check(file.saveFile(out.temporary().c_str(), syntax, EET_UndefinedLength, EGL_recalcGL, EPD_noChange, 0, 0, EWM_createNewMeta), "writing",
        ErrorKind::io);
  out.commit();
}

class Work {
 public:
  Work(const fs::path& out, const fs::path& pseudonyms, const DeidentifyOptions& options)
      : out_(out), options_(options), pseudonyms_(pseudonyms), deidentifier_(options, pseudonyms_) {}

  void take(const image::DicomFile& from) {
    const image::DicomFile::Bytes bytes = from.open();
    if (!image::looks_like_dicom(bytes.bytes)) {
      ++done_.others;
      return;
    }
    static_cast<void>(image::DicomObject(bytes));  // every length of it is checked before DCMTK allocates what it declares
    DcmFileFormat file;
    read(bytes, file);
    complete_identifiers(file, fs::path(from.name()).parent_path().string());
    DcmDataset& data = *file.getDataset();
    const E_TransferSyntax syntax = data.getOriginalXfer();
    const std::string reason = reason_to_leave_out(data, options_);
    if (!reason.empty()) {
      ++done_.left_out[reason];
      return;
    }
    deidentifier_.apply(file);
    pseudonyms_.save();
    const std::string patient = text_of(data, DCM_PatientID), study = text_of(data, DCM_StudyInstanceUID);
    const std::string series = text_of(data, DCM_SeriesInstanceUID), instance = text_of(data, DCM_SOPInstanceUID);
    for (const std::string& uid : {study, series, instance})
      if (!is_uid(uid)) throw Error(ErrorKind::format, "no valid UID of study, series or instance");
    write(file, syntax, out_ / patient / study / series / (instance + ".dcm"));
    ++done_.written;
    ++done_.pseudonyms[patient];
    studies_.insert(study);
  }
  void damaged(const std::string& why) { done_.damaged.push_back(why); }
  DeidentifiedFolder done() {
    done_.studies = studies_.size();
    done_.leaks = deidentifier_.leaks();
    return std::move(done_);
  }

 private:
  fs::path out_;
  DeidentifyOptions options_;
  Pseudonyms pseudonyms_;
  Deidentifier deidentifier_;
  DeidentifiedFolder done_;
  std::set<std::string> studies_;
};

}  // namespace

DeidentifiedFolder deidentify_folder(const fs::path& in, const fs::path& out, const fs::path& pseudonyms, const DeidentifyOptions& options) {
  start_toolkit();
  if (lies_in(out, in)) throw Error(ErrorKind::refused, out.string() + " lies in " + in.string() + ": the next run would read what this one wrote");
  if (lies_in(pseudonyms, out))
    throw Error(ErrorKind::refused, pseudonyms.string() + " would lie among the objects it can identify again; put it elsewhere");
  const std::vector<image::DicomFile> files = image::find_dicom_files(in);
  Work work(out, pseudonyms, options);
  Progress progress("De-identify", static_cast<std::int64_t>(files.size()));
  for (const image::DicomFile& file : files) {
    check_cancelled();
    try {
      with_context(file.name(), [&] { work.take(file); });
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::format && e.kind() != ErrorKind::unsupported) throw;
      work.damaged(e.what());
    }
    progress.advance();
  }
  return work.done();
}

}  // namespace vesal::dicom
