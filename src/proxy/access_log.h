// The access log: one line for each connection when it is over, which tells what it
// wanted, what became of it, and why.
#pragma once
#include <string>

#include "base/line_builder.h"
#include "net/relay.h"
#include "proxy/facts.h"
#include "proxy/house.h"
#include "proxy/plan.h"

namespace lockgate::proxy {

/// The log target of what is not logged.
inline constexpr std::uint16_t kNoLog = 0xffff;

/// A connection's name in every log line: its number in hexadecimal.
std::string connection_name(std::uint64_t id);

/// A duration as all lines have it.
double milliseconds(Duration duration);

/// What was agreed on with client and upstream; either may be null.
void add_legs(LineBuilder& builder, const Leg* client, const Leg* upstream);

struct AccessLine {
  const Facts& facts;
  const ListenerPlan& listener;
  const SitePlan* site;  // null: no site took it
  const Plan& plan;
  const Endpoint* endpoint;  // null: none was reached
  std::uint64_t bytes_up, bytes_down;
  const net::RelayEnd& end;
};

/// Whether one more line may be written about a client that is banned: a flood of them must not fill the
/// disk. Those that were left out are told in the error log.
bool may_tell_of_banned(House& house);

/// Writes the line to the site's log (the listener's if no site took it), and errors that are ours to the
/// error log, too.
void write_access_line(House& house, const AccessLine& line);

}  // namespace lockgate::proxy
