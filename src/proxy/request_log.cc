#include "proxy/request_log.h"

#include "base/line_builder.h"
#include "proxy/access_log.h"

namespace lockgate::proxy {
namespace {

double milliseconds(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

void add_request(LineBuilder& builder, const RequestFacts& facts) {
  builder.field("request", facts.id);
  builder.field("connection", connection_name(facts.connection.id));
  builder.field("listener", facts.listener.listener->name);
  builder.field("peer", facts.connection.peer.text());
  builder.field("client", facts.client.text());
  builder.optional("scheme", facts.scheme);
  builder.optional("host", facts.authority);
  builder.optional("method", facts.method);
  builder.optional("target", facts.target);
  if (!facts.method.empty()) builder.field("protocol", facts.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1");
  builder.optional("referer", facts.referer);
  builder.optional("user_agent", facts.user_agent);
}

void add_answer(LineBuilder& builder, const RequestFacts& facts, Instant now) {
  if (facts.status != 0) builder.field("status", static_cast<std::uint64_t>(facts.status));
  builder.optional("site", facts.site ? facts.site->site->name : "");
  builder.optional("route", facts.route ? facts.route->route->name : "");
  if (facts.endpoint) builder.field("endpoint", facts.endpoint->label());
  if (!facts.way.address.is_none()) builder.field("address", facts.way.address.text());
  builder.optional("parent", facts.way.parent);
  if (facts.way.attempts > 0) builder.field("attempts", std::uint64_t{facts.way.attempts});
  if (facts.reused) builder.field("reused", true);
  builder.optional("tries", facts.tries);
  if (facts.answered != Instant{}) builder.field("answer_ms", milliseconds(facts.answered - facts.begun));
  builder.field("duration_ms", milliseconds(now - facts.begun));
  builder.field("bytes_up", facts.bytes_up);
  builder.field("bytes_down", facts.bytes_down);
  builder.field("outcome", facts.error ? name_of(facts.error->code) : "finished");
  if (!facts.error) return;
  builder.field("ended_by", name_of(facts.error->side));
  std::string reason = words(*facts.error);
  if (!facts.way.parent_said.empty()) reason += ": " + facts.way.parent_said;
  const Leg* leg = facts.way.leg.get();
  if (facts.error->code == Errc::untrusted && leg && !leg->untrusted.empty()) reason += ": " + leg->untrusted;
  builder.field("reason", reason);
}

}  // namespace

void finish_request(House& house, const RequestFacts& facts, const Plan&) {
  bool trouble = facts.error && facts.error->side != Side::client;
  std::string_view site = facts.site ? std::string_view(facts.site->site->name) : "";
  if (trouble && house.journal.wants(config::LogLevel::warning, site))
    house.journal.tell(config::LogLevel::warning, facts.connection.id, site, words(*facts.error));
  std::uint16_t target = facts.site ? facts.site->access_log : facts.listener.access_log;
  if (target == kNoLog) return;
  const config::AccessLog& log =
      facts.site ? facts.site->site->access_log : facts.listener.listener->access_log;
  LineBuilder builder(log.format == config::LogFormat::json ? LineFormat::json : LineFormat::text);
  builder.time("time", facts.begun_wall);
  add_request(builder, facts);
  add_answer(builder, facts, house.reactor.now());
  house.journal.line(target, builder.line());
}

}  // namespace lockgate::proxy
