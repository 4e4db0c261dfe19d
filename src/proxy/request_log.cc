#include "proxy/request_log.h"

#include "base/line_builder.h"
#include "proxy/access_log.h"
#include "proxy/ban_events.h"
#include "proxy/formatted_line.h"

namespace lockgate::proxy {
namespace {

// Whatever clients send, there is room for all that follows.
constexpr std::size_t kMostOfTarget = 1400;
constexpr std::size_t kMostOfField = 700;

void add_request(LineBuilder& builder, const RequestFacts& facts) {
  builder.field("request", facts.id);
  builder.field("connection", connection_name(facts.connection.id));
  builder.field("listener", facts.listener.listener->name);
  builder.field("peer", facts.connection.peer.text());
  builder.field("client", facts.client.text());
  builder.optional("user", facts.user);
  builder.optional("scheme", facts.scheme);
  builder.optional("host", facts.authority);
  builder.optional("method", facts.method);
  builder.shortened("target", facts.target, kMostOfTarget);
  if (!facts.method.empty()) builder.field("protocol", facts.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1");
  builder.shortened("referer", facts.referer, kMostOfField);
  builder.shortened("user_agent", facts.user_agent, kMostOfField);
}

void add_answer(LineBuilder& builder, const RequestFacts& facts, const Plan& plan, Instant now) {
  if (facts.status != 0) builder.field("status", static_cast<std::uint64_t>(facts.status));
  builder.optional("site", facts.site ? facts.site->site->name : "");
  builder.optional("route", facts.route ? facts.route->route->name : "");
  builder.optional("upstream", upstream_name(facts, plan));
  if (facts.endpoint) builder.field("endpoint", facts.endpoint->label());
  if (!facts.way.address.is_none()) builder.field("address", facts.way.address.text());
  builder.optional("parent", facts.way.parent);
  if (facts.way.attempts > 0) builder.field("attempts", std::uint64_t{facts.way.attempts});
  if (facts.reused) builder.field("reused", true);
  builder.optional("tries", facts.tries);
  if (facts.answered != Instant{}) builder.field("answer_ms", milliseconds(facts.answered - facts.begun));
  if (facts.delay > Duration::zero()) builder.field("delay_ms", milliseconds(facts.delay));
  builder.field("duration_ms", milliseconds(now - facts.begun));
  builder.field("bytes_up", facts.bytes_up);
  builder.field("bytes_down", facts.bytes_down);
  builder.field("outcome", facts.error ? name_of(facts.error->code) : "finished");
  if (!facts.error) return;
  builder.field("ended_by", name_of(facts.error->side));
  if (facts.excess) builder.field("rate", facts.excess->config.name);
  builder.field("reason", why_it_ended(facts));
}

void write_line(House& house, const RequestFacts& facts, const Plan& plan, Arena& arena) {
  std::uint16_t target = facts.site ? facts.site->access_log : facts.listener.access_log;
  if (target == kNoLog) return;
  bool banned = facts.error && facts.error->code == Errc::banned;
  if (banned && !may_tell_of_banned(house)) return;
  const config::LineForm& form =
      (facts.site ? facts.site->site->access_log : facts.listener.listener->access_log).format;
  Instant now = house.reactor.now();
  if (!form.line.empty()) {
    EscapedLine line;
    append_line(line, {.form = form.line, .facts = facts, .plan = plan, .now = now}, arena);
    return house.journal.line(target, line.line());
  }
  bool json = form.kind == config::LineForm::Kind::json;
  LineBuilder builder(json ? LineFormat::json : LineFormat::text);
  builder.time("time", facts.begun_wall);
  add_request(builder, facts);
  add_legs(builder, facts.connection.client_leg.get(), facts.way.leg.get());
  add_answer(builder, facts, plan, now);
  house.journal.line(target, builder.line());
}

RequestTally* tally_of(const RequestFacts& facts) {
  if (facts.route) return facts.route->tally.get();
  return (facts.site ? facts.site->unrouted : facts.listener.misdirected).get();
}

void count_request(const House& house, const RequestFacts& facts) {
  RequestTally* tally = tally_of(facts);
  if (!tally) return;
  RequestTally::Row& row = tally->row(house.worker);
  row.answers[place_of_status(facts.status)].add(1);
  if (facts.failed_sign_in) row.failed_sign_ins.add(1);
  if (facts.error) row.errors[place_of_error(*facts.error)].add(1);
  row.bytes_up.add(facts.bytes_up);
  row.bytes_down.add(facts.bytes_down);
  if (facts.way.attempts > 1) row.retries.add(facts.way.attempts - 1u);
  row.stale.add(facts.stale);
  row.durations.add(house.reactor.now() - facts.begun);
}

// What was not answered is counted by note_failed_try().
void count_answer(const House& house, const RequestFacts& facts) {
  if (!facts.endpoint || facts.asked == Instant{} || facts.answered == Instant{}) return;
  Endpoint::Row& row = facts.endpoint->row(house.worker);
  row.requests.add(1);
  row.answers.add(facts.answered - facts.asked);
  if (facts.status >= 500) row.server_errors.add(1);
  if (facts.error && facts.error->side == Side::upstream) row.failures.add(1);
}

}  // namespace

void note_failed_try(const House& house, RequestFacts& facts, const Error& error) {
  if (!facts.endpoint || error.side == Side::client) return;
  bool broke = error.code == Errc::closed || error.code == Errc::reset;
  if (facts.reused && broke && error.retryable) {  // it was closed while nobody asked anything
    ++facts.stale;
    return;
  }
  Endpoint::Row& row = facts.endpoint->row(house.worker);
  row.requests.add(1);
  row.failures.add(1);
}

void finish_request(House& house, const RequestFacts& facts, const Plan& plan, Arena& arena) {
  bool trouble = facts.error && facts.error->side != Side::client;
  std::string_view site = facts.site ? std::string_view(facts.site->site->name) : "";
  if (trouble && house.journal.wants(config::LogLevel::warning, site))
    house.journal.tell(config::LogLevel::warning, facts.connection.id, site, why_it_ended(facts));
  note_events(house, facts, plan);
  count_request(house, facts);
  count_answer(house, facts);
  write_line(house, facts, plan, arena);
}

}  // namespace lockgate::proxy
