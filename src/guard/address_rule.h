// AddressRule: addresses that an operator chose, ready to be asked for: networks in place,
// and lists and databases as they are now. Part of a plan; any worker. What it costs does
// not grow with the networks.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "config/addresses.h"
#include "guard/address_book.h"

namespace lockgate::guard {

class AddressRule {
 public:
  /// Holds nothing.
  AddressRule() = default;
  /// On the process's thread; `book` outlives it.
  AddressRule(const config::Addresses& addresses, const AddressBook& book);

  /// Whether it holds `ip`, as `worker` knows it now. On that worker's thread.
  bool contains(const Ip& ip, std::size_t worker) const;

 private:
  bool is_known_by(const Geo& geo, const Ip& ip) const;

  NetworkSet networks_;
  std::vector<std::shared_ptr<const AddressBook::List>> lists_;
  std::vector<std::string> countries_;
  std::vector<std::uint32_t> systems_;
  const Published<Geo>* geo_ = nullptr;  // where it matters
};

}  // namespace lockgate::guard
