// Secret: bytes that are wiped before their memory is given back, as passwords and
// private keys are. It can be moved and not copied, so that nobody leaves a second one.
#pragma once
#include <openssl/crypto.h>

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace lockgate {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(text.begin(), text.end()) {}
  /// Zeros, to be written to.
  explicit Secret(std::size_t size) : bytes_(size) {}
  Secret(Secret&& other) noexcept { bytes_.swap(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  ~Secret() { cut(0); }

  std::string_view text() const { return {bytes_.data(), bytes_.size()}; }
  Room room() { return std::as_writable_bytes(std::span(bytes_)); }
  /// Wipes all but the first `size` bytes.
  void cut(std::size_t size) {
    if (size >= bytes_.size()) return;
    OPENSSL_cleanse(bytes_.data() + size, bytes_.size() - size);
    bytes_.resize(size);
  }

 private:
  std::vector<char> bytes_;
};

}  // namespace lockgate
