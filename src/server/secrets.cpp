#include "server/secrets.h"

#include <sodium.h>

#include <semaphore>
#include <string_view>

#include "base/error.h"

namespace vesal::server {
namespace {

void start_sodium() {
  static const int started = sodium_init();
  if (started < 0) throw Error(ErrorKind::internal, "libsodium does not start");
}

std::counting_semaphore<2> hashing{2};
struct Turn {
  Turn() { hashing.acquire(); }
  ~Turn() { hashing.release(); }
};

}  // namespace

std::string random_hex(std::size_t bytes) {
  start_sodium();
  std::string raw(bytes, '\0'), text(bytes * 2 + 1, '\0');
  randombytes_buf(raw.data(), raw.size());
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
  text.pop_back();
  return text;
}

std::string random_password() {
  start_sodium();
  constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz23456789";
  std::string out;
  for (int i = 0; i < 20; ++i) {
    if (i > 0 && i % 5 == 0) out += '-';
    out += kLetters[randombytes_uniform(static_cast<std::uint32_t>(kLetters.size()))];
  }
  return out;
}

std::string hash_password(const std::string& password) {
  start_sodium();
  const Turn turn;
  char out[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(out, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw Error(ErrorKind::memory, "no memory to hash a password");
  return out;
}

bool password_fits(const std::string& hash, const std::string& password) {
  start_sodium();
  const Turn turn;
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool same_secret(const std::string& a, const std::string& b) { return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace vesal::server
