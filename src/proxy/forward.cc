#include "proxy/forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/by_parent.h"
#include "proxy/downward.h"
#include "proxy/error_answer.h"
#include "proxy/handed_on.h"
#include "proxy/own_header.h"
#include "proxy/page.h"
#include "proxy/request_log.h"
#include "proxy/upward.h"
#include "wire/http_framing.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr const char* kWaiting = "waiting for the answer";
// A body that came with its head is kept for a second try.
constexpr std::size_t kReplayed = 16 * 1024;
// How long an upstream is asked whether it wants the body, before it gets it unasked (RFC 9110, 10.1.1).
constexpr Duration kContinue = std::chrono::seconds(1);
constexpr int kMostInterim = 100;

// Of the server, or of what is behind it, rather than of the request.
bool speaks_of_trouble(int status) { return status >= 502 && status <= 504; }

// What an answer of its status has to say, whoever has written its page (RFC 9110, 15.5).
bool is_owed(std::string_view field) {
  constexpr std::array<std::string_view, 5> kOwed = {"Allow", "Content-Range", "Proxy-Authenticate",
                                                     "Retry-After", "WWW-Authenticate"};
  return std::ranges::any_of(kOwed, [&](auto owed) { return wire::equal_in_any_case(owed, field); });
}

Error too_large() { return refusal(Errc::too_large, 413, "reading the request's body"); }

}  // namespace

Forward::Forward(House& house, const WorkerPlan& plan, http::Exchange& exchange, RequestFacts& facts)
    : house_(house),
      plan_(plan),
      exchange_(exchange),
      facts_(facts),
      options_(facts.route->route->forwarding),
      upstream_(*plan.upstreams[facts.route->route->upstream]),
      sticky_(*upstream_.upstream),
      scope_(house.reactor) {}

Instant Forward::soon(Duration patience) const {
  return patience > Duration::zero() ? std::min(total_by_, house_.reactor.now() + patience) : total_by_;
}

// The time for the answer runs from the end of the request.
Instant Forward::answer_by() const {
  if (uploading_ || options_.first_byte == Duration::zero()) return soon(options_.first_byte);
  return std::min(total_by_, facts_.asked + options_.first_byte);
}

Task<void> Forward::run() {
  Result<void> taken;
  if (options_.buffer_request > 0 && exchange_.request().has_body) {
    auto buffering = buffer_request();
    co_await buffering;
  } else {
    taken = take_first_piece();
  }
  if (options_.total > Duration::zero()) total_by_ = house_.reactor.now() + options_.total;
  if (taken) taken = refuse_unsized();
  if (!taken) co_await loop::fail(taken.error());
  auto asking = ask_one();
  co_await asking;
  auto answering = answer();
  co_await answering;
}

// Of a body that is all here the length is known, and nobody needs to be asked whether it is wanted.
Task<void> Forward::buffer_request() {
  auto reading = buffered_.read(exchange_, {.kept = options_.buffer_request, .allowed = options_.body_limit});
  co_await reading;
  http::Request& request = exchange_.request();
  first_ = {.bytes = buffered_.bytes(), .last = buffered_.whole()};
  uploaded_ = first_.bytes.size();
  request.wants_continue = false;
  if (buffered_.whole()) request.length = uploaded_;
}

// What has come of the body with the head goes up with the head, and can go up again.
Result<void> Forward::take_first_piece() {
  const http::Request& request = exchange_.request();
  first_ = {.bytes = {}, .last = !request.has_body};
  if (!request.has_body) return {};
  if (reached_limit(request.length.value_or(0))) return std::unexpected(too_large());
  auto piece = exchange_.read_now();
  if (!piece) return std::unexpected(piece.error());
  if (!*piece) return {};
  if (reached_limit((*piece)->bytes.size())) return std::unexpected(too_large());
  std::string_view kept = exchange_.arena().copy(as_text((*piece)->bytes));
  bool last = (*piece)->last && exchange_.trailers().empty();  // those go up behind a piece of their own
  first_ = {.bytes = as_bytes(kept), .last = last};
  body_begun_ = kept.size() > kReplayed;
  uploaded_ = kept.size();
  return {};
}

