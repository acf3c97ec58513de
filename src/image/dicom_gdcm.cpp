// Frames of JPEG, JPEG-LS and JPEG 2000 by GDCM, whose libraries take longer to load than all others of the program: a part that is loaded late.
#include <gdcmBitmap.h>
#include <gdcmSequenceOfFragments.h>
#include <gdcmTrace.h>

#include "image/dicom_pixels.h"

namespace vesal::image {
namespace {

bool decode(std::span<const std::byte> bytes, const std::string& transfer_syntax, const DicomPixelFormat& f, std::span<std::byte> out) {
  [[maybe_unused]] static const bool silent = [] {
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
    return true;
  }();
  gdcm::Bitmap picture;
  picture.SetNumberOfDimensions(2);
  picture.SetDimension(0, static_cast<unsigned>(f.columns));
  picture.SetDimension(1, static_cast<unsigned>(f.rows));
  picture.SetPixelFormat(gdcm::PixelFormat(1, static_cast<unsigned short>(f.allocated), static_cast<unsigned short>(f.stored),
                                           static_cast<unsigned short>(f.high_bit), f.is_signed));
  picture.SetPhotometricInterpretation(gdcm::PhotometricInterpretation(gdcm::PhotometricInterpretation::MONOCHROME2));
  picture.SetTransferSyntax(gdcm::TransferSyntax(gdcm::TransferSyntax::GetTSType(transfer_syntax.c_str())));
  gdcm::Fragment fragment;
  fragment.SetByteValue(reinterpret_cast<const char*>(bytes.data()), static_cast<std::uint32_t>(bytes.size()));
  const gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = new gdcm::SequenceOfFragments;
  fragments->AddFragment(fragment);
  gdcm::DataElement element(gdcm::Tag(0x7fe0, 0x0010), gdcm::VL::GetVL32Max(), gdcm::VR::OB);
  element.SetValue(*fragments);
  picture.SetDataElement(element);
  return picture.GetBufferLength() == out.size() && picture.GetBuffer(reinterpret_cast<char*>(out.data()));
}

const RegisterFrameDecoder registered(&decode);

}  // namespace
}  // namespace vesal::image
