#include "proxy/formatted_line.h"

#include <fmt/format.h>

#include "base/time_text.h"
#include "proxy/access_log.h"
#include "proxy/error_words.h"
#include "proxy/variables.h"

namespace lockgate::proxy {
namespace {

using config::Variable;

std::string_view number(std::uint64_t value, Arena& arena) {
  fmt::format_int digits(value);
  return arena.copy({digits.data(), digits.size()});
}

std::string_view milliseconds(Duration duration, Arena& arena) {
  std::array<char, 32> text;
  auto written = fmt::format_to_n(text.data(), text.size(), "{:.3f}", proxy::milliseconds(duration));
  return arena.copy({text.data(), std::min(written.size, text.size())});
}

std::string_view protocol(const RequestFacts& facts) {
  if (facts.method.empty()) return {};
  return facts.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

std::string_view request_line(const RequestFacts& facts, Arena& arena) {
  if (facts.method.empty()) return {};
  return arena.join(facts.method, " ", facts.target, " ", protocol(facts));
}

std::string_view of_upstream(Variable variable, const FormattedLine& line, Arena& arena) {
  const RequestFacts& facts = line.facts;
  switch (variable) {
    case Variable::upstream:
      return upstream_name(facts, line.plan);
    case Variable::endpoint:
      return facts.endpoint ? std::string_view(facts.endpoint->label()) : std::string_view();
    case Variable::address:
      return facts.way.address.is_none() ? std::string_view() : arena.copy(facts.way.address.text());
    case Variable::parent:
      return facts.way.parent;
    case Variable::attempts:
      return facts.way.attempts == 0 ? std::string_view() : number(facts.way.attempts, arena);
    case Variable::tries:
      return facts.tries;
    case Variable::reused:
      if (!facts.endpoint) return {};
      return facts.reused ? "true" : "false";
    default:
      return value_of(variable, facts, arena);
  }
}

std::string_view of_answer(Variable variable, const FormattedLine& line, Arena& arena) {
  const RequestFacts& facts = line.facts;
  switch (variable) {
    case Variable::status:
      return facts.status == 0 ? std::string_view() : number(static_cast<unsigned>(facts.status), arena);
    case Variable::answer_ms:
      return facts.answered == Instant{} ? std::string_view()
                                         : milliseconds(facts.answered - facts.begun, arena);
    case Variable::duration_ms:
      return milliseconds(line.now - facts.begun, arena);
    case Variable::bytes_up:
      return number(facts.bytes_up, arena);
    case Variable::bytes_down:
      return number(facts.bytes_down, arena);
    case Variable::body_bytes:
      return facts.bytes_down == 0 ? std::string_view() : number(facts.bytes_down, arena);
    case Variable::outcome:
      return facts.error ? name_of(facts.error->code) : "finished";
    case Variable::ended_by:
      return facts.error ? name_of(facts.error->side) : std::string_view();
    case Variable::reason:
      return arena.copy(why_it_ended(facts));
    default:
      return of_upstream(variable, line, arena);
  }
}

std::string_view of_request(Variable variable, const FormattedLine& line, Arena& arena) {
  const RequestFacts& facts = line.facts;
  switch (variable) {
    case Variable::time:
      return time_text(facts.begun_wall);
    case Variable::time_common:
      return common_time_text(facts.begun_wall);
    case Variable::connection:
      return arena.copy(connection_name(facts.connection.id));
    case Variable::request_line:
      return request_line(facts, arena);
    case Variable::protocol:
      return protocol(facts);
    case Variable::referer:
      return facts.referer;
    case Variable::user_agent:
      return facts.user_agent;
    case Variable::route:
      return facts.route ? std::string_view(facts.route->route->name) : std::string_view();
    default:
      return of_answer(variable, line, arena);
  }
}

}  // namespace

std::string_view upstream_name(const RequestFacts& facts, const Plan& plan) {
  if (facts.route) {
    const config::Route& route = *facts.route->route;
    bool forwards = route.action == config::RouteAction::forward;
    return forwards ? std::string_view(plan.upstreams[route.upstream]->config.name) : std::string_view();
  }
  if (!facts.site || facts.site->site->is_http()) return {};
  const config::Site& site = *facts.site->site;
  if (site.verdict == config::Verdict::reject) return {};
  return plan.upstreams[site.upstream]->config.name;
}

std::string why_it_ended(const RequestFacts& facts) {
  if (!facts.error) return "";
  return error_words(*facts.error, facts.way, facts.connection.client_leg.get());
}

void append_line(EscapedLine& out, const FormattedLine& line, Arena& arena) {
  for (const config::Template::Part& part : line.form.parts) {
    if (part.variable == Variable::none) {
      out.text(part.text);
    } else {
      out.value(of_request(part.variable, line, arena));
    }
  }
}

}  // namespace lockgate::proxy
