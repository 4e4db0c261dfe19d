// Services: what a name server answers to a question for SRV records (RFC 2782):
// the names and ports where a service is found.
//
// The parser reads any bytes: it never leaves them, and its time is bounded by
// their size. Pure functions; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

namespace lockgate::wire {

struct Service {
  std::string name;  // normalized, and absolute: it is no name below a search domain
  std::uint16_t port = 0;
  std::uint16_t priority = 0;  // the lowest is used first
  std::uint16_t weight = 0;    // the share among those of one priority

  bool operator==(const Service&) const = default;
};

struct Services {
  std::vector<Service> services;  // by priority, then by name: the same ones are the same list
  Duration ttl{};                 // the shortest of the records and of the aliases that led to them
};

/// Reads a whole DNS message (RFC 1035, 4.1), whose response code has been looked at before. Records that
/// name no host, as "." does for a service that is not offered, are left out, so the list may be empty.
/// `bad_message` if the bytes break the format.
Result<Services> parse_services(Bytes message);

}  // namespace lockgate::wire
