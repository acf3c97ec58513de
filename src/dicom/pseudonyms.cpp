#include "dicom/pseudonyms.h"

#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

#include "base/file.h"
#include "base/json.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

namespace fs = std::filesystem;

constexpr int kMostDays = 3650;

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::array<unsigned char, 32> random_bytes() {
  std::array<unsigned char, 32> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw Error(ErrorKind::internal, "no random numbers from the system");
  return bytes;
}

/// "" and "1" of an issuer "" and the like stay apart.
std::string key_of(const std::string& patient_id, const std::string& issuer) { return issuer.empty() ? patient_id : issuer + "\n" + patient_id; }

}  // namespace

Pseudonyms::Pseudonyms(fs::path path) : path_(std::move(path)) {
  if (!fs::exists(path_)) {
    const auto bytes = random_bytes();
    secret_ = hex(bytes.data(), bytes.size());
    changed_ = true;
    return;
  }
  with_context(
      path_.string(),
      [&] {
        const Value file = parse_json(read_text(path_));
        secret_ = file.as_dict().at("secret").as_string();
        if (secret_.size() != 64) throw Error(ErrorKind::format, "no secret of 64 digits: not a file of pseudonyms");
        for (const auto& [patient, p] : file.as_dict().at("patients").as_dict())
          patients_[patient.as_string()] = {p.as_dict().at("pseudonym").as_string(), static_cast<int>(p.as_dict().at("days").as_int())};
      },
      ErrorKind::format);
}

const Pseudonym& Pseudonyms::of(const std::string& patient_id, const std::string& issuer) {
  const auto [found, is_new] = patients_.try_emplace(key_of(patient_id, issuer));
  if (is_new) {
    const auto bytes = random_bytes();
    const unsigned number = bytes[0] | bytes[1] << 8 | bytes[2] << 16;
    found->second = {fmt::format("P{:04}", patients_.size()), -1 - static_cast<int>(number % kMostDays)};
    changed_ = true;
  }
  return found->second;
}

std::string Pseudonyms::uid(const std::string& original) const {
  std::array<unsigned char, 32> code;
  unsigned size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), reinterpret_cast<const unsigned char*>(original.data()), original.size(),
       code.data(), &size);
  return uid_of(hex(code.data(), size));
}

void Pseudonyms::save() {
  if (!changed_) return;
  Dict patients;
  for (const auto& [patient, p] : patients_) patients[patient] = Dict{{"pseudonym", p.name}, {"days", p.days}};
  AtomicFile file(path_);
  fs::permissions(file.temporary(), fs::perms::owner_read | fs::perms::owner_write);  // before anything is in it
  file.write(
      to_json(Dict{
          {"about", "pseudonyms of patients and the secret behind them: keep it in the hospital"}, {"secret", secret_}, {"patients", patients}}) +
      "\n");
  file.commit();
  changed_ = false;
}

}  // namespace vesal::dicom
