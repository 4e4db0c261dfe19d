// Bans as an operator asks for them: what counts against a client, how much of it is too
// much, and for how long it stays out. Plain structs, as those of config.h.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/place.h"
#include "config/upstream.h"

namespace lockgate::config {

using namespace std::chrono_literals;

/// What a rule counts.
enum class BanEvent : std::uint8_t {
  failed_sign_in,    // a password that is wrong, or of nobody
  status,            // an answer of one of the rule's statuses
  failed_handshake,  // of TLS, or a hello that is none
  unknown_name,      // no site takes it
  bad_request,       // a head that breaks the protocol
  rate_exceeded,     // more than a limit allows
  rejected,          // a rule of the configuration says no
  trap,              // a route that nobody asks for in good faith
};
inline constexpr std::size_t kBanEvents = static_cast<std::size_t>(BanEvent::trap) + 1;

struct BanRule {
  std::string name;  // `name:`, else the event
  BanEvent on = BanEvent::failed_sign_in;
  std::vector<StatusRange> statuses;  // of status
  std::uint32_t count = 1;            // so many events
  Duration within = 10min;            // from the first to the last of them
  Duration time = 10min;              // the first ban; each further one is `factor` times as long
  std::uint32_t factor = 2;
  Duration longest = 24h;
  Place place;
};

enum class NftablesFamily : std::uint8_t { inet, ip, ip6 };

/// Sets of the kernel's packet filter that hold the clients that are banned now.
struct Nftables {
  NftablesFamily family = NftablesFamily::inet;
  std::string table;           // empty: nothing is exported
  std::string set_v4, set_v6;  // an empty one is left alone
  bool on() const { return !table.empty(); }
  bool operator==(const Nftables&) const = default;
};

struct Bans {
  std::vector<Network> except;  // never banned, never counted
  std::vector<BanRule> rules;
  Duration remember = 24h;  // after its end, a ban makes the next one longer
  std::uint32_t most = 100'000;
  bool state = true;  // kept over restarts
  Nftables nftables;
  Place place;
};

}  // namespace lockgate::config
