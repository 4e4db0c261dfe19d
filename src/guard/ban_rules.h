// BanRules: what one configuration says of bans, over those of the process: what counts
// against a client, and who is never banned. Part of a plan, and as immutable; any thread.
//
// Whoever learns of an event says so here, in one line, wherever that is.
#pragma once
#include <array>
#include <bitset>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "guard/bans.h"

namespace lockgate::guard {

using Event = config::BanEvent;

class BanRules {
 public:
  /// Counts nothing, and bars nobody.
  BanRules() = default;
  /// Both outlive this.
  BanRules(const config::Config& config, Bans& bans);

  /// Whether `client` is banned; `worker` asks on its own thread.
  bool bars(const Ip& client, std::size_t worker, Instant now) const {
    return bans_ && bans_->holds(client, worker, now) && !is_excepted(client);
  }
  /// Something has happened that a rule may count against `client`.
  void note(Event event, const Ip& client, Instant now) const;
  /// An answer has gone out.
  void note_status(int status, const Ip& client, Instant now) const;
  /// Somebody has asked for a route that is a trap of `rule`.
  void note_trap(std::string_view rule, const Ip& client, Instant now) const;

  bool is_excepted(const Ip& client) const;
  /// Whether all of `network` is.
  bool is_excepted(const Network& network) const;

 private:
  static constexpr std::size_t kStatuses = 600;
  struct Rule {
    const config::BanRule* config;
    std::uint64_t number;  // the same in every configuration that has a rule of this name
  };
  void count(const Rule& rule, const Ip& client, Instant now) const;

  Bans* bans_ = nullptr;
  Duration remember_{};
  std::vector<Network> except_;
  std::array<std::vector<Rule>, config::kBanEvents> rules_;
  std::bitset<kStatuses> statuses_;  // that some rule counts
};

}  // namespace lockgate::guard
