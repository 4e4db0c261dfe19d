// What the operator asked for of rates: how often, how many at once and how fast, by whom.
// Plain structs, as those of config.h. The limits of connections in all are ConnectionLimit.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/place.h"

namespace lockgate::config {

/// What is counted, which says also when.
enum class RateOf : std::uint8_t {
  requests,         // HTTP, before a password is looked at
  new_connections,  // at accept, or behind the PROXY header
  handshakes,       // hellos of TLS, before they are answered or passed on
  connections,      // at once
  bandwidth,        // bytes, as they are on the wire
};

/// What becomes of those that are too many.
enum class RateThen : std::uint8_t { refuse, delay, close };

/// Which bytes are counted, as seen from the client.
enum class RateDirection : std::uint8_t { down, up, both };

/// One part of what tells those apart who are counted one by one.
struct RateKey {
  enum class Kind : std::uint8_t { client, user, site, listener, connection, everything, field, text };
  Kind kind = Kind::client;
  std::string text;  // of field its name, of text the text with variables
};

/// A number, or a number of bytes.
struct Quantity {
  std::uint64_t amount = 0;  // 0: not given
  bool of_bytes = false;     // it was written with a unit
};

/// So much in so much time: 10/min, 1MB/s.
struct Pace {
  Quantity quantity;
  Duration period{};
};

/// One limit. All that apply hold together.
struct RateRule {
  std::string name;  // for logs and metrics: `name:`, else what it counts
  RateOf of = RateOf::requests;
  std::vector<RateKey> by{RateKey{}};
  Pace rate;                                      // of all but connections
  Quantity burst;                                 // that may come at once; none: as many as in one period
  std::uint32_t most = 0;                         // of connections
  RateDirection direction = RateDirection::down;  // of bandwidth
  RateThen then = RateThen::refuse;
  Duration longest_delay = std::chrono::seconds(10);  // of delay
  std::uint32_t most_waiting = 1000;                  // the same
  std::vector<std::string> methods;                   // of requests; none: any
  Place place;
};

}  // namespace lockgate::config
