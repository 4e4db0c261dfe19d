#include "base/name_table.h"

#include <span>

#include "base/digest.h"

namespace lockgate {

NameTable::NameTable() : places_(kLeast, kFree) { random_bytes(std::as_writable_bytes(std::span(key_))); }

NameTable::Added NameTable::add(std::string_view name) {
  if (2 * size() >= places_.size()) grow();
  std::uint32_t& place = places_[place_of(name)];
  bool is_new = place == kFree;
  if (is_new) {
    place = static_cast<std::uint32_t>(size());
    text_ += name;
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  return {place, is_new};
}

std::optional<std::uint32_t> NameTable::find(std::string_view name) const {
  std::uint32_t number = places_[place_of(name)];
  if (number == kFree) return {};
  return number;
}

std::string_view NameTable::name(std::uint32_t number) const {
  std::size_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view(text_).substr(begin, ends_[number] - begin);
}

// At least half of the places are free, so that the search is short.
std::size_t NameTable::place_of(std::string_view wanted) const {
  std::size_t mask = places_.size() - 1;
  std::size_t place = keyed_hash(key_, wanted) & mask;
  while (places_[place] != kFree && name(places_[place]) != wanted) place = (place + 1) & mask;
  return place;
}

void NameTable::grow() {
  places_.assign(2 * places_.size(), kFree);
  for (std::uint32_t number = 0; number < size(); ++number) places_[place_of(name(number))] = number;
}

}  // namespace lockgate
