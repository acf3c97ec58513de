// From what a bundle made of a scan to a result that can be written: who wants files beside the mask starts here.
#pragma once
#include <filesystem>
#include <string>

#include "infer/segmenter.h"
#include "results/result.h"

namespace vesal::results {

struct ResultOptions {
  std::string software = "vesal";  ///< with version
  std::filesystem::path codes;     ///< read_codes(); empty: BUNDLE/configs/codes.json if it is there
  std::string changes;             ///< what was changed in the bundle's configuration, as text: another mask is another object
};
/// `input` is read again where a picture needs the scan, and for the headers of a DICOM scan if the mask does not carry its source.
/// Throws Error as make_result() and the readers do.
Result result_of(const infer::Segmenter& segmenter, const image::Image& mask, const std::filesystem::path& input, const ResultOptions& options = {});
/// A picture of the scan with the mask over it, named after the scan's file and the bundle. Reads the scan again: it was let go of before the network
/// ran. Throws Error as readers and writers do.
void write_preview(const std::filesystem::path& file, const infer::Segmenter& segmenter, const image::Image& mask,
                   const std::filesystem::path& input);

}  // namespace vesal::results
