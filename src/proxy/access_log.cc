#include "proxy/access_log.h"

#include <fmt/core.h>

#include "base/line_builder.h"
#include "config/words.h"
#include "proxy/error_words.h"
#include "proxy/formatted_line.h"

namespace lockgate::proxy {
namespace {

std::string_view version_name(std::uint16_t version) {
  switch (version) {
    case 0x0002:
      return "ssl2";
    case 0x0300:
      return "ssl3";
    case 0x0301:
      return "1.0";
    case 0x0302:
      return "1.1";
    case 0x0303:
      return "1.2";
    case 0x0304:
      return "1.3";
    default:
      return "unknown";
  }
}

std::string_view offered(const Facts& facts) {
  switch (facts.dialect) {
    case Dialect::unknown:
      return "";
    case Dialect::tls:
      return version_name(facts.tls_version);
    case Dialect::http:
    case Dialect::other:
      return "plain";
  }
  return "";
}

std::string why(const Facts& facts) {
  if (facts.pattern.empty() || facts.pattern == "default") return std::string(facts.pattern);
  return fmt::format("name {}", facts.pattern);
}

void add_client(LineBuilder& builder, const AccessLine& line) {
  const Facts& facts = line.facts;
  builder.field("connection", connection_name(facts.id));
  builder.field("listener", line.listener.listener->name);
  builder.field("peer", facts.peer.text());
  builder.field("client", facts.client.text());
  builder.optional("name", facts.name);
  builder.optional("alpn", facts.alpn);
  if (facts.ja3) builder.field("ja3", facts.ja3->text());
  if (facts.ja4) builder.field("ja4", facts.ja4->text());
  builder.optional("tls", offered(facts));
  if (facts.ech) builder.field("ech", true);
}

void add_verdict(LineBuilder& builder, const AccessLine& line) {
  builder.optional("site", line.site ? line.site->site->name : "");
  builder.field("verdict", line.site ? config::word_of(line.site->site->verdict) : "none");
  builder.optional("why", why(line.facts));
  if (!line.site || line.site->site->verdict == config::Verdict::reject) return;
  const config::Site& site = *line.site->site;
  if (!site.is_http()) builder.field("upstream", line.plan.upstreams[site.upstream]->config.name);
  if (line.endpoint) builder.field("endpoint", line.endpoint->label());
  if (!line.facts.way.address.is_none()) builder.field("address", line.facts.way.address.text());
  builder.optional("parent", line.facts.way.parent);
  if (line.facts.way.attempts > 0) builder.field("attempts", std::uint64_t{line.facts.way.attempts});
}

/// The keys of one leg's fields; "tls" is what the client has offered.
struct LegKeys {
  std::string_view version, cipher, group, signature, resumed, alpn, subject, serial, alert_sent,
      alert_received;
};
constexpr LegKeys kClientKeys{"tls_version",    "tls_cipher",        "tls_group",      "tls_signature",
                              "tls_resumed",    "tls_alpn",          "client_subject", "client_serial",
                              "tls_alert_sent", "tls_alert_received"};
constexpr LegKeys kUpstreamKeys{
    "upstream_tls_version",    "upstream_tls_cipher",        "upstream_tls_group", "upstream_tls_signature",
    "upstream_tls_resumed",    "upstream_tls_alpn",          "upstream_subject",   "upstream_serial",
    "upstream_tls_alert_sent", "upstream_tls_alert_received"};

void add_leg(LineBuilder& builder, const Leg* leg, const LegKeys& keys) {
  if (!leg) return;
  if (leg->open) {
    const tls::Session& session = leg->session;
    builder.field(keys.version, version_name(session.version));
    builder.field(keys.cipher, session.cipher);
    builder.optional(keys.group, session.group);
    builder.optional(keys.signature, session.signature);
    builder.field(keys.resumed, session.resumed);
    builder.optional(keys.alpn, session.alpn);
    builder.optional("certificate_serial", session.own_serial);
    builder.optional(keys.subject, session.peer_subject);
    builder.optional(keys.serial, session.peer_serial);
  }
  if (leg->alert)
    builder.field(leg->alert->sent ? keys.alert_sent : keys.alert_received,
                  name_of_alert(leg->alert->number));
}

std::string reason(const AccessLine& line) {
  return error_words(*line.end.error, line.facts.way, line.facts.client_leg.get());
}

void add_end(LineBuilder& builder, const AccessLine& line, Instant now) {
  const Facts& facts = line.facts;
  if (is_greeted(facts)) builder.field("hello_ms", milliseconds(facts.greeted - facts.accepted));
  if (facts.connected != Instant{})
    builder.field("connect_ms", milliseconds(facts.connected - facts.greeted));
  builder.field("duration_ms", milliseconds(now - facts.accepted));
  builder.field("bytes_up", line.bytes_up);
  builder.field("bytes_down", line.bytes_down);
  builder.field("outcome", line.end.error ? name_of(line.end.error->code) : "finished");
  builder.field("ended_by", name_of(line.end.by));
  if (facts.excess) builder.field("rate", facts.excess->config.name);
  if (line.end.error) builder.field("reason", reason(line));
}

// What an operator can do something about: our own wants and the upstream's failures.
bool is_trouble(const AccessLine& line) {
  if (!line.end.error || line.facts.stage == Stage::relaying || line.end.by == Side::client) return false;
  Errc code = line.end.error->code;
  if (line.facts.excess) return false;  // a flood is no trouble of ours, and not to become one of the log
  bool silent_client = code == Errc::timed_out && !is_greeted(line.facts);
  return !silent_client && code != Errc::rejected && code != Errc::banned && code != Errc::no_site;
}

// A form of the operator's is for connections, too: what only requests have is not known then.
void write_own_line(House& house, const AccessLine& line, const config::Template& form,
                    std::uint16_t target) {
  RequestFacts facts{.connection = line.facts, .listener = line.listener, .site = line.site};
  if (line.plan.guardroom) facts.geo = &line.plan.guardroom->addresses.geo();
  facts.worker = house.worker;
  facts.scheme = line.facts.dialect == Dialect::http ? "http" : "";
  facts.host = line.facts.name;
  facts.way = line.facts.way;
  facts.endpoint = line.endpoint;
  facts.error = line.end.error;
  facts.bytes_up = line.bytes_up;
  facts.bytes_down = line.bytes_down;
  facts.begun_wall = line.facts.accepted_wall;
  facts.begun = line.facts.accepted;
  Arena arena;
  EscapedLine text;
  append_line(text, {.form = form, .facts = facts, .plan = line.plan, .now = house.reactor.now()}, arena);
  house.journal.line(target, text.line());
}

}  // namespace

void add_legs(LineBuilder& builder, const Leg* client, const Leg* upstream) {
  add_leg(builder, client, kClientKeys);
  add_leg(builder, upstream, kUpstreamKeys);
}

std::string connection_name(std::uint64_t id) { return fmt::format("{:x}", id); }

double milliseconds(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }
bool may_tell_of_banned(House& house) {
  auto left_out = house.of_banned.take(house.reactor.now());
  if (left_out && *left_out > 0)
    house.journal.tell(
        config::LogLevel::info, 0, "",
        fmt::format("{} lines about banned clients were left out of the access log", *left_out));
  return left_out.has_value();
}

void write_access_line(House& house, const AccessLine& line) {
  std::string_view site = line.site ? std::string_view(line.site->site->name) : "";
  if (is_trouble(line) && house.journal.wants(config::LogLevel::warning, site)) {
    house.journal.tell(config::LogLevel::warning, line.facts.id, site, reason(line));
  }
  std::uint16_t target = line.site ? line.site->access_log : line.listener.access_log;
  if (target == kNoLog) return;
  bool banned = line.end.error && line.end.error->code == Errc::banned;
  if (banned && !may_tell_of_banned(house)) return;
  const config::LineForm& form =
      (line.site ? line.site->site->access_log : line.listener.listener->access_log).format;
  if (form.kind == config::LineForm::Kind::own) return write_own_line(house, line, form.line, target);
  bool json = form.kind == config::LineForm::Kind::json;
  LineBuilder builder(json ? LineFormat::json : LineFormat::text);
  builder.time("time", line.facts.accepted_wall);
  add_client(builder, line);
  add_leg(builder, line.facts.client_leg.get(), kClientKeys);
  add_verdict(builder, line);
  add_leg(builder, line.facts.way.leg.get(), kUpstreamKeys);
  add_end(builder, line, house.reactor.now());
  house.journal.line(target, builder.line());
}

}  // namespace lockgate::proxy
