#include "proxy/connection.h"

#include <fmt/core.h>

#include <algorithm>

#include "net/tcp.h"
#include "proxy/access_log.h"
#include "proxy/ban_events.h"
#include "proxy/front_proxy.h"
#include "proxy/own_header.h"
#include "proxy/refuse.h"
#include "proxy/router.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr const char* kRouting = "choosing the site";

}  // namespace

Connection::Connection(House& house, ConnectionOwner& owner, std::shared_ptr<WorkerPlan> plan,
                       const ListenerPlan& listener, net::AnyStream client, Facts facts, Places places)
    : house_(house),
      owner_(owner),
      plan_(std::move(plan)),
      listener_(listener),
      facts_(std::move(facts)),
      places_(std::move(places)),
      client_(std::move(client)) {}

Connection::~Connection() = default;

void Connection::begin() {
  story_.emplace(serve());
  story_->start(this);
}

void Connection::cut(Errc why, const char* doing) {
  if (relay_) return relay_->cut(why, doing);
  if (server_) return server_->cut({.code = why, .doing = doing});
  story_.reset();  // here and now, lest it still begins a relay in this turn
  cut_ = Error{.code = why, .doing = doing};
  client_->abort();
  house_.reactor.enqueue(next_);
}

void Connection::close_soon() {
  closing_soon_ = true;
  if (server_ && !relay_) server_->close_soon();
}

std::uint64_t Connection::bytes_up() const {
  return (server_ ? server_->bytes_received() : 0) + (relay_ ? relay_->bytes_up() : 0);
}

std::uint64_t Connection::bytes_down() const {
  return (server_ ? server_->bytes_sent() : 0) + (relay_ ? relay_->bytes_down() : 0);
}

// The story of a connection.
Task<void> Connection::serve() {
  auto preparing = prepare();
  auto prepared = co_await loop::attempt(std::move(preparing));
  if (!prepared) {
    note_event(house_, facts_, *plan_->plan, prepared.error());
    auto refusing = refuse_client(prepared.error());
    co_await refusing;
    co_await loop::fail(prepared.error());
  }
}

// Up to where bytes can flow, or requests be answered.
Task<void> Connection::prepare() {
  auto identifying = identify();
  co_await identifying;
  const config::Site& site = *site_->site;
  if (site.verdict == config::Verdict::reject) co_await loop::fail(Errc::rejected, kRouting);
  if (site.is_http()) {
    if (site.verdict == config::Verdict::terminate) {
      auto opening = open_tls(site_->alpn);
      co_await opening;
    }
    start_server();
    co_return;
  }
  auto joining = join_sides();
  Dialled dialled = co_await joining;
  start_relay(std::move(dialled));
}

// If the upstream is to choose the protocol, it is asked before the client is answered.
Task<Dialled> Connection::join_sides() {
  const config::Site& site = *site_->site;
  bool terminates = site.verdict == config::Verdict::terminate;
  bool upstream_first = terminates && site_->carries_alpn && !offered_.empty();
  if (terminates && !upstream_first) {
    auto opening = open_tls(site_->alpn);
    co_await opening;
  }
  auto reaching = reach_upstream();
  Dialled dialled = co_await reaching;
  if (upstream_first) {
    auto opening = open_tls(tls::alpn_list(std::span(&facts_.way.leg->session.alpn, 1)));
    co_await opening;
  }
  co_return dialled;
}

// Answers the client's hello, which was read already, as a server.
Task<void> Connection::open_tls(std::string alpn) {
  facts_.stage = Stage::handshake;
  tls::TlsStream::Start start{.ssl = site_->server_sides[house_.worker]->answer(facts_.name),
                              .seen = flight_,
                              .alpn = std::move(alpn),
                              .key_log = key_log()};
  auto stream = std::make_unique<tls::TlsStream>(std::move(client_), std::move(start), house_.records);
  client_tls_ = stream.get();
  client_ = std::move(stream);
  release(flight_);
  auto shaking = client_tls_->handshake(house_.reactor.now() + site_->site->timeouts.handshake);
  auto shaken = co_await loop::attempt(std::move(shaking));
  facts_.client_leg = leg_of(*client_tls_, shaken.has_value());
  if (shaken) co_return;
  Error error = shaken.error().on(Side::client);
  error.doing = "shaking hands with the client";
  co_await loop::fail(error);
}

Task<Dialled> Connection::reach_upstream() {
  facts_.stage = Stage::connecting;
  wire::ProxyHeaderBytes room;
  Errand errand{.alpn = offered_, .header = our_header(*site_->site, facts_, room)};
  Instant deadline = house_.reactor.now() + site_->site->timeouts.connect;
  auto dialling = dial(house_, plan_->plan->own, *plan_->upstreams[site_->site->upstream], facts_, facts_.way,
                       errand, deadline);
  Dialled dialled = co_await dialling;
  co_return dialled;
}

