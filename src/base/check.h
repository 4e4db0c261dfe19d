// CHECK: for what cannot happen. Untrusted input gives an Error; a broken
// promise inside this program ends it at once, saying which promise and where.
#pragma once

namespace lockgate {

/// Prints the broken promise to stderr and aborts.
[[noreturn]] void check_failed(const char* promise, const char* file, int line) noexcept;

}  // namespace lockgate

#define CHECK(promise) \
  ((promise) ? static_cast<void>(0) : ::lockgate::check_failed(#promise, __FILE__, __LINE__))
