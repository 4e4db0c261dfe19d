#include "guard/password_queue.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/digest.h"

namespace lockgate::guard {
namespace {

constexpr Duration kCoolEvery = std::chrono::minutes(1);
constexpr std::size_t kNetworkSize = 8;  // a /64: whoever has one of its addresses has all

Ip client_of(const Ip& ip) {
  if (!ip.is_v6()) return ip;
  std::array<std::byte, 16> bytes{};
  std::ranges::copy(ip.bytes().first(kNetworkSize), bytes.begin());
  return Ip::from_bytes(bytes);
}

bool is_abandoned(const PasswordQuestion& question) {
  return std::ranges::all_of(question.askers, [](const auto& asker) { return asker->gone.load(); });
}

}  // namespace

void PasswordAsker::tell(const std::shared_ptr<PasswordAsker>& asker, PasswordVerdict verdict) {
  asker->reactor.post([asker, verdict] {
    asker->verdict = verdict;
    asker->answered.wake();
  });
}

PasswordQueue::PasswordQueue() { random_bytes(std::as_writable_bytes(std::span(key_))); }

bool PasswordQueue::add(PasswordQuestion question, Instant now) {
  question.client = client_of(question.client);
  Askers displaced;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (PasswordQuestion* same = same_as(question)) return join(*same, question);
    drop_abandoned();
    if (has_its_places(question.client)) return false;
    cool(now);
    std::uint8_t heat = heat_of(question.client);
    auto room = make_room(heat);
    if (!room) return false;
    displaced = std::move(*room);
    waiting_.push_back({std::make_shared<PasswordQuestion>(std::move(question)), heat});
  }
  added_.notify_one();
  for (const auto& asker : displaced) PasswordAsker::tell(asker, PasswordVerdict::busy);
  return true;
}

std::shared_ptr<const PasswordQuestion> PasswordQueue::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (closed_) return nullptr;
    if (auto question = take_coldest()) return question;
    added_.wait(lock);
  }
}

std::shared_ptr<const PasswordQuestion> PasswordQueue::take_now() {
  std::lock_guard lock(mutex_);
  return closed_ ? nullptr : take_coldest();
}

void PasswordQueue::answer(const PasswordQuestion& question, PasswordVerdict verdict) {
  Askers askers;
  {
    std::lock_guard lock(mutex_);
    auto found = std::ranges::find(checked_, &question, [](const auto& one) { return one.get(); });
    askers = std::move((*found)->askers);
    bool heats = verdict == PasswordVerdict::wrong || question.work;  // who is known goes before who is not
    if (std::uint8_t& heat = heat_of(question.client); heats && heat < UINT8_MAX) ++heat;
    checked_.erase(found);
  }
  for (const auto& asker : askers) PasswordAsker::tell(asker, verdict);
}

void PasswordQueue::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  added_.notify_all();
}

std::size_t PasswordQueue::size() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

PasswordQuestion* PasswordQueue::same_as(const PasswordQuestion& question) {
  auto is_same = [&](const auto& other) { return other->digest == question.digest; };
  auto waits = std::ranges::find_if(waiting_, is_same, &Place::question);
  if (waits != waiting_.end()) return waits->question.get();
  auto checked = std::ranges::find_if(checked_, is_same);
  return checked == checked_.end() ? nullptr : checked->get();
}

// Those without an address, as of a Unix socket, are many, and no two of them are known to be the same.
bool PasswordQueue::has_its_places(const Ip& client) const {
  auto same_client = [&](const Place& place) { return place.question->client == client; };
  return !client.is_none() && std::ranges::count_if(waiting_, same_client) >= std::ptrdiff_t{kPlacesOfClient};
}

bool PasswordQueue::join(PasswordQuestion& same, PasswordQuestion& question) {
  if (same.askers.size() >= kAskersOfQuestion)
    std::erase_if(same.askers, [](const auto& asker) { return asker->gone.load(); });
  if (same.askers.size() >= kAskersOfQuestion) return false;
  std::ranges::move(question.askers, std::back_inserter(same.askers));
  return true;
}

void PasswordQueue::drop_abandoned() {
  std::erase_if(waiting_, [](const Place& place) { return is_abandoned(*place.question); });
}

std::optional<PasswordQueue::Askers> PasswordQueue::make_room(std::uint8_t heat) {
  if (waiting_.size() < kPlaces) return Askers();
  auto hottest = std::ranges::max_element(waiting_.rbegin(), waiting_.rend(), {}, &Place::heat);
  if (hottest->heat <= heat) return {};
  Askers askers = std::move(hottest->question->askers);
  waiting_.erase(std::prev(hottest.base()));
  return askers;
}

std::shared_ptr<const PasswordQuestion> PasswordQueue::take_coldest() {
  drop_abandoned();
  auto coldest = std::ranges::min_element(waiting_, {}, &Place::heat);
  if (coldest == waiting_.end()) return nullptr;
  checked_.push_back(std::move(coldest->question));
  waiting_.erase(coldest);
  return checked_.back();
}

void PasswordQueue::cool(Instant now) {
  if (now - cooled_ < kCoolEvery) return;
  cooled_ = now;
  for (std::uint8_t& heat : heats_) heat /= 2;
}

std::uint8_t& PasswordQueue::heat_of(const Ip& client) {
  Bytes bytes = client.bytes();
  return heats_[keyed_hash(key_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}) %
                heats_.size()];
}

}  // namespace lockgate::guard
