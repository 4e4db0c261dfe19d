// Lists of networks as they are published: one network, address or range a line.
//
//   192.0.2.0/24 ; SBL1         Spamhaus DROP
//   2001:db8::/32 # a comment   FireHOL, Tor exits and plain lists
//   10.0.0.1 - 10.0.0.9         a range, both ends included
//
// Bits behind a prefix are masked, for lists of others often have some. Lines end with
// LF or CR LF. Bounded in lines and in what ranges become. Pure; any thread.
#pragma once
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace lockgate::wire {

struct NetworkListLimits {
  std::size_t bytes = std::size_t{64} << 20;
  std::size_t lines = 4'000'000;
  std::size_t networks = 4'000'000;
};

/// What is wrong with a list: the number of its first line that cannot be read, 0 for all of it, and a
/// sentence.
struct NetworkListFault {
  std::size_t line = 0;
  std::string why;
};

std::expected<std::vector<Network>, NetworkListFault> read_network_list(std::string_view text,
                                                                        const NetworkListLimits& limits = {});

}  // namespace lockgate::wire
