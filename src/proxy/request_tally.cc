#include "proxy/request_tally.h"

#include <algorithm>

namespace lockgate::proxy {
namespace {

constexpr std::size_t class_of(int status) {
  return status >= 100 && status < 600 ? static_cast<std::size_t>(status) / 100 : 0;
}

// By status less 100.
constexpr auto kPlaces = [] {
  std::array<std::uint8_t, 500> places{};
  for (std::size_t i = 0; i < places.size(); ++i)
    places[i] = static_cast<std::uint8_t>(class_of(static_cast<int>(i) + 100));
  for (std::size_t i = 0; i < kStatuses.size(); ++i)
    places[kStatuses[i] - 100u] = static_cast<std::uint8_t>(kStatusClasses.size() + i);
  return places;
}();

}  // namespace

std::size_t place_of_status(int status) {
  return class_of(status) == 0 ? 0 : kPlaces[static_cast<std::size_t>(status) - 100];
}

std::size_t class_of_place(std::size_t place) {
  return place < kStatusClasses.size() ? place : class_of(kStatuses[place - kStatusClasses.size()]);
}

std::string text_of_place(std::size_t place) {
  if (place < kStatusClasses.size()) return std::string(kStatusClasses[place]);
  return std::to_string(kStatuses[place - kStatusClasses.size()]);
}

}  // namespace lockgate::proxy
