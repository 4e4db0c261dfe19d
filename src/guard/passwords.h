// Placeholder: replaced by the checking of passwords.
#pragma once
#include <cstddef>
namespace lockgate::guard {
class Passwords {
 public:
  explicit Passwords(std::size_t) {}
};
}  // namespace lockgate::guard
