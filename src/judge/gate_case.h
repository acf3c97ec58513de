// What the gate looks at in one case, and what it keeps of it to compare cases.
#pragma once
#include <cstdint>
#include <optional>
#include <set>

#include "image/image.h"
#include "judge/dataset_gate.h"

namespace vesal::judge {

struct CaseFacts {
  LabelledCase source;
  bool validation = false;
  std::vector<Finding> findings;
  std::set<std::int64_t> classes;             ///< that occur, in the bundle's numbers, without background
  std::uint64_t in_order = 0, unordered = 0;  ///< of the scan's voxels: equal for equal ones; equal whatever their order
  bool hashed = false;
  bool ct = false;
};

/// GateOptions with what the set itself declares filled in.
struct GateContext {
  LabelMap map;
  std::map<std::int64_t, std::string> declared;
  std::optional<bool> ct;  ///< nothing: told by the values
};

CaseFacts look_at(const LabelledCase& c, const GateContext& context);

// The parts of look_at(), each adding its findings. `scan` and `label` are volumes [x, y, z].
struct Opened {
  image::Image image;
  Array volume;
};
void check_header(const Opened& scan, CaseFacts& facts);
void check_values(const Opened& scan, const GateContext& context, CaseFacts& facts);
/// The label's voxels on the scan's grid, if they can be seen there.
std::optional<Array> check_grid(const Opened& scan, const Opened& label, CaseFacts& facts);
/// The label in the bundle's numbers; nothing if it has no usable values.
std::optional<Array> check_labels(const Array& label, const GateContext& context, CaseFacts& facts);
void check_anatomy(const Opened& scan, const Array& label, const GateContext& context, CaseFacts& facts);

void add(CaseFacts& facts, Severity severity, const char* rule, const std::filesystem::path& file, std::string message, std::string repair = "",
         Fix fix = Fix::none);

}  // namespace vesal::judge
