#include "guard/bans.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <utility>

#include "base/digest.h"
#include "wire/page_text.h"

namespace lockgate::guard {
namespace {

constexpr std::size_t kWindows = 1 << 17;
constexpr std::size_t kMostNews = 10'000;
constexpr std::size_t kSlice = 1000;  // what is done under the lock at once

template <class... Numbers>
std::uint64_t hash_of(const HashSecret& key, Numbers... numbers) {
  std::array<std::uint64_t, sizeof...(numbers)> all{numbers...};
  auto bytes = std::as_bytes(std::span(all));
  return keyed_hash(key, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Network network_of(ClientKey client) {
  constexpr int kByte = 8;
  std::array<std::byte, 16> bytes{};
  bool is_v4 = client >> 32 == 1;
  std::size_t size = is_v4 ? 4 : 8;
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>(client >> (size - 1 - i) * kByte & 0xff);
  if (is_v4) return {Ip::from_bytes(Bytes(bytes).first(4)), 32};
  if (client == 1) bytes = {};
  return {Ip::from_bytes(bytes), 64};
}

// Without running over, whatever the factor.
Duration time_of(const config::BanRule& rule, std::uint32_t times) {
  Duration time = rule.time;
  for (std::uint32_t i = 1; i < times && time < rule.longest; ++i)
    time = time > rule.longest / rule.factor ? rule.longest : time * rule.factor;
  return std::min(time, rule.longest);
}

}  // namespace

std::vector<Ban> BanNews::lasting() const {
  std::unordered_map<std::string, std::size_t> lifted_behind;
  for (std::size_t i = 0; i < lifted.size(); ++i) lifted_behind[lifted[i].text()] = behind[i];
  std::vector<Ban> bans;
  for (std::size_t i = 0; i < banned.size(); ++i) {
    auto over = lifted_behind.find(banned[i].who.text());
    if (over == lifted_behind.end() || over->second <= i) bans.push_back(banned[i]);
  }
  return bans;
}

std::size_t Bans::Hash::operator()(ClientKey client) const { return hash_of(key, client); }

Bans::Bans(std::size_t workers, std::size_t most)
    : most_(most),
      key_(random_hash_secret()),
      table_(most),
      counts_(kWindows),
      published_(workers),
      records_(0, Hash{random_hash_secret()}) {}

bool Bans::holds(const Ip& ip, std::size_t worker, Instant now) const {
  if (ip.is_none()) return false;
  if (table_.size() != 0 && now < table_.until(client_key(ip))) return true;
  const BannedNetworks* networks = published_.at(worker);
  return networks && !networks->empty() && networks->holds(ip, now);
}

void Bans::count(const Ip& ip, const config::BanRule& rule, std::uint64_t number, Duration remember,
                 Instant now) {
  if (ip.is_none()) return;
  std::uint64_t key = hash_of(key_, number, client_key(ip));
  if (rule.count > 1 && counts_.count(key, rule.within, now) < rule.count) return;
  counts_.forget(key);
  ban_by_rule(ip, rule, remember, now);
}

// What was under way when the client was banned makes its ban no longer.
void Bans::ban_by_rule(const Ip& ip, const config::BanRule& rule, Duration remember, Instant now) {
  ClientKey client = client_key(ip);
  std::lock_guard held(lock_);
  std::uint32_t times = 1;
  auto known = records_.find(client);
  if (known != records_.end()) {
    if (now < known->second.until) return;
    if (now - known->second.until <= remember) times = known->second.times + 1;
  }
  ++totals_[rule.name];
  put(client, {.since = now, .until = now + time_of(rule, times), .times = times, .why = rule.name}, now);
}

bool Bans::ban(Ban ban, Instant now) {
  if (!restore(std::move(ban), now)) return false;
  std::lock_guard held(lock_);
  ++totals_["command"];
  return true;
}

bool Bans::restore(Ban ban, Instant now) {
  ban.why = wire::shortened(ban.why, kLongestWhy);
  std::lock_guard held(lock_);
  if (is_client(ban.who)) {
    put(client_key(ban.who.ip()),
        {.since = ban.since, .until = ban.until, .times = ban.times, .why = std::move(ban.why)}, now);
    return true;
  }
  std::erase_if(by_hand_, [&](const Ban& other) { return other.who == ban.who; });
  if (by_hand_.size() >= kMostNetworks) return false;
  note(ban);
  by_hand_.push_back(std::move(ban));
  return true;
}

std::size_t Bans::lift(const Network& network) {
  auto is_inside = [&](const Network& one) {
    return network.prefix() <= one.prefix() && network.contains(one.ip());
  };
  if (!is_client(network)) return lift_if(is_inside);
  std::lock_guard held(lock_);
  std::size_t lifted = lift_by_hand(is_inside);
  if (!records_.contains(client_key(network.ip()))) return lifted;
  note_lifted(network);
  erase(client_key(network.ip()));
  return lifted + 1;
}

std::size_t Bans::lift_if(const std::function<bool(const Network&)>& is_excepted) {
  std::size_t lifted = 0;
  std::pair<std::int64_t, ClientKey> at{INT64_MIN, 0};
  for (bool over = false; !over;) {
    std::lock_guard held(lock_);
    auto next = order_.lower_bound(at);
    std::size_t left = kSlice;
    for (; next != order_.end() && left > 0; --left) {
      auto [until, client] = *next++;
      Network who = network_of(client);
      if (!is_excepted(who)) continue;
      note_lifted(who);
      erase(client);
      ++lifted;
    }
    over = next == order_.end();
    if (!over) at = *next;
  }
  std::lock_guard held(lock_);
  return lifted + lift_by_hand(is_excepted);
}

std::size_t Bans::lift_by_hand(const std::function<bool(const Network&)>& is_meant) {
  for (const Ban& ban : by_hand_) {
    if (is_meant(ban.who)) note_lifted(ban.who);
  }
  return std::erase_if(by_hand_, [&](const Ban& ban) { return is_meant(ban.who); });
}

void Bans::sweep(Duration remember, Instant now) {
  for (bool over = false; !over;) {
    std::lock_guard held(lock_);
    auto next = order_.upper_bound(swept_);
    std::size_t left = kSlice;
    for (; next != order_.end() && next->first <= now.nanoseconds && left > 0; ++next, --left) {
      table_.remove(next->second);
      swept_ = *next;
    }
    for (left = kSlice; left > 0 && !order_.empty(); --left) {
      auto [until, client] = *order_.begin();
      if (now - Instant{until} <= remember) break;
      erase(client);
    }
    over = left > 0 && (next == order_.end() || next->first > now.nanoseconds);
  }
  std::lock_guard held(lock_);
  std::erase_if(by_hand_, [&](const Ban& ban) {
    bool over = ban.until <= now;
    if (over) note_lifted(ban.who);
    return over;
  });
}

std::shared_ptr<const BannedNetworks> Bans::networks() const {
  std::vector<BannedNetwork> networks;
  for (const Ban& ban : by_hand_) networks.push_back({ban.who, ban.until});
  return std::make_shared<const BannedNetworks>(networks);
}

std::vector<Ban> Bans::list(std::size_t most, const Ban* after) const {
  std::lock_guard held(lock_);
  std::vector<Ban> bans;
  bool behind_networks = after && is_client(after->who);
  auto from = by_hand_.begin();
  if (after && !behind_networks) from = std::ranges::find(by_hand_, after->who, &Ban::who);
  if (from != by_hand_.end() && after) ++from;
  if (!behind_networks)
    bans.assign(from, from + std::min(by_hand_.end() - from, static_cast<std::ptrdiff_t>(most)));
  auto next = order_.rbegin();
  if (behind_networks)
    next = std::make_reverse_iterator(
        order_.lower_bound({after->until.nanoseconds, client_key(after->who.ip())}));
  for (; next != order_.rend() && bans.size() < most; ++next)
    bans.push_back(ban_of(next->second, records_.at(next->second)));
  return bans;
}

BanNews Bans::take_news() {
  std::lock_guard held(lock_);
  return std::exchange(news_, {});
}

std::map<std::string, std::uint64_t> Bans::totals() const {
  std::lock_guard held(lock_);
  return totals_;
}

void Bans::put(ClientKey client, Record record, Instant now) {
  auto known = records_.find(client);
  if (known != records_.end()) {
    order_.erase({known->second.until.nanoseconds, client});
  } else if (records_.size() >= most_) {
    auto [until, first] = *order_.begin();
    if (now.nanoseconds < until) {
      displaced_.fetch_add(1, std::memory_order_relaxed);
      note_lifted(network_of(first));
    }
    erase(first);
  }
  order_.emplace(record.until.nanoseconds, client);
  if (now < record.until) {
    table_.put(client, record.until);
    note(ban_of(client, record));
  }
  records_.insert_or_assign(client, std::move(record));
}

void Bans::erase(ClientKey client) {
  auto known = records_.find(client);
  order_.erase({known->second.until.nanoseconds, client});
  table_.remove(client);
  records_.erase(known);
}

void Bans::note(Ban ban) {
  changes_.fetch_add(1, std::memory_order_release);
  if (news_.banned.size() < kMostNews)
    news_.banned.push_back(std::move(ban));
  else
    ++news_.left_out;
}

void Bans::note_lifted(const Network& network) {
  changes_.fetch_add(1, std::memory_order_release);
  if (news_.lifted.size() < kMostNews) {
    news_.lifted.push_back(network);
    news_.behind.push_back(news_.banned.size());
  } else {
    ++news_.left_out;
  }
}

Ban Bans::ban_of(ClientKey client, const Record& record) {
  return {.who = network_of(client),
          .since = record.since,
          .until = record.until,
          .times = record.times,
          .why = record.why};
}

}  // namespace lockgate::guard