bool Forward::reached_limit(std::uint64_t more) const {
  return options_.body_limit > 0 && (more > options_.body_limit || uploaded_ > options_.body_limit - more);
}

// HTTP/1.0 has no chunks (RFC 9112, 6.1): a body has to tell its length beforehand.
Result<void> Forward::refuse_unsized() const {
  const http::Request& request = exchange_.request();
  bool unsized = request.has_body && !request.length && options_.version == config::HttpVersion::http1_0;
  if (!unsized) return {};
  return std::unexpected(refusal(Errc::rejected, 411, "making a body without a length fit for HTTP/1.0"));
}

// Endpoints one after the other, until one answers.
Task<void> Forward::ask_one() {
  Instant connect_by = soon(facts_.site->site->timeouts.connect);
  auto targets = upstream_.targets;
  if (!targets) {
    auto knowing = known_targets(house_, upstream_, connect_by);
    targets = co_await knowing;
  }
  facts_.targets = targets;
  sticky_.read(exchange_.request(), facts_.path, *targets, house_.reactor.now(), exchange_.arena());
  std::string key = hash_key(*upstream_.upstream, facts_.host, facts_.client.ip());
  Attempts attempts(house_, upstream_, std::move(targets), std::move(key), facts_.connection.id);
  attempts.stick_to(sticky_.mark());
  for (std::uint32_t failed = 0;;) {
    auto choosing = choose(attempts, connect_by);
    const Target* target = co_await choosing;
    facts_.way.attempts = attempts.made();
    facts_.endpoint = target->endpoint.get();
    connection_ = take_connection(*target);
    for (bool fresh = false; !fresh;) {
      fresh = !connection_;
      facts_.reused = !fresh;
      if (fresh) {
        auto connecting = connect(*target, attempts.deadline(connect_by));
        auto connected = co_await loop::attempt(std::move(connecting));
        if (!connected) {
          note_try(*target, connected.error());
          attempts.failed(connected.error());
          break;
        }
        connection_ = std::move(*connected);
      }
      auto asking = ask(*target);
      auto asked = co_await loop::attempt(std::move(asking));
      if (asked) {
        attempts.answered(!speaks_of_trouble(exchange_.memory().response.status));
        sticky_.learn(exchange_.memory().response, *target, house_.reactor.now());
        co_return;
      }
      scope_.cancel_oldest();
      connection_.reset();
      note_try(*target, asked.error());
      if (fresh && asked.error().side == Side::upstream) attempts.answered(false);
      if (client_failed_) co_await loop::fail(*client_failed_);
      if (!may_ask_again(asked.error())) co_await loop::fail(asked.error());
      if (fresh && ++failed > options_.retries) co_await loop::fail(asked.error());
      if (fresh) attempts.failed(asked.error());
      connect_by = soon(facts_.site->site->timeouts.connect);  // what was asked took its own time
    }
  }
}

// The endpoint to ask next, and the place there; that of the one before is given up first.
Task<const Target*> Forward::choose(Attempts& attempts, Instant& connect_by) {
  at_ = {};
  const Target* target = attempts.next();
  if (attempts.is_full()) {
    auto waiting = attempts.wait_for_place(total_by_);
    target = co_await waiting;
    connect_by = soon(facts_.site->site->timeouts.connect);
  }
  if (!target) co_await loop::fail(attempts.last());
  at_ = attempts.take_place();
  co_return target;
}

// Nothing but what the upstream may not have seen, or does not mind to see again (RFC 9110, 9.2.2), and only
// if all of the body is at hand.
bool Forward::may_ask_again(const Error& error) const {
  if (body_begun_ || exchange_.responded()) return false;
  bool unreached = error.code == Errc::unresolved || error.code == Errc::unreachable;
  if (error.side == Side::parent) return unreached;
  if (error.side != Side::upstream) return false;
  bool broke = error.code == Errc::closed || error.code == Errc::reset;
  if (!error.retryable || !broke) return false;
  return http::is_idempotent(facts_.method) || !sent_;
}

