// Guardroom: what the whole process knows of who may enter, whatever the plan: passwords
// that are being checked, users, bans, lists of addresses, and rates. Shared by all workers;
// outlives reloads.
#pragma once
#include "guard/accounts.h"
#include "guard/address_book.h"
#include "guard/bans.h"
#include "guard/passwords.h"
#include "guard/rates.h"
#include "guard/rosters.h"

namespace lockgate::guard {

struct Guardroom {
  explicit Guardroom(std::size_t workers, std::size_t most_bans = config::Bans{}.most,
                     std::size_t rate_cells = RateTable::kCells)
      : passwords(workers),
        rosters(workers),
        bans(workers, most_bans),
        addresses(workers),
        rates(workers, rate_cells) {}

  Accounts accounts;  // which the threads of passwords file
  Passwords passwords;
  Rosters rosters;
  Bans bans;
  AddressBook addresses;
  Rates rates;
};

}  // namespace lockgate::guard
