// The plays of connections that are relayed: what a client says, and what comes of it.
//
// A play is data; connection_story_test.cc gives it between memory streams, in pieces of
// every size and with everything that may go wrong.
#pragma once
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace lockgate::stories {

/// What a client does, and what becomes of it if all goes well.
struct ConnectionPlay {
  std::string title;
  std::string listener = "front";
  std::string says;               // everything that it sends
  std::string outcome;            // of the access line
  std::string site;               // of the access line; empty: none
  std::string client_hears = "";  // all of it
  std::string reaches = "";       // the upstream, our header included
  bool resets = false;            // rather than ending in order
  std::size_t own_header = 0;     // bytes of `reaches` that are ours
  bool ends = true;               // the client, once it has said everything
  bool queued = false;            // the site is full until it waits there
  std::string spent = "";         // the rate of which others have taken all that there is
  Duration step{};                // of time, with each turn
  std::string peer = "10.0.0.9:1234";
};

inline void PrintTo(const ConnectionPlay& play, std::ostream* out) { *out << play.title; }

/// What all of them are given with: it is for the client that kHeader names, and knows the banned.
extern const std::string_view kConnectionConfig;

inline constexpr std::string_view kHeader = "PROXY TCP4 203.0.113.5 198.51.100.7 4711 443\r\n";
inline constexpr std::string_view kBanned = "203.0.113.66", kBannedNeighbour = "172.16.0.66",
                                  kBannedNetwork = "203.0.113.128/25";
inline constexpr std::string_view kAnswer =
    "what the upstream answers, which is longer by a little than that";

/// With the header in front.
std::string hello_for(std::string_view name);
/// A fatal one, in a record of its own.
std::string alert(char number);

std::vector<ConnectionPlay> plays_of_connection();

}  // namespace lockgate::stories