void Forward::note_try(const Target& target, const Error& error) {
  note_failed_try(house_, facts_, error);
  std::string text =
      fmt::format("{}{}: {}", facts_.tries.empty() ? "" : "; ", target.endpoint->label(), words(error));
  facts_.tries = exchange_.arena().join(facts_.tries, text);
}

// A server name that the client has chosen is part of what a connection was opened for.
PoolKey Forward::key_of(const Target& target) const {
  PoolKey key{.endpoint = target.endpoint.get(), .side = target.tls ? upstream_.client_side.get() : nullptr};
  bool carries = target.tls && upstream_.upstream->config.tls.server_name == "carry";
  if (carries) key.identity = facts_.connection.name;
  if (target.via) key.parent = upstream_.parents[*target.via].upstream.get();
  key.of_parent = parent_of(target) != nullptr;
  return key;
}

// The parent that makes this request for us. What it is to pass on as bytes needs a tunnel.
const ParentView* Forward::parent_of(const Target& target) const {
  bool of_bytes = !exchange_.request().upgrade.empty() || header_version(*facts_.site->site);
  return of_bytes ? nullptr : parent_to_ask(upstream_, target);
}

// One from the pool, which was reached by somebody else. On those nobody has told of this client in a PROXY
// header.
Forward::Connection Forward::take_connection(const Target& target) {
  if (header_version(*facts_.site->site)) return nullptr;
  Connection connection = house_.pool.take(key_of(target));
  if (!connection) return nullptr;
  std::uint16_t attempts = facts_.way.attempts;
  facts_.way = connection->way;
  facts_.way.attempts = attempts;
  return connection;
}

Task<Forward::Connection> Forward::connect(const Target& target, Instant deadline) {
  static const std::string kAlpn = tls::alpn_list(std::vector<std::string>{"http/1.1"});
  wire::ProxyHeaderBytes room;
  auto side = upstream_.client_side;  // a reload may bring others meanwhile
  auto parent = target.via ? upstream_.parents[*target.via].upstream : nullptr;
  const PoolKey key = key_of(target);
  Errand errand{.alpn = kAlpn, .header = our_header(*facts_.site->site, facts_.connection, room)};
  errand.of_parent = key.of_parent;
  auto reaching =
      reach(house_, plan_.plan->own, upstream_, target, errand, facts_.connection, facts_.way, deadline);
  Dialled dialled = co_await reaching;
  target.endpoint->connect_succeeded();
  if (!target.tls && !errand.header.empty()) {
    auto telling = net::write(*dialled.stream, errand.header, deadline);
    co_await telling;
  }
  auto client = std::make_unique<http::Client1>(std::move(dialled.stream), house_.desk, dialled.early);
  auto connection = std::make_unique<UpstreamConnection>(
      std::move(client), key, target.endpoint, target.tls ? std::move(side) : nullptr, std::move(parent));
  connection->way = facts_.way;
  connection->at_parent = std::move(dialled.at_parent);
  co_return connection;
}

// One request up, and the head of its answer.
Task<void> Forward::ask(const Target& target) {
  http::Request& request = exchange_.request();
  http::Client1& call = *connection_->client;
  http::ClientForm form{.http1_0 = options_.version == config::HttpVersion::http1_0,
                        .keepalive = options_.keepalive,
                        .to_proxy = connection_->is_of_parent()};
  std::shared_ptr<const wire::Credentials> credentials;
  if (form.to_proxy) {
    const ParentView* parent = parent_of(target);  // a reload may have taken it away meanwhile
    if (parent) credentials = parent->credentials;
    if (parent) form.proxy_authorization = parent->authorization;
    address_by_parent(request, target, exchange_.arena());
  } else {
    address_request(request, facts_, target, exchange_.arena());
  }
  call.begin(form);
  facts_.asked = house_.reactor.now();
  bool waits = waits_for_continue();
  auto sending = call.send(request, first_, options_.idle);
  auto sent = co_await loop::attempt(std::move(sending));
  if (!sent) co_await loop::fail(sent.error());
  sent_ = true;
  if (!first_.last && !waits) start_upload();
  auto hearing = hear_answer();
  co_await hearing;
  if (!connection_->is_of_parent()) co_return;
  auto refusal = refusal_of_parent(exchange_.memory().response, credentials.get(), facts_.way.parent_said);
  if (refusal) co_await loop::fail(*refusal);
}

