#include "guard/address_book.h"

namespace lockgate::guard {

void AddressBook::begin(const std::vector<std::string>& names) {
  std::map<std::string, std::shared_ptr<List>> next;
  lists_.clear();
  for (const std::string& name : names) {
    auto& list = next[name] = by_name_[name];
    if (!list) list = std::make_shared<List>(workers_);
    lists_.push_back(list);
  }
  by_name_ = std::move(next);
}

}  // namespace lockgate::guard
