// Whom a file names as users: entries of `users`, which those who ask for a sign-in choose.
#pragma once
#include <cstdint>
#include <string>

#include "config/place.h"

namespace lockgate::config {

struct UserList {
  std::string name;    // the key under `users`
  std::string file;    // as htpasswd writes it
  std::string groups;  // a file of groups; empty: there are none
  Place place;
};

/// An entry of `users`, chosen by its name; an index into Config::users.
struct UserListChoice {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t index = kNone;
  bool given() const { return index != kNone; }
};

}  // namespace lockgate::config
