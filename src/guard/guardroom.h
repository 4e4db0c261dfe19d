// Guardroom: what the whole process knows of who may enter, whatever the plan: passwords
// that are being checked, and bans. Shared by all workers; outlives reloads.
#pragma once
#include "guard/bans.h"
#include "guard/passwords.h"

namespace lockgate::guard {

struct Guardroom {
  explicit Guardroom(std::size_t workers) : passwords(workers) {}

  Passwords passwords;
  Bans bans;
};

}  // namespace lockgate::guard
