// AddressBook: what workers know of addresses: the lists of the configuration by name, and
// the databases of countries and systems. Part of the guardroom; outlives reloads.
//
// The AddressKeeper fills it on the process's thread; there plans ask for lists when they
// are compiled, and hold them for as long as they last.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/network_set.h"
#include "guard/geo.h"
#include "guard/published.h"

namespace lockgate::guard {

/// A list: what each of its parts held when it was last good.
struct ListedNetworks {
  std::vector<std::shared_ptr<const NetworkSet>> parts;

  bool contains(const Ip& ip) const {
    for (const auto& part : parts) {
      if (part->contains(ip)) return true;
    }
    return false;
  }
};

class AddressBook {
 public:
  using List = Published<ListedNetworks>;

  explicit AddressBook(std::size_t workers) : workers_(workers), geo_(workers) {}

  /// That of this index into Config::address_lists of the configuration that is taking effect.
  std::shared_ptr<const List> list(std::uint32_t index) const { return lists_.at(index); }
  const Published<Geo>& geo() const { return geo_; }

  // Of the AddressKeeper.

  /// The lists of a configuration, in its order; one of a name that was there already stays the same.
  void begin(const std::vector<std::string>& names);
  std::shared_ptr<List> handle_of(std::size_t index) { return lists_.at(index); }
  Published<Geo>& geo_to_fill() { return geo_; }

 private:
  std::size_t workers_;
  std::map<std::string, std::shared_ptr<List>> by_name_;
  std::vector<std::shared_ptr<List>> lists_;
  Published<Geo> geo_;
};

}  // namespace lockgate::guard
