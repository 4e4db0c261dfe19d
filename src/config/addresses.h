// Addresses as an operator chooses them: networks written in place, and what stands for
// more of them: lists, countries, autonomous systems; and who is let in by them. Plain
// structs, as those of config.h.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/place.h"

namespace lockgate::config {

/// Any of these.
struct Addresses {
  std::vector<Network> networks;
  std::vector<std::uint32_t> lists;    // indices into Config::address_lists
  std::vector<std::string> countries;  // ISO 3166-1 alpha-2, "DE"
  std::vector<std::uint32_t> systems;  // numbers of autonomous systems
  bool empty() const { return networks.empty() && lists.empty() && countries.empty() && systems.empty(); }
  bool operator==(const Addresses&) const = default;
};

/// A list of networks under a name: all that its parts hold.
struct AddressList {
  std::string name;
  std::vector<Network> networks;
  std::vector<std::string> files;
  std::vector<std::string> urls;
  Duration every = std::chrono::hours(1);  // when the URLs are asked again
  std::string ca_file;                     // whose certificates are trusted with them; empty: the system's
  Place place;
};

/// The databases that know of addresses where they are and to whom they belong.
struct Geo {
  std::string country, system;  // files; empty: none
  Place place;
};

/// Who is let in: whoever `allow` holds; then, if there is a `deny`, everybody whom it does not hold. Nobody
/// is kept out where there is neither.
struct Access {
  Addresses allow, deny;
  bool empty() const { return allow.empty() && deny.empty(); }
  bool operator==(const Access&) const = default;
};

}  // namespace lockgate::config
