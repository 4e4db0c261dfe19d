// Guardroom: what the whole process knows of who may enter, whatever the plan: passwords
// that are being checked, bans, and what is known of addresses. Shared by all workers;
// outlives reloads.
#pragma once
#include "guard/address_book.h"
#include "guard/bans.h"
#include "guard/passwords.h"

namespace lockgate::guard {

struct Guardroom {
  explicit Guardroom(std::size_t workers) : passwords(workers), addresses(workers) {}

  Passwords passwords;
  Bans bans;
  AddressBook addresses;
};

}  // namespace lockgate::guard
