#include "proxy/greet.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "http/head1.h"
#include "wire/http_head.h"
#include "wire/proxy_header.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr const char* kReadingHeader = "reading the PROXY header";
constexpr const char* kReadingHello = "reading the hello";

// Reads once more and appends it to the flight, which grows to `most` bytes at the most.
Task<void> read_more(net::Stream& client, net::Buffers& buffers, FirstFlight& flight, std::size_t most,
                     Instant deadline, const char* doing) {
  if (flight.size() >= most) co_await loop::fail(Errc::too_large, doing);
  Room room = buffers.scratch().first(std::min(most - flight.size(), net::Buffers::kScratchSize));
  auto reading = net::read(client, room, deadline);
  auto got = co_await loop::attempt(std::move(reading));
  if (!got) {
    // Silence is ended by us; everything else by the client.
    Error error = got.error().on(got.error().code == Errc::timed_out ? Side::here : Side::client);
    error.doing = doing;
    co_await loop::fail(error);
  }
  if (*got == 0) co_await loop::fail(Error{.code = Errc::closed, .side = Side::client, .doing = doing});
  flight.insert(flight.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*got));
}

enum class Header : std::uint8_t { never, may, must };

Header expected_header(const config::AcceptProxyProtocol& accept, const Ip& peer) {
  auto inside = [&](const Network& network) { return network.contains(peer); };
  if (std::ranges::any_of(accept.from, inside)) return Header::must;
  return std::ranges::any_of(accept.optional_from, inside) ? Header::may : Header::never;
}

void take_hello(const wire::ClientHello& hello, const config::Listener& listener, Facts& facts) {
  facts.dialect = Dialect::tls;
  facts.tls_version = hello.version();
  facts.ech = hello.ech;
  facts.name = hello.server_name.empty() ? listener.no_sni : hello.server_name;
  facts.alpn = fmt::format("{}", fmt::join(hello.alpn, ","));
}

bool is_plain(wire::FirstBytes first) {
  return first == wire::FirstBytes::http || first == wire::FirstBytes::other_plain;
}

}  // namespace

Task<void> read_proxy_header(net::Stream& client, net::Buffers& buffers, const config::Listener& listener,
                             FirstFlight& flight, Facts& facts) {
  Header expected = expected_header(listener.accept_proxy_protocol, facts.peer.ip());
  if (expected == Header::never) co_return;
  facts.stage = Stage::proxy_header;
  Instant deadline = facts.accepted + listener.timeouts.proxy_header;
  for (;;) {
    auto more = read_more(client, buffers, flight, wire::kLargestProxyHeader, deadline, kReadingHeader);
    co_await more;
    if (expected == Header::may && !wire::may_be_proxy_header(flight)) break;
    auto parsed = wire::parse_proxy_header(flight);
    if (!parsed) continue;
    if (!*parsed) co_await loop::fail(parsed->error().on(Side::client));
    const wire::ProxyHeader& header = **parsed;
    if (!header.source.is_none()) {
      facts.client = header.source;
      facts.destination = header.destination;
    }
    flight.erase(flight.begin(), flight.begin() + static_cast<std::ptrdiff_t>(header.size));
    break;
  }
  facts.stage = Stage::hello;
}

Task<Greeting> greet(net::Stream& client, net::Buffers& buffers, const ListenerPlan& listener,
                     FirstFlight& flight, Facts& facts) {
  facts.stage = Stage::hello;
  const config::Listener& config = *listener.listener;
  Instant deadline = client.reactor().now() + config.timeouts.hello;
  for (;;) {
    wire::FirstBytes first = wire::look(flight);
    if (first == wire::FirstBytes::tls || first == wire::FirstBytes::sslv2) {
      auto parsed = wire::parse_client_hello(flight);
      facts.dialect = Dialect::tls;
      if (parsed && !*parsed) co_await loop::fail(parsed->error().on(Side::client));
      if (parsed) {
        take_hello(**parsed, config, facts);
        co_return Greeting{std::move(**parsed)};
      }
    } else if (is_plain(first)) {
      facts.dialect = first == wire::FirstBytes::http ? Dialect::http : Dialect::other;
      if (facts.dialect == Dialect::other || !listener.plain_by_name) co_return Greeting{};
      auto parsed = wire::parse_request_head(flight, http::limits_of(config.http));
      if (parsed && !*parsed) co_await loop::fail(parsed->error().on(Side::client));
      if (parsed) {
        auto host = (*parsed)->host();
        if (!host) co_await loop::fail(host.error().on(Side::client));
        facts.name = normalized_name(*host).value_or("");
        co_return Greeting{};
      }
    }
    auto more = read_more(client, buffers, flight, config.hello_limit, deadline, kReadingHello);
    co_await more;
  }
}

}  // namespace lockgate::proxy
