#include "server/log_writer.h"

#include <fmt/core.h>
#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>

#include "proxy/access_log.h"

namespace lockgate::server {
namespace {

constexpr Duration kRetry = std::chrono::seconds(1);
constexpr Duration kForEver = Duration::max();

bool has(const std::vector<std::uint16_t>& numbers, std::size_t number) {
  return std::ranges::find(numbers, number) != numbers.end();
}

}  // namespace

LogWriter::LogWriter(const Clock& clock, const LogRules& rules, std::size_t producers)
    : clock_(clock), rules_(rules) {
  for (std::size_t i = 0; i < producers; ++i) producers_.push_back(std::make_unique<LogProducer>(wake_));
  standard_error_ = target_for({config::LogTarget::Kind::standard_error, ""});
}

LogWriter::~LogWriter() { stop(); }

void LogWriter::start() {
  CHECK(!thread_.joinable());
  // Signals are for the process's thread; a closed pipe shall be an error here, whatever SIGPIPE does
  // elsewhere.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "log writer");
}

void LogWriter::stop(Duration longest) {
  if (stopping_.load()) return;
  if (!thread_.joinable()) start();  // something may have been said before the start failed
  stop_at_.store(clock_.now() + longest);
  stopping_.store(true);
  wake_.wake();
  thread_.join();
}

std::uint16_t LogWriter::target_for(const config::LogTarget& target) {
  if (target.kind == config::LogTarget::Kind::off) return proxy::kNoLog;
  auto found = std::ranges::find(known_, target, &Known::target);
  auto number = static_cast<std::uint16_t>(found - known_.begin());
  if (found != known_.end() && found->open) return number;
  CHECK(known_.size() < proxy::kNoLog);
  if (found == known_.end()) known_.push_back({.target = target});
  known_[number].open = true;
  send({.target = number, .open = true, .what = target});
  return number;
}

void LogWriter::close_unused(const std::vector<std::uint16_t>& used) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    auto number = static_cast<std::uint16_t>(i);
    if (!known_[number].open || number == standard_error_ || has(used, number)) continue;
    known_[number].open = false;
    send({.target = number, .open = false, .what = {}});
  }
}

void LogWriter::reopen() {
  reopen_.store(true);
  wake_.wake();
}

LinesDropped LogWriter::lines_dropped() const {
  LinesDropped dropped{
      .ring_full = own_.ring().refused(), .slow = lost_.slow.load(), .failed = lost_.failed.load()};
  for (const auto& producer : producers_) dropped.ring_full += producer->ring().refused();
  return dropped;
}

void LogWriter::send(Order order) {
  {
    std::lock_guard lock(mutex_);
    orders_.push_back(std::move(order));
  }
  wake_.wake();
}

void LogWriter::run() {
  for (;;) {
    bool stopping = stopping_.load();  // read first: what was said before stop() is written
    bool reopening = reopen_.exchange(false);
    take_orders();
    bool busy = drain();
    flush(clock_.now());
    if (reopening) reopen_files();
    close_closing();
    if (stopping && (nothing_to_wait_for() || clock_.now() >= stop_at_.load())) break;
    wait(busy || stopping);
  }
  for (auto& destination : destinations_) {
    if (destination) destination->lose_all();
  }
  destinations_.clear();
}

void LogWriter::take_orders() {
  std::vector<Order> orders;
  {
    std::lock_guard lock(mutex_);
    orders.swap(orders_);
  }
  for (Order& order : orders) {
    if (destinations_.size() <= order.target) destinations_.resize(order.target + 1U);
    std::erase(closing_, order.target);
    if (!order.open) {
      closing_.push_back(order.target);
    } else if (!destinations_[order.target]) {
      destinations_[order.target] = std::make_unique<LogDestination>(std::move(order.what), lost_);
    }
  }
}

// Whether there was anything.
bool LogWriter::drain() {
  bool any = drain(own_.ring());
  for (auto& producer : producers_) any |= drain(producer->ring());
  return any;
}

// At most one ring full, for a thread that never stops talking shall not keep the others waiting.
bool LogWriter::drain(LineRing& ring) {
  Instant now = clock_.now();
  WallTime wall = clock_.wall();
  std::size_t taken = 0;
  while (taken < ring.capacity()) {
    auto line = ring.front();
    if (!line) break;
    taken += line->text.size() + 1;
    if (LogDestination* to = destination(line->target)) {
      to->append(static_cast<config::LogLevel>(line->severity), line->text, now, wall);
    } else {
      lost_.failed.fetch_add(1, std::memory_order_relaxed);
    }
    ring.pop();
  }
  return taken > 0;
}

LogDestination* LogWriter::destination(std::uint16_t target) {
  auto find = [&] { return target < destinations_.size() ? destinations_[target].get() : nullptr; };
  if (LogDestination* found = find()) return found;
  take_orders();  // the target may be younger than this turn
  return find();
}

void LogWriter::flush(Instant now) {
  for (std::size_t number = 0; number < destinations_.size(); ++number) {
    if (!destinations_[number]) continue;
    destinations_[number]->flush(now);
    if (auto news = destinations_[number]->news()) tell(number, *news);
  }
}

void LogWriter::reopen_files() {
  for (std::size_t number = 0; number < destinations_.size(); ++number) {
    if (!destinations_[number]) continue;
    auto done = destinations_[number]->reopen();
    if (!done) tell(number, {.good = false, .sentence = done.error()});
  }
}

void LogWriter::close_closing() {
  std::erase_if(closing_, [this](std::uint16_t target) {
    LogDestination& old = *destinations_[target];
    if (old.blocked()) return false;
    old.lose_all();  // nothing, unless it is failing
    destinations_[target].reset();
    return true;
  });
}

void LogWriter::tell(std::size_t about, const LogDestination::News& news) {
  config::LogLevel level = news.good ? config::LogLevel::info : config::LogLevel::error;
  journal_.tell(level, 0, "", news.sentence);
  bool goes_nowhere = rules_.target() == proxy::kNoLog || rules_.target() == about;
  if (goes_nowhere && about != standard_error_) {
    own_.line(standard_error_, level, fmt::format("lockgate: {}\n", news.sentence));
  }
}

bool LogWriter::nothing_to_wait_for() {
  auto has_lines = [](auto& producer) { return !producer->ring().empty(); };
  auto waits = [](auto& destination) { return destination && destination->blocked(); };
  return own_.ring().empty() && std::ranges::none_of(producers_, has_lines) &&
         std::ranges::none_of(destinations_, waits);
}

// While there are lines it comes back after a moment, unasked, so that producers need not wake it for each.
void LogWriter::wait(bool busy) {
  auto blocked = [](auto& destination) { return destination && destination->blocked(); };
  auto failing = [](auto& destination) { return destination && destination->failing(); };
  Duration longest = kForEver;
  if (std::ranges::any_of(destinations_, failing)) longest = kRetry;
  if (busy || std::ranges::any_of(destinations_, blocked)) longest = kBatch;

  if (!busy) wake_.going_to_sleep();
  auto has_lines = [](auto& producer) { return !producer->ring().empty(); };
  bool more = !busy && (!own_.ring().empty() || std::ranges::any_of(producers_, has_lines));
  if (!more) {
    pollfd woken{.fd = wake_.descriptor(), .events = POLLIN, .revents = 0};
    auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(longest).count();
    ::poll(&woken, 1, longest == kForEver ? -1 : static_cast<int>(milliseconds));
  }
  wake_.awake();
  wake_.clear();
}

}  // namespace lockgate::server
