// The inside of a torch.save archive: which globals its pickle may name, and how they become tensors.
#pragma once
#include "base/zip_archive.h"
#include "bundle/pickle.h"

namespace vesal::bundle {

/// "archive/" of "archive/data.pkl"; throws Error(format) when the archive has none.
std::string torch_prefix(const ZipReader& zip);
/// The tree of a torch.save archive; see read_checkpoint().
Value read_torch_archive(const ZipReader& zip);
/// NumPy's and Python's harmless globals, as dtypes, scalars, arrays and containers; None for any other.
Value plain_data_global(const std::string& module, const std::string& name);

}  // namespace vesal::bundle