// The client sends its body when it is told to, and so do we; HTTP/1.0 has no words for it.
bool Forward::waits_for_continue() const {
  bool body_waits = !body_begun_ && !first_.last && first_.bytes.empty();
  return exchange_.request().wants_continue && body_waits && options_.version != config::HttpVersion::http1_0;
}

void Forward::start_upload() {
  uploading_ = body_begun_ = true;
  scope_.spawn(upload());
}

// The rest of the request's body. An upstream that takes no more of it may have answered already.
Task<void> Forward::upload() {
  http::Call& call = *connection_->client;
  for (bool last = false; !last;) {
    auto reading = exchange_.read();
    auto piece = co_await loop::attempt(std::move(reading));
    if (piece) uploaded_ += piece->bytes.size();
    if (!piece || reached_limit(0)) {
      client_failed_ = piece ? too_large() : piece.error();
      call.give_up(*client_failed_);
      break;
    }
    last = piece->last;
    if (last && !exchange_.trailers().empty())
      call.add_trailers(trailers_handed_on(exchange_.trailers(), facts_));
    auto writing = call.write(*piece, options_.idle);
    auto written = co_await loop::attempt(std::move(writing));
    if (!written) break;
  }
  facts_.asked = house_.reactor.now();
  uploading_ = false;
}

// Interim answers are passed on; the time for the answer runs once the request is up.
Task<void> Forward::hear_answer() {
  http::Call& call = *connection_->client;
  http::Response& heard = exchange_.memory().response;
  bool waits = waits_for_continue();
  for (int interim = 0; interim < kMostInterim;) {
    Instant deadline = waits ? soon(kContinue) : answer_by();
    auto receiving = call.receive(heard, exchange_.arena(), deadline);
    auto received = co_await loop::attempt(std::move(receiving));
    if (!received && client_failed_) co_await loop::fail(*client_failed_);
    bool slow = !received && received.error().code == Errc::timed_out;
    if (slow && waits) {
      waits = false;
      start_upload();
      continue;
    }
    if (slow && house_.reactor.now() < answer_by()) continue;
    if (!received) co_await loop::fail(received.error());
    if (heard.status >= 200 || heard.status == 101) co_return;
    ++interim;
    auto informing = exchange_.inform(heard);
    co_await informing;
    if (heard.status != 100 || !waits) continue;
    waits = false;
    start_upload();
  }
  co_await loop::fail(Error{.code = Errc::bad_message, .side = Side::upstream, .doing = kWaiting});
}

Task<void> Forward::answer() {
  facts_.answered = house_.reactor.now();
  http::Response& answer = exchange_.memory().response;
  facts_.status = answer.status;
  if (intercepts()) {
    auto answering = answer_instead();
    co_await answering;
    release_connection();
    co_return;
  }
  prepare_answer(answer, facts_, exchange_.request(), plan_.regexes, exchange_.arena());
  sticky_.sign(answer, facts_.scheme == "https", exchange_.arena());
  if (answer.status == 101) {
    auto switching = switch_protocol();
    co_await switching;
    co_return;
  }
  auto first = first_of_answer();
  if (!first) co_await loop::fail(first.error());
  bool buffers = options_.buffer_response > 0 && !first->last;
  auto passing = buffers ? pass_buffered(*first) : pass_body(*first);
  co_await passing;
  if (connection_) release_connection();
}

// An upstream that was told of this client in a PROXY header must not be asked for another on that
// connection.
void Forward::release_connection() {
  bool reusable = connection_->client->is_reusable() && !header_version(*facts_.site->site);
  const config::IdleConnections& waiting = upstream_.upstream->config.idle_connections;
  if (reusable) house_.pool.give(std::move(connection_), waiting.time, waiting.most);
}

