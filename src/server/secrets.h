// Random identifiers and hashed passwords (libsodium).
#pragma once
#include <string>

namespace vesal::server {

/// So many random bytes as hexadecimal digits.
std::string random_hex(std::size_t bytes);
/// A password that a person can type: 20 letters and digits that are not mistaken for each other, in groups of five.
std::string random_password();
/// Argon2id with libsodium's interactive limits: 64 MiB and a tenth of a second each; two at a time at most, whatever number of people log in.
std::string hash_password(const std::string& password);
bool password_fits(const std::string& hash, const std::string& password);
/// Equal in a time that does not tell where they differ.
bool same_secret(const std::string& a, const std::string& b);

}  // namespace vesal::server
