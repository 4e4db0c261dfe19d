#include "proxy/health_check.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "http/client1.h"
#include "proxy/by_parent.h"
#include "proxy/error_words.h"
#include "wire/http_grammar.h"
#include "wire/page_text.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr std::size_t kMostBody = 64 * 1024;
constexpr int kMostInterim = 20;
constexpr std::size_t kMostQuoted = 60;  // of the text that is looked for
constexpr std::string_view kUserAgent = "User-Agent";

std::string words_of(const std::vector<config::StatusRange>& ranges) {
  std::vector<std::string> texts;
  for (const auto& [first, last] : ranges)
    texts.push_back(first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last));
  return fmt::format("{}", fmt::join(texts, ", "));
}

void write_question(const config::HealthCheck& health, const Target& target, http::Request& request) {
  request.method = health.method;
  request.scheme = target.tls ? "https" : "http";
  request.authority =
      health.host == "upstream" ? authority_of(*target.endpoint) : std::string_view(health.host);
  request.target = health.path;
  // Those have a body, be it empty (RFC 9110, 8.6).
  request.has_body = health.method == "POST" || health.method == "PUT" || health.method == "PATCH";
  if (request.has_body) request.length = 0;
  for (const auto& [name, value] : health.fields) request.fields.add(name, value, wire::field_name(name));
  bool named = std::ranges::any_of(health.fields, [](const config::FixedField& field) {
    return wire::equal_in_any_case(field.name, kUserAgent);
  });
  if (!named) request.fields.add(kUserAgent, "lockgate", wire::field_name(kUserAgent));
}

// The text may stand across pieces.
Task<bool> has_text(http::Client1& call, std::string_view text, Instant deadline) {
  std::string seen;
  for (bool last = false; !last && seen.size() < kMostBody;) {
    auto reading = call.read(deadline);
    http::Piece piece = co_await reading;
    last = piece.last;
    std::size_t before = seen.size() - std::min(seen.size(), text.size());
    seen += as_text(piece.bytes).substr(0, kMostBody - seen.size());
    if (seen.find(text, before) != std::string::npos) co_return true;
  }
  co_return false;
}

// `parent` is the one that is asked for it, if any.
Task<std::string> ask(const House& house, const config::HealthCheck& health, const Target& target,
                      const std::optional<ParentView>& parent, http::Client1& call, Way& way,
                      Instant deadline) {
  http::Memory memory;
  http::Response& answer = memory.response;
  write_question(health, target, memory.request);
  http::ClientForm form{.keepalive = false};
  if (parent) {
    form.to_proxy = true;
    form.proxy_authorization = parent->authorization;
    address_by_parent(memory.request, target, memory.arena);
  }
  call.begin(form);
  auto sending = call.send(memory.request, {.bytes = {}, .last = true}, deadline - house.reactor.now());
  co_await sending;
  for (int heads = 0; heads < kMostInterim && (answer.status < 200 && answer.status != 101); ++heads) {
    auto receiving = call.receive(answer, memory.arena, deadline);
    co_await receiving;
  }
  if (parent) {
    auto refusal = refusal_of_parent(answer, parent->credentials.get(), way.parent_said);
    if (refusal) co_await loop::fail(*refusal);
  }
  auto status = static_cast<std::uint32_t>(answer.status);
  auto has_it = [&](const config::StatusRange& range) { return range.contains(status); };
  if (std::ranges::none_of(health.status, has_it))
    co_return fmt::format("answered {} instead of {}", status, words_of(health.status));
  if (health.body.empty()) co_return "";
  bool found = false;
  if (answer.has_body) {
    auto looking = has_text(call, health.body, deadline);
    found = co_await looking;
  }
  co_return found ? "" : fmt::format("`{}` is not in the answer", wire::shortened(health.body, kMostQuoted));
}

// As for a client: through the parent, and shaking hands behind a PROXY header where the endpoint speaks TLS,
// so that a certificate which does not hold is a fault, too.
Task<std::string> try_out(House& house, const OwnAddresses& own, UpstreamView& upstream, const Target& target,
                          std::optional<wire::ProxyVersion> header, Facts& facts) {
  static const std::string kHttp = tls::alpn_list(std::vector<std::string>{"http/1.1"});
  const config::HealthCheck& health = upstream.upstream->config.health;
  bool by_http = !health.path.empty();
  Instant deadline = house.reactor.now() + health.timeout;
  wire::ProxyHeaderBytes room;
  Errand errand{.alpn = {}, .header = {}, .on_trial = true};
  if (by_http) errand.alpn = kHttp;
  std::optional<ParentView> parent;
  if (const ParentView* asked = header ? nullptr : parent_to_ask(upstream, target)) parent = *asked;
  errand.of_parent = parent.has_value();
  if (header) {
    room = wire::write_proxy_header(*header, {}, {}, {});
    errand.header = room.bytes();
  }
  auto reaching = reach(house, own, upstream, target, errand, facts, facts.way, deadline);
  Dialled dialled = co_await reaching;
  std::string fault;
  bool tls = dialled.tls != nullptr;
  if (by_http) {
    if (!tls && header) {
      auto telling = net::write(*dialled.stream, errand.header, deadline);
      co_await telling;
    }
    http::Client1 call(std::move(dialled.stream), house.desk, dialled.early);
    auto asking = ask(house, health, target, parent, call, facts.way, deadline);
    fault = co_await asking;
    std::vector<std::byte> said;
    dialled.stream = call.take_stream(said);
  }
  if (!tls || !fault.empty()) co_return fault;
  auto finishing = net::finish(*dialled.stream, deadline);
  auto finished = co_await loop::attempt(std::move(finishing));
  if (!finished && !by_http) co_await loop::fail(finished.error());
  co_return fault;
}

}  // namespace

Task<std::string> find_fault(House& house, const OwnAddresses& own, UpstreamView& upstream,
                             const Target& target, std::optional<wire::ProxyVersion> header) {
  Facts facts;
  auto trying = try_out(house, own, upstream, target, header, facts);
  auto tried = co_await loop::attempt(std::move(trying));
  co_return tried ? std::move(*tried) : error_words(tried.error(), facts.way);
}

}  // namespace lockgate::proxy