// Whoever holds the secrets of a connection can decrypt it, so they are for chosen clients only.
tls::KeyLog Connection::key_log() const {
  const config::KeyLogging& wanted = site_->site->tls.key_log;
  auto inside = [&](const Network& network) { return network.contains(facts_.client.ip()); };
  if (wanted.to.empty() || (!wanted.clients.empty() && std::ranges::none_of(wanted.clients, inside)))
    return {};
  return [&journal = house_.journal, target = site_->key_log](std::string_view line) {
    journal.line(target, fmt::format("{}\n", line));
  };
}

// Who is it, what does it want, which site takes it, and is there room?
Task<void> Connection::identify() {
  auto reading_header = read_proxy_header(*client_, house_.buffers, *listener_.listener, flight_, facts_);
  co_await reading_header;
  bool banned = plan_->plan->ban_rules.bars(facts_.client.ip(), house_.worker, house_.reactor.now());
  if (banned) co_await loop::fail(Errc::banned, "looking at the bans");
  if (!is_let_in(listener_.at_accept)) co_await loop::fail(Errc::rejected, kJudging);
  if (listener_.rates && awaits_proxy_header(*listener_.listener, facts_.peer.ip())) {
    auto counted = pass(listener_.rates->arrivals);
    if (!counted) co_await loop::fail(counted.error());
  }
  Greeting greeting;
  if (listener_.listener->peek) {
    auto greeting_client = greet(*client_, house_.buffers, listener_, flight_, facts_);
    greeting = co_await greeting_client;
  }
  choose_site(greeting);
  if (greeting.hello && site_ && site_->site->verdict == config::Verdict::terminate) {
    offered_ = tls::alpn_list(greeting.hello->alpn);
  }
  facts_.greeted = house_.reactor.now();
  if (!site_) co_await loop::fail(Errc::no_site, kRouting);
  if (!is_let_in(site_->by_name)) co_await loop::fail(Errc::rejected, kJudging);
  tell_debug("taken for the name", facts_.name.empty() ? "(none)" : facts_.name);
  if (site_->rates) {
    auto counted = pass(site_->rates->at_site);
    if (!counted) co_await loop::fail(counted.error());
    client_ = paced(std::move(client_), site_->rates->bandwidth, {facts_, listener_, site_});
  }
  auto taking_place = take_place();
  co_await taking_place;
}

bool Connection::is_let_in(const guard::AnyAccess& access) const {
  return access.admits(facts_.client.ip(), house_.worker) || !speaks_for_itself(*listener_.listener, facts_);
}

Result<void> Connection::pass(const guard::RateList& rules) {
  facts_.excess = pass_rates(house_, rules, {facts_, listener_, site_}, places_.counted);
  if (!facts_.excess) return {};
  return std::unexpected(excess_error(*facts_.excess));
}

void Connection::choose_site(const Greeting& greeting) {
  Question question{.tls = facts_.dialect == Dialect::tls,
                    .name = facts_.name,
                    .alpn = greeting.hello ? std::span<const std::string>(greeting.hello->alpn)
                                           : std::span<const std::string>(),
                    .client = facts_.client.ip(),
                    .ja3 =
                        [&] {
                          note_fingerprints(greeting);
                          return facts_.ja3->text();
                        },
                    .ja4 =
                        [&] {
                          note_fingerprints(greeting);
                          return facts_.ja4->text();
                        }};
  auto answer = route(listener_, question);
  site_ = answer.site;
  facts_.pattern = answer.pattern;
  std::uint16_t log = site_ ? site_->access_log : listener_.access_log;
  if (log != kNoLog) note_fingerprints(greeting);
}

// Follows one connection in the error log, for whoever has set the level to debug.
void Connection::tell_debug(std::string_view what, std::string_view detail) {
  std::string_view site = site_ ? std::string_view(site_->site->name) : "";
  if (!house_.journal.wants(config::LogLevel::debug, site)) return;
  house_.journal.tell(config::LogLevel::debug, facts_.id, site, fmt::format("{} {}", what, detail));
}

void Connection::note_fingerprints(const Greeting& greeting) {
  if (!greeting.hello || facts_.ja4) return;
  facts_.ja3 = wire::ja3(*greeting.hello);
  facts_.ja4 = wire::ja4(*greeting.hello);
}

Task<void> Connection::take_place() {
  if (!site_->gate) co_return;
  Gate& gate = *site_->gate;
  const config::ConnectionLimit& limit = site_->site->limit;
  facts_.stage = Stage::queued;
  Instant deadline = house_.reactor.now() + limit.queue_timeout;
  Waiting waiting(gate);
  while (!gate.enter()) {
    if (limit.when_full == config::WhenFull::refuse) co_await loop::fail(Errc::limited, "entering the site");
    loop::Wait wait(house_.reactor, house_.place_freed, deadline);
    bool woken = co_await wait;
    if (!woken) co_await loop::fail(Errc::limited, "waiting for a place at the site");
  }
  places_.site = Place(gate);
}

