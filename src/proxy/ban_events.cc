#include "proxy/ban_events.h"

#include <optional>

namespace lockgate::proxy {
namespace {

using guard::Event;

// What comes before the hello is the front proxy's doing, and who says nothing has broken no rule.
std::optional<Event> event_of(const Facts& facts, const Error& why) {
  if (facts.excess) return Event::rate_exceeded;
  bool malformed = why.code == Errc::bad_message || why.code == Errc::too_large;
  switch (facts.stage) {
    case Stage::hello:
      if (why.code == Errc::no_site) return Event::unknown_name;
      if (why.code == Errc::rejected) return Event::rejected;
      if (!malformed) return {};
      return facts.dialect == Dialect::tls ? Event::failed_handshake : Event::bad_request;
    case Stage::queued:
      if (why.code == Errc::rejected) return Event::rejected;
      return {};
    case Stage::handshake:
      if (why.side == Side::client) return Event::failed_handshake;
      return {};
    default:
      return {};
  }
}

std::optional<Event> event_of(const RequestFacts& facts) {
  if (facts.failed_sign_in) return Event::failed_sign_in;
  if (facts.excess) return Event::rate_exceeded;
  if (!facts.error || facts.error->side != Side::client) return {};
  switch (facts.error->code) {
    case Errc::bad_message:
    case Errc::too_large:
      return Event::bad_request;
    case Errc::no_site:
      return Event::unknown_name;
    case Errc::rejected:
      if (facts.status == 403) return Event::rejected;
      return {};
    default:
      return {};
  }
}

}  // namespace

void note_event(const House& house, const Facts& facts, const Plan& plan, const Error& why) {
  if (auto event = event_of(facts, why)) plan.ban_rules.note(*event, facts.client.ip(), house.reactor.now());
}

// Who is banned already makes it no worse.
void note_events(const House& house, const RequestFacts& facts, const Plan& plan) {
  if (facts.error && facts.error->code == Errc::banned) return;
  const Ip& client = facts.client.ip();
  Instant now = house.reactor.now();
  if (facts.status != 0) plan.ban_rules.note_status(facts.status, client, now);
  if (auto event = event_of(facts)) plan.ban_rules.note(*event, client, now);
  bool trapped = facts.route && !facts.route->route->trap.empty();
  if (trapped) plan.ban_rules.note_trap(facts.route->route->trap, client, now);
}

}  // namespace lockgate::proxy
