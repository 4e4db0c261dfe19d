// Facts: everything that is known of one connection. What logs, rules, balancing and
// the PROXY header ask is asked here, so that all of them mean the same client.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/clock.h"
#include "config/config.h"
#include "tls/stream.h"
#include "wire/fingerprint.h"

namespace lockgate::guard {
struct RateRule;
}

namespace lockgate::proxy {

/// Where a connection is in its life: one word for status and logs.
enum class Stage : std::uint8_t {
  proxy_header,
  hello,
  queued,
  handshake,
  connecting,
  relaying,
  serving,
  refusing
};
inline constexpr int kStages = 8;
std::string_view name_of(Stage stage);

/// What the client speaks, as far as its first bytes tell.
enum class Dialect : std::uint8_t { unknown, tls, http, other };

/// What became of TLS that we speak ourselves, with the client or with the upstream.
struct Leg {
  bool open = false;     // the handshake has succeeded
  tls::Session session;  // what it agreed on
  std::optional<tls::Alert> alert;
  std::string untrusted;  // which certificate does not hold
};

/// What is known of the way to an upstream: of a connection that is passed on, or of one exchange.
struct Way {
  SocketAddress address;  // of the endpoint that answered
  std::uint16_t attempts = 0;
  std::string parent;               // the one through which that was; empty: none
  std::string parent_said;          // why it refused, in its words and ours
  std::shared_ptr<Leg> leg;         // null where no TLS is spoken with the upstream
  Stage stage = Stage::connecting;  // while it is being found
};

struct Facts {
  std::uint64_t id = 0;
  Stage stage = Stage::hello;
  Dialect dialect = Dialect::unknown;
  std::uint16_t tls_version = 0;  // the highest one offered
  bool ech = false;               // an encrypted_client_hello was there: the name may be a decoy

  SocketAddress peer;         // who is connected
  SocketAddress client;       // for whom: from the PROXY header, else the peer
  SocketAddress destination;  // where the client meant to connect, as far as it is known
  std::string name;           // normalized; empty if there is none
  std::string alpn;           // joined by commas, as offered
  std::optional<wire::Ja3> ja3;
  std::optional<wire::Ja4> ja4;

  std::string_view pattern;         // of the site: what the name matched, in the plan's memory
  Way way;                          // to the upstream that the connection is passed on to
  std::unique_ptr<Leg> client_leg;  // null where we speak no TLS with the client

  const guard::RateRule* excess = nullptr;  // of the plan: the rate that had no room for it

  WallTime accepted_wall = 0;
  Instant accepted, greeted{}, connected{};
};

/// What is known of `stream` after its handshake has succeeded or failed.
std::unique_ptr<Leg> leg_of(const tls::TlsStream& stream, bool open);

/// Where the connection is now.
inline Stage stage_of(const Facts& facts) {
  return facts.stage == Stage::connecting ? facts.way.stage : facts.stage;
}

/// Whether the client has said what it wants.
inline bool is_greeted(const Facts& facts) { return facts.greeted != Instant{}; }

}  // namespace lockgate::proxy
