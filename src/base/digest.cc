#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <climits>

#include "base/check.h"

namespace lockgate {
namespace {

template <std::size_t kSize>
std::array<std::byte, kSize> digest(EVP_MD* algorithm, Bytes bytes) {
  std::array<std::byte, kSize> result{};
  unsigned size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.data()), &size,
                   algorithm, nullptr) == 1);
  CHECK(size == kSize);
  return result;
}

}  // namespace

// Fetched once: looking an algorithm up costs more than a short digest, and takes a lock that all threads
// share.
std::array<std::byte, 16> md5(Bytes bytes) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  return digest<16>(algorithm, bytes);
}

std::array<std::byte, 32> sha256(Bytes bytes) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest<32>(algorithm, bytes);
}

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::byte b : bytes) {
    text.push_back(kDigits[static_cast<unsigned>(b) >> 4]);
    text.push_back(kDigits[static_cast<unsigned>(b) & 15]);
  }
  return text;
}

std::string base64(Bytes bytes) {
  CHECK(bytes.size() <= INT_MAX / 2);
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock() writes a NUL behind it
  int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

void random_bytes(Room room) {
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(room.data()), static_cast<int>(room.size())) == 1);
}

HashSecret random_hash_secret() {
  HashSecret secret{};
  random_bytes(std::as_writable_bytes(std::span(secret)));
  return secret;
}

}  // namespace lockgate
