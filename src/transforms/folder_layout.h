// Names of the files SaveImage writes (monai.data.FolderLayout and create_file_basename).
#pragma once
#include "base/value.h"

namespace vesal::transforms {

/// OUTPUT_DIR/[path below data_root_dir/][SUBJECT/]SUBJECT[_POSTFIX][_IDX][_KEY-VALUE...][EXT]. Makes no folders.
class FolderLayout : public Object {
 public:
  struct Options {
    std::string output_dir, postfix, extension;
    bool parent = false;  ///< a folder per subject
    std::string data_root_dir;
  };
  explicit FolderLayout(Options options) : options_(std::move(options)) {}
  std::string type_name() const override { return "FolderLayout"; }
  /// The subject may be a path; its folder counts only with data_root_dir, its extension never. Throws Error(refused) for a name
  /// that leads out of the output folder.
  std::string filename(const std::string& subject, const Value& index, const Dict& more) const;
  std::optional<Value> attribute(std::string_view name) override;

 private:
  Options options_;
};

}  // namespace vesal::transforms
