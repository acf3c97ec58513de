// What a label means, in codes that viewers and archives know: SNOMED CT where the name is known, the label's own words otherwise.
#pragma once
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vesal::results {

/// A coded concept (PS3.3, 8.8).
struct Code {
  std::string value, scheme, meaning;
  bool empty() const { return value.empty(); }
  bool operator==(const Code&) const = default;
};

/// What a segment is: of a liver tumour the type is a neoplasm and the region the liver, of a left kidney the modifier is left.
struct Anatomy {
  Code category, type, modifier;
  Code region, region_modifier;  ///< empty unless the type is something found in an organ
  /// The organ: the region if there is one, else the type; and its side.
  const Code& site() const { return region.empty() ? type : region; }
  const Code& side() const { return region.empty() ? modifier : region_modifier; }
  bool operator==(const Anatomy&) const = default;
};

/// The anatomy of a label by its name, as bundles write them: "spleen", "kidney_left", "Right adrenal gland", "vertebrae L1", "rib_left_3",
/// "hepatic tumor". A name that is not known gets a code of vesal's own scheme (99VESAL, derived from the name) with its own words: never a code
/// that might mean something else.
Anatomy anatomy_of(std::string_view name);

/// A name that is known and its SNOMED CT code. Files with such tables register them.
struct KnownAnatomy {
  const char* names;  ///< lower case, singular, words apart, side first ("left atrium"); several with | between them
  const char* code;
  const char* meaning;
};
struct RegisterAnatomy {
  RegisterAnatomy(std::initializer_list<KnownAnatomy> table);
};

/// Codes that a file gives by label name or number: {"spleen": {"type": ["78961009", "SCT", "Spleen"], "category": [...], "modifier": [...],
/// "region": [...], "region_modifier": [...]}}; only type is needed. Throws Error(not_found | format | config) naming the file and the label.
std::map<std::string, Anatomy> read_codes(const std::filesystem::path& file);

}  // namespace vesal::results
