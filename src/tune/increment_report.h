// An increment for people: a page that needs nothing but itself, made of the journal and its objects alone, so that it can be made again at any time.
#pragma once
#include <string>

#include "tune/registry.h"

namespace vesal::tune {

/// The decision of this entry, the scores it was made on, and the history of Dice up to it. Throws Error(usage) if the entry is no increment,
/// Error(refused) if objects were tampered with.
std::string increment_page(const Model& model, const ModelState& state, const JournalEntry& entry);

/// Dice on the reference set over the increments up to entry `last`, as inline SVG: champions as a line with their intervals, rejected challengers as
/// hollow dots, refused months as marks on the axis.
std::string history_svg(const ModelState& state, std::int64_t last);

}  // namespace vesal::tune
