#include "http/server1.h"

#include <algorithm>

#include "http/exchange1.h"

namespace lockgate::http {

using loop::Task;

namespace {

// A client may send requests before it has the answer; so many bytes of them are taken from the kernel.
constexpr std::size_t kMostAhead = 64 * 1024;
// A client that sends what nobody wants is heard out for so long, and for so long without a byte, until it
// has seen our last words.
constexpr Duration kLinger = std::chrono::seconds(30), kLingerIdle = std::chrono::seconds(2);

}  // namespace

Server1::Server1(net::AnyStream stream, Desk& desk, Service& service, const config::HttpServer& options,
                 std::string_view scheme, Server1Owner& owner)
    : stream_(std::move(stream)),
      desk_(desk),
      service_(service),
      options_(options),
      owner_(owner),
      scheme_(scheme),
      receiver_(*stream_, desk.buffers),
      sender_(*stream_, desk) {}

Server1::~Server1() { story_.reset(); }  // it ends with a look at all the rest

void Server1::begin(Bytes seen) {
  receiver_.put(seen);
  stream_->set_owner(this);
  park();
}

void Server1::close_soon() {
  closing_ = true;
  stream_->reactor().enqueue(*this);
}

void Server1::cut(const Error& why) {
  broken_off_ = why;
  story_.reset();
  stream_->abort();
  stream_->reactor().enqueue(*this);
}

Switched Server1::take_switched() {
  stream_->set_owner(nullptr);
  switched_->client = std::move(stream_);
  return std::move(*switched_);
}

// One request and its answer.
Task<void> Server1::converse() {
  Exchange1 exchange(*this);
  auto receiving = exchange.receive();
  auto received = co_await loop::attempt(std::move(receiving));
  if (received && !*received) {
    closing_ = true;
    co_return;
  }
  bool last_by_number = options_.keepalive_requests > 0 && ++requests_ >= options_.keepalive_requests;
  closing_ = closing_ || last_by_number || !received;
  auto answering = received ? service_.serve(exchange) : service_.refuse(exchange, received.error());
  co_await answering;
  if (!received) refused_ = received.error();
  if (switched_ || (!received && !exchange.responded())) co_return;
  auto settling = settle(exchange);
  co_await settling;
}

// What is left of the request is read, or the connection ends; closing with something unread would reset it
// and could take the answer with it (RFC 9112, 9.6).
Task<void> Server1::settle(Exchange1& exchange) {
  if (!exchange.responded() || !sender_.ended()) co_await loop::fail(Errc::closed, "writing the answer");
  exchange.leave_body();
  if (!closing_) co_return;
  auto told = stream_->finish(net::Ending::complete);
  if (exchange.body().ended() && receiver_.empty() && told && *told && !stream_->readable()) co_return;
  auto lingering = linger();
  co_await loop::attempt(std::move(lingering));
}

Task<void> Server1::linger() {
  loop::Reactor& reactor = stream_->reactor();
  Instant over = reactor.now() + kLinger;
  auto finishing = net::finish(*stream_, reactor.now() + kLingerIdle);
  co_await finishing;
  for (bool ended = false; !ended && reactor.now() < over;) {
    auto reading = net::read(*stream_, desk_.buffers.scratch(), std::min(over, reactor.now() + kLingerIdle));
    std::size_t size = co_await reading;
    ended = size == 0;
  }
}

void Server1::run() {
  if (over_) return;
  if (broken_off_) return end(broken_off_);
  if (story_ && story_->finished()) return conclude();
  if (story_) return watch();
  bool silent = receiver_.empty() && !stream_->readable();
  if ((timer_.expired() && silent) || (closing_ && receiver_.empty())) {
    static_cast<void>(stream_->finish(net::Ending::complete));
    return end({});
  }
  if (!silent) start();
}

void Server1::start() {
  timer_.stop();
  story_.emplace(converse());
  story_->start(this);
}

void Server1::conclude() {
  auto outcome = story_->outcome();
  story_.reset();
  if (!outcome) {
    stream_->abort();  // so that no answer looks complete that is not
    return end(outcome.error());
  }
  if (switched_ || closing_) return end(refused_);
  park();
}

// The next request may be here already; it has its turn after those of others.
void Server1::park() {
  receiver_.rest();
  stream_->reactor().start(timer_, stream_->reactor().now() + options_.keepalive);
  if (!receiver_.empty() || stream_->readable()) stream_->reactor().enqueue(*this);
}

// Whoever has left does not wait for the answer any more. A client that ends its side only cannot be told
// from one that has left, but one that has said so in its request (Connection: close, or HTTP/1.0) may; and
// when the answer has begun, writing it tells the two apart.
void Server1::watch() {
  if (!exchange_) return;
  bool waits = exchange_->awaits_answer(), listens = exchange_->responded() && !sender_.ended();
  if (!waits && !listens) return;
  std::optional<Error> gone;
  if (stream_->broken()) gone = stream_->why_broken("waiting for the answer");
  if (!gone && waits && stream_->readable() && receiver_.size() < kMostAhead) {
    auto arrived = receiver_.try_more();
    receiver_.keep();
    if (!arrived) gone = arrived.error();
    if (arrived && arrived->ended) gone = Error{.code = Errc::closed, .doing = "waiting for the answer"};
  }
  if (!gone) return;
  broken_off_ = gone->on(Side::client);
  story_.reset();
  if (!waits) stream_->abort();
  end(broken_off_);
}

void Server1::end(const std::optional<Error>& why) {
  over_ = true;
  timer_.stop();
  owner_.server_ended(why);
}

}  // namespace lockgate::http
