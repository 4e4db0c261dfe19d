// RateRule: one rate, ready to be asked; and the rates that hold at one place.
//
// Made with a plan and immutable. What was counted is found by the rule's key, which is
// made of where it stands and its name: so a reload goes on where the last one was.
#pragma once
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/keyed_hash.h"
#include "config/http.h"
#include "config/limits.h"
#include "guard/client_key.h"
#include "guard/rate_table.h"
#include "guard/rate_tally.h"

namespace lockgate::guard {

class Rates;

/// Who is counted, put together of parts; none of them can pass for another. Its lowest byte is the family.
class RateKey {
 public:
  explicit RateKey(const HashSecret& seed, std::uint8_t family = 0) : seed_(seed), family_(family) {}

  void add(std::string_view part) { value_ = keyed_hash({seed_[0] ^ value_, seed_[1]}, part); }
  /// The client that has this address.
  void add(const Ip& ip) { add(client_key(ip)); }
  void add(std::uint64_t number) {
    add(std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
  }
  std::uint64_t value() const { return (value_ & ~std::uint64_t{UINT8_MAX}) | family_; }

 private:
  HashSecret seed_;
  std::uint8_t family_;
  std::uint64_t value_ = 0;
};

struct RateRule {
  config::RateRule config;
  std::vector<config::Template> texts;  // of the parts of `by` that are texts, in their order
  HashSecret seed{};
  std::uint8_t family = 0;  // of its keys in the RateTable
  Quota quota;
  std::shared_ptr<RateTally> tally;
  Rates* rates = nullptr;  // outlives all plans

  /// The beginning of a key.
  RateKey key() const { return RateKey(seed, family); }
};

using RateList = std::vector<std::shared_ptr<const RateRule>>;

/// The rates that hold at one place, those of the places above included, by when they are asked.
struct RateRules {
  RateList arrivals;   // when a connection has come: new_connections and connections
  RateList at_site;    // when its site is known: handshakes, and the connections of the site
  RateList bandwidth;  // the same
  RateList requests;   // when a request's route is known
  RateList by_user;    // the same, once its sender has signed in
};

}  // namespace lockgate::guard