bool Forward::intercepts() const { return options_.intercept_errors && error_page(facts_) != nullptr; }

// What has come of the upstream's page is passed over; where that is not all, the connection goes with the
// rest.
Task<void> Forward::answer_instead() {
  const http::Response& heard = exchange_.memory().response;
  for (bool last = !heard.has_body; !last;) {
    auto piece = connection_->client->read_now();
    if (!piece || !*piece) break;
    last = (*piece)->last;
  }
  for (const wire::HeadField& field : heard.fields) {
    if (is_owed(field.name)) facts_.owed.push_back(field);
  }
  scope_.cancel_oldest();  // of the request's body, too, nobody wants the rest
  exchange_.leave_body();
  auto answering = answer_with_error(exchange_, facts_, plan_.regexes, house_.reactor.wall());
  co_await answering;
}

// What has come of the body; the head leaves with it, and without waiting for any.
Result<http::Piece> Forward::first_of_answer() {
  http::Call& call = *connection_->client;
  http::Piece piece{.bytes = {}, .last = !exchange_.memory().response.has_body};
  if (piece.last) return piece;
  auto there = call.read_now();
  if (!there) return std::unexpected(there.error());
  if (*there) piece = **there;
  if (piece.last && !call.trailers().empty()) piece.last = false;  // those go behind a piece of their own
  return piece;
}

// The same with room between the upstream and a client that takes it slowly.
Task<void> Forward::pass_buffered(http::Piece first) {
  BufferedAnswer buffered(house_.reactor, options_.buffer_response);
  buffered.put(first);
  loop::Scope reader(house_.reactor);  // goes before what it reads into
  reader.spawn(read_ahead(buffered));
  auto beginning = exchange_.respond(exchange_.memory().response, {});
  co_await beginning;
  for (bool last = false; !last;) {
    auto taking = buffered.take();
    http::Piece piece = co_await taking;
    last = piece.last;
    if (last && connection_) exchange_.add_trailers(connection_->client->trailers());
    auto writing = exchange_.write(piece);
    co_await writing;
  }
}

// Once the answer is here its upstream is free for others, unless trailers are still to be taken from it.
Task<void> Forward::read_ahead(BufferedAnswer& buffered) {
  http::Call& call = *connection_->client;
  for (bool last = false; !last;) {
    auto waiting = buffered.wait_for_room();
    co_await waiting;
    auto reading = call.read(soon(options_.idle));
    auto piece = co_await loop::attempt(std::move(reading));
    if (!piece) {
      buffered.fail(piece.error());
      co_return;
    }
    last = piece->last;
    buffered.put(*piece);
  }
  if (uploading_ || !call.trailers().empty()) co_return;
  release_connection();
  connection_.reset();
  at_ = AtEndpoint();
}

Task<void> Forward::pass_body(http::Piece piece) {
  http::Call& call = *connection_->client;
  const http::Response& answer = exchange_.memory().response;
  auto responding = exchange_.respond(answer, piece);
  co_await responding;
  while (!piece.last) {
    auto reading = call.read(soon(options_.idle));
    piece = co_await reading;
    if (piece.last && !call.trailers().empty()) exchange_.add_trailers(call.trailers());
    auto writing = exchange_.write(piece);
    co_await writing;
  }
}

// From here on both sides speak what they have agreed on, and we relay it.
Task<void> Forward::switch_protocol() {
  const http::Response& answer = exchange_.memory().response;
  // Nothing is switched to that the client has not named (RFC 9110, 7.8).
  if (answer.upgrade.empty() || !wire::has_member(exchange_.request().upgrade, answer.upgrade))
    co_await loop::fail(Error{.code = Errc::bad_message, .side = Side::upstream, .doing = kWaiting});
  auto responding = exchange_.respond(answer, {.bytes = {}, .last = true});
  co_await responding;
  std::vector<std::byte> early;
  auto stream = connection_->client->take_stream(early);
  exchange_.switch_to(std::move(stream), early, options_.tunnel);
  facts_.at = std::move(at_);
  facts_.at_parent = std::move(connection_->at_parent);
}

}  // namespace lockgate::proxy
