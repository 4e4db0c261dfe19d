// Digests, base64 and randomness, from libcrypto. Any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/keyed_hash.h"

namespace lockgate {

/// MD5, for JA3 only, which is defined by it; it protects nothing.
std::array<std::byte, 16> md5(Bytes bytes);
std::array<std::byte, 32> sha256(Bytes bytes);
/// Lower case hexadecimal.
std::string hex(Bytes bytes);
/// With padding and without line breaks (RFC 4648, 4).
std::string base64(Bytes bytes);
/// Fills with bytes from a cryptographic generator.
void random_bytes(Room room);
/// A secret for keyed_hash() that nobody has had before.
HashSecret random_hash_secret();

}  // namespace lockgate
