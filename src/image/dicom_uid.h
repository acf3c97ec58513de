// DICOM's unique identifiers.
#pragma once
#include <string>
#include <string_view>

namespace vesal::image {

/// A new unique identifier, 2.25. and a random number of 128 bits (PS3.5 B.2).
std::string new_uid();
/// The same identifier for the same text, 2.25. and 122 bits of its SHA-256 (PS3.5 B.2, a name-based UUID): an object that is made twice has one
/// name.
std::string uid_of(std::string_view text);
/// Whether it is a UID: 1 to 64 characters, numbers without leading zeros between points.
bool is_uid(std::string_view text);

}  // namespace vesal::image
