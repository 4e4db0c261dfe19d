// Dialling: a connection to one endpoint of an upstream, dressed as its site asks.
#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "loop/task.h"
#include "net/stream.h"
#include "proxy/balance.h"
#include "proxy/facts.h"
#include "proxy/house.h"
#include "proxy/plan.h"

namespace lockgate::proxy {

/// What the client and its site want of the upstream.
struct Errand {
  std::string_view alpn;   // what is offered for the client, as tls::alpn_list() makes it
  Bytes header;            // our PROXY header; goes before everything else
  bool on_trial = false;   // for no client at all, but to see whether the endpoint is there
  bool of_parent = false;  // it is its parent that is asked, and no tunnel is wanted
  bool to_parent = false;  // the upstream is a parent, inside of whose TLS there may be TLS again
};

struct Dialled {
  net::AnyStream stream;
  AtEndpoint at, at_parent;
  tls::TlsStream* tls = nullptr;      // the stream, if it is one; then the header has gone
  std::vector<std::byte> early = {};  // what the upstream has said already, if it is none
};

inline constexpr const char* kConnecting = "connecting to the upstream";

/// The endpoints of an upstream that are tried for one connection or one exchange, one after the other, and
/// what is made of their failures.
class Attempts {
 public:
  Attempts(House& house, UpstreamView& upstream, std::shared_ptr<const Targets> targets, std::string key,
           std::uint64_t connection)
      : house_(&house),
        upstream_(&upstream),
        targets_(std::move(targets)),
        key_(std::move(key)),
        connection_(connection) {}

  /// The first one to try is the one of this mark, if it can be used; 0 stands for any.
  void stick_to(std::uint64_t mark) { stuck_to_ = mark; }

  /// The one to try next, at which there is a place from then on; null if none may be tried any more, or if
  /// is_full().
  const Target* next();
  /// All that could be tried have as many connections as they may.
  bool is_full() const { return full_; }
  /// Waits in the upstream's queue until next() would have found one, for as long as that may take.
  loop::Task<const Target*> wait_for_place(Instant deadline);
  /// The place at the one to try.
  AtEndpoint take_place() { return std::move(at_); }
  /// Until when, if `overall` is when all of them have to be over.
  Instant deadline(Instant overall) const;
  /// That one could not be reached. It is put aside if that is its fault, and not the first time.
  void failed(Error error);
  /// What came of a request to the last one: too many bad answers in a row put it aside, too.
  void answered(bool well);

  std::uint16_t made() const { return made_; }
  /// Why the last one could not be reached; `no_endpoint` if none was tried.
  const Error& last() const { return last_; }

 private:
  class InQueue;

  const Target* pick();
  int stuck_target() const;
  bool is_mishap(const Error& error) const;
  void tell_ejected(std::string_view why) const;

  House* house_;
  UpstreamView* upstream_;
  std::shared_ptr<const Targets> targets_;
  std::string key_;  // of the balancer
  std::uint64_t connection_;
  static constexpr std::size_t kMost = 100;  // that `tries` may say
  std::array<int, kMost> tried_;             // numbers of targets
  std::uint16_t made_ = 0;
  int broken_ = Balancer::kNone;  // the last of them, if it may be tried once more
  const Target* target_ = nullptr;
  AtEndpoint at_;
  std::uint64_t stuck_to_ = 0;
  bool full_ = false;
  Error last_{.code = Errc::no_endpoint, .side = Side::upstream, .doing = kConnecting};
  bool over_ = false;
};

/// The targets, once the resolver has answered for the first time.
loop::Task<std::shared_ptr<const Targets>> known_targets(House& house, UpstreamView& upstream,
                                                         Instant deadline);
/// What keeps a client with its endpoint; empty where nothing does.
std::string hash_key(const Upstream& upstream, std::string_view name, const Ip& client);

/// Tries endpoints, each for the upstream's try_timeout and all together until `deadline`, and notes address,
/// parent, attempts and TLS in the way. `no_endpoint` if none may be tried, otherwise the last one's error.
loop::Task<Dialled> dial(House& house, const OwnAddresses& own, UpstreamView& upstream, const Facts& facts,
                         Way& way, Errand errand, Instant deadline);

/// One endpoint, all the way: through its parent, and up to the end of its handshake.
loop::Task<Dialled> reach(House& house, const OwnAddresses& own, UpstreamView& upstream, const Target& target,
                          Errand errand, const Facts& facts, Way& way, Instant deadline);

}  // namespace lockgate::proxy