Task<void> Connection::refuse_client(const Error& why) {
  bool silent = !is_greeted(facts_) && why.code == Errc::timed_out;
  bool wrong = why.code == Errc::bad_message || why.code == Errc::too_large;
  facts_.stage = Stage::refusing;
  if (client_tls_) {  // what there was to say, libssl has said; closing what was opened tells that it broke
                      // off
    bool told = facts_.client_leg && facts_.client_leg->alert && facts_.client_leg->alert->sent;
    if (!told) co_return;
    auto parting = part(client_tls_->under(), house_.buffers);
    co_await parting;
    co_return;
  }
  if (silent || (why.side == Side::client && !wrong)) co_return;  // nobody listens any more
  config::RejectWith how = config::RejectWith::alert;
  if (why.code == Errc::rejected && site_) how = site_->site->reject_with;
  if (why.code == Errc::banned) how = config::RejectWith::reset;
  if (facts_.excess && facts_.excess->config.then == config::RateThen::close) co_return;
  if (facts_.excess && !is_greeted(facts_)) how = config::RejectWith::reset;
  auto refusing = refuse(*client_, house_.buffers, facts_, why, how);
  co_await refusing;
}

void Connection::start_relay(Dialled dialled) {
  facts_.stage = Stage::relaying;
  facts_.connected = house_.reactor.now();
  at_ = std::move(dialled.at);
  at_parent_ = std::move(dialled.at_parent);
  tell_debug("connected to", at_.endpoint()->label());
  upstream_tls_ = dialled.tls;
  const config::Site& site = *site_->site;
  wire::ProxyHeaderBytes room;
  Bytes header = upstream_tls_ ? Bytes() : our_header(site, facts_, room);
  net::RelayTimeouts timeouts{.idle = site.timeouts.idle, .half_closed = site.timeouts.half_closed};
  net::RelayOwner& owner = *this;
  relay_ = std::make_unique<net::Relay>(std::move(client_), std::move(dialled.stream), house_.buffers,
                                        timeouts, owner);
  relay_->begin(header, flight_, dialled.early);
  release(flight_);
}

void Connection::start_server() {
  facts_.stage = Stage::serving;
  facts_.connected = house_.reactor.now();
  reverse_ = std::make_unique<Reverse>(house_, facts_, plan_, listener_, *site_, owner_.newest_plan());
  http::Server1Owner& owner = *this;
  server_ = std::make_unique<http::Server1>(std::move(client_), house_.desk, *reverse_, site_->site->http,
                                            client_tls_ ? "https" : "http", owner);
  server_->begin(flight_);
  if (closing_soon_) server_->close_soon();
  release(flight_);
}

// Client and upstream have agreed on another protocol.
void Connection::start_tunnel() {
  facts_.stage = Stage::relaying;
  http::Switched switched = server_->take_switched();
  at_ = reverse_->take_endpoint();
  at_parent_ = reverse_->take_parent();
  net::RelayTimeouts timeouts{.idle = switched.patience, .half_closed = site_->site->timeouts.half_closed};
  net::RelayOwner& owner = *this;
  relay_ = std::make_unique<net::Relay>(std::move(switched.client), std::move(switched.upstream),
                                        house_.buffers, timeouts, owner);
  relay_->begin({}, switched.from_client, switched.from_upstream);
}

void Connection::task_ended() noexcept { house_.reactor.enqueue(next_); }

// The set-up is over, or was cut: its frames go, and with them all that it waited for.
void Connection::set_up() {
  if (cut_) return over({cut_, Side::here});
  auto outcome = story_->outcome();
  story_.reset();
  if (!outcome) over({outcome.error(), outcome.error().side});
}

void Connection::server_ended(const std::optional<Error>& why) {
  if (server_->is_switched()) return start_tunnel();
  over({why, why ? why->side : Side::client});
}

void Connection::relay_ended(const net::RelayEnd& end) { over(end); }

void Connection::over(const net::RelayEnd& end) {
  if (client_tls_ && facts_.client_leg) facts_.client_leg->alert = client_tls_->alert();
  if (upstream_tls_) facts_.way.leg->alert = upstream_tls_->alert();
  Tally::Row& row = (site_ ? site_->tally : listener_.nobody)->row(house_.worker);
  row.outcomes[end.error ? static_cast<std::size_t>(end.error->code) : kFinished].add(1);
  row.bytes_up.add(bytes_up());
  row.bytes_down.add(bytes_down());
  // Requests have lines of their own.
  bool told = reverse_ && reverse_->requests() > 0 && !relay_;
  if (told) return owner_.connection_over(*this);
  AccessLine line{.facts = facts_,
                  .listener = listener_,
                  .site = site_,
                  .plan = *plan_->plan,
                  .endpoint = at_.endpoint(),
                  .bytes_up = bytes_up(),
                  .bytes_down = bytes_down(),
                  .end = end};
  write_access_line(house_, line);
  owner_.connection_over(*this);
}

}  // namespace lockgate::proxy
