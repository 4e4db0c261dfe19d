#include "guard/address_rule.h"

#include <algorithm>

namespace lockgate::guard {

AddressRule::AddressRule(const config::Addresses& addresses, const AddressBook& book)
    : networks_(addresses.networks), countries_(addresses.countries), systems_(addresses.systems) {
  for (std::uint32_t index : addresses.lists) lists_.push_back(book.list(index));
  if (!countries_.empty() || !systems_.empty()) geo_ = &book.geo();
}

bool AddressRule::contains(const Ip& ip, std::size_t worker) const {
  if (networks_.contains(ip)) return true;
  for (const auto& list : lists_) {
    const ListedNetworks* networks = list->at(worker);
    if (networks && networks->contains(ip)) return true;
  }
  const Geo* geo = geo_ ? geo_->at(worker) : nullptr;
  return geo && is_known_by(*geo, ip);
}

bool AddressRule::is_known_by(const Geo& geo, const Ip& ip) const {
  if (!countries_.empty() && std::ranges::find(countries_, geo.country_of(ip)) != countries_.end())
    return true;
  return !systems_.empty() && std::ranges::find(systems_, geo.system_of(ip)) != systems_.end();
}

}  // namespace lockgate::guard
