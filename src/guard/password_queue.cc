#include "guard/password_queue.h"

#include <algorithm>
#include <utility>

namespace lockgate::guard {
namespace {

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

bool PasswordQueue::add(PasswordQuestion question, Instant now) {
  question.client = client_of(question.client);
  Askers displaced;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (PasswordQuestion* same = same_as(question)) return join(*same, question);
    heat_.fade(now);
    question.source = heat_.place_of(question.client, question.name);
    heat_.warm(question.source);
    drop_abandoned();
    if (has_its_places(question.client)) return false;
    auto room = make_room(heat_.at(question.source));
    if (!room) return false;
    displaced = std::move(*room);
    waiting_.push_back(std::make_shared<PasswordQuestion>(std::move(question)));
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
    if (verdict == PasswordVerdict::right && !question.work) heat_.excuse(question.source);
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
  auto waits = std::ranges::find_if(waiting_, is_same);
  if (waits != waiting_.end()) return waits->get();
  auto checked = std::ranges::find_if(checked_, is_same);
  return checked == checked_.end() ? nullptr : checked->get();
}

// Those without an address, as of a Unix socket, are many, and no two of them are known to be the same.
bool PasswordQueue::has_its_places(const Ip& client) const {
  auto same_client = [&](const Question& question) { return question->client == client; };
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
  std::erase_if(waiting_, [](const Question& question) { return is_abandoned(*question); });
}

// The oldest of the hottest: whoever waits for that long has the least to lose.
std::optional<PasswordQueue::Askers> PasswordQueue::make_room(unsigned heat) {
  if (waiting_.size() < kPlaces) return Askers();
  auto heat_of_one = [this](const Question& question) { return heat_of(question); };
  auto hottest = std::ranges::max_element(waiting_, {}, heat_of_one);
  if (heat_of(*hottest) <= heat) return {};
  Askers askers = std::move((*hottest)->askers);
  waiting_.erase(hottest);
  return askers;
}

// The newest of the coldest: a flood of sources that are new, too, is older than whoever comes behind it.
std::shared_ptr<const PasswordQuestion> PasswordQueue::take_coldest() {
  drop_abandoned();
  auto heat_of_one = [this](const Question& question) { return heat_of(question); };
  auto coldest = std::ranges::min_element(waiting_.rbegin(), waiting_.rend(), {}, heat_of_one);
  if (coldest == waiting_.rend()) return nullptr;
  checked_.push_back(std::move(*coldest));
  waiting_.erase(std::prev(coldest.base()));
  return checked_.back();
}

}  // namespace lockgate::guard
