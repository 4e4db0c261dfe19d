// Bans: who is banned in this whole process, until when and why.
//
// Workers ask holds() for every connection and every request: it takes no lock, and costs
// the same for none as for a million. Bans are made by rules, on any thread, and by hand,
// on the process's; both under a lock that is held for moments only. What was banned is
// remembered for a while, so that a client that comes back stays out longer. Bounded: when
// it is full, the ban that ends first goes. Outlives reloads.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/bans.h"
#include "guard/ban_table.h"
#include "guard/banned_networks.h"
#include "guard/event_counts.h"
#include "guard/published.h"

namespace lockgate::guard {

/// One ban, as it is shown and kept.
struct Ban {
  Network who;
  Instant since, until;
  std::uint32_t times = 1;  // how often in a row, this one included
  std::string why;          // the rule, or what was said by hand
};

/// What has changed since somebody asked last.
struct BanNews {
  std::vector<Ban> banned;
  std::vector<Network> lifted;      // before their time; networks also at its end
  std::uint64_t left_out = 0;       // that are not among these, for there were too many
  std::vector<std::size_t> behind;  // of each that was lifted: how many had been banned by then

  /// Those of `banned` that were not lifted afterwards.
  std::vector<Ban> lasting() const;
};

class Bans {
 public:
  static constexpr std::size_t kMostNetworks = 10'000;
  static constexpr std::size_t kLongestWhy = 200;

  Bans(std::size_t workers, std::size_t most);

  // Any thread.

  /// Whether `ip` is banned; `worker` is who asks, on its own thread.
  bool holds(const Ip& ip, std::size_t worker, Instant now) const;
  /// Counts an event of `ip`, of which `rule` has `number`, and bans it if that was once too often.
  void count(const Ip& ip, const config::BanRule& rule, std::uint64_t number, Duration remember, Instant now);
  /// Clients banned now, without those whose time is over but for sweep().
  std::size_t size() const { return table_.size(); }
  /// Grows with every change.
  std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

  // The process's thread.

  /// Bans a client or a network by hand; false if there are too many networks.
  bool ban(Ban ban, Instant now);
  /// The same, of one that was kept.
  bool restore(Ban ban, Instant now);
  /// Lifts the bans of this network and of all that is in it; how many. Nothing is remembered.
  std::size_t lift(const Network& network);
  /// Lifts the bans of all that `is_excepted` holds for.
  std::size_t lift_if(const std::function<bool(const Network&)>& is_excepted);
  /// Forgets what is over, as far as it is not to be remembered.
  void sweep(Duration remember, Instant now);
  /// Networks banned by hand, to be given to each worker by take_networks().
  std::shared_ptr<const BannedNetworks> networks() const;
  void take_networks(std::size_t worker, std::shared_ptr<const BannedNetworks> networks) {
    published_.take(worker, std::move(networks));
  }

  /// At most `most`, those that end last first, behind `after` if that is given: networks come before all
  /// clients, and what is only remembered comes last.
  std::vector<Ban> list(std::size_t most, const Ban* after = nullptr) const;
  std::size_t networks_banned() const { return by_hand_.size(); }
  BanNews take_news();
  /// Bans ever made, by rule or "command".
  std::map<std::string, std::uint64_t> totals() const;
  /// Bans that have gone for want of room.
  std::uint64_t displaced() const { return displaced_.load(std::memory_order_relaxed); }
  std::size_t most() const { return most_; }

 private:
  struct Record {
    Instant since, until;
    std::uint32_t times = 1;
    std::string why;
  };
  struct Hash {
    std::size_t operator()(ClientKey client) const;
    HashSecret key;
  };
  using Order = std::set<std::pair<std::int64_t, ClientKey>>;

  void ban_by_rule(const Ip& ip, const config::BanRule& rule, Duration remember, Instant now);
  /// With the lock.
  std::size_t lift_by_hand(const std::function<bool(const Network&)>& is_meant);
  void put(ClientKey client, Record record, Instant now);
  void erase(ClientKey client);
  void note(Ban ban);
  void note_lifted(const Network& network);
  static Ban ban_of(ClientKey client, const Record& record);

  const std::size_t most_;
  HashSecret key_;
  BanTable table_;
  EventCounts counts_;
  Published<BannedNetworks> published_;
  std::atomic<std::uint64_t> changes_ = 0, displaced_ = 0;

  mutable std::mutex lock_;
  std::unordered_map<ClientKey, Record, Hash> records_;
  Order order_;  // by their ends
  std::map<std::string, std::uint64_t> totals_;
  BanNews news_;
  std::vector<Ban> by_hand_;  // networks; the process's thread alone
  Order::key_type swept_{};   // up to here, all are out of the table
};

}  // namespace lockgate::guard
