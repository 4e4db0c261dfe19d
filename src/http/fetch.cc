#include "http/fetch.h"

#include <fmt/core.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/name_pattern.h"
#include "http/client1.h"
#include "tls/client_side.h"
#include "wire/url.h"

namespace lockgate::http {

using loop::Task;

namespace {

constexpr int kMostRedirects = 3, kMostInterim = 20;
constexpr int kOk = 200, kNotModified = 304;
constexpr const char* kFetching = "fetching";

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error failed(Errc code, Detail detail = {}) {
  return {.code = code, .side = Side::upstream, .detail = detail, .doing = kFetching};
}

}  // namespace

// Where a thing is.
struct Fetcher::Place {
  bool tls = false;
  std::string authority, host, target;
  std::uint16_t port = 0;

  static std::optional<Place> of(std::string_view text) {
    auto url = wire::parse_url(text);
    if (!url) return {};
    bool tls = wire::equal_in_any_case(url->scheme, "https");
    if (!tls && !wire::equal_in_any_case(url->scheme, "http")) return {};
    std::string_view host = url->host;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    Place place{
        .tls = tls, .authority = std::string(url->authority), .host = std::string(host), .target = {}};
    place.target =
        fmt::format("{}{}{}", url->path.empty() ? "/" : url->path, url->has_query ? "?" : "", url->query);
    place.port = url->port.value_or(tls ? 443 : 80);
    return place;
  }
  /// Where a redirect leads from here; nothing for what is no URL, or gives up being secret.
  std::optional<Place> led_to(const std::string& location) const {
    if (location.starts_with('/') && !location.starts_with("//")) {
      Place next = *this;
      next.target = location.substr(0, location.find('#'));
      return next;
    }
    auto next =
        of(location.starts_with("//") ? fmt::format("{}:{}", tls ? "https" : "http", location) : location);
    if (next && tls && !next->tls) return {};
    return next;
  }
};

struct Fetcher::Answer {
  int status = 0;
  std::string location;
  Fetched fetched;
};

Task<Fetcher::Outcome> Fetcher::fetch(Wish wish, std::shared_ptr<net::Resolver> resolver) {
  Instant deadline = reactor_.now() + wish.patience;
  auto place = Place::of(wish.url);
  for (int asked = 0; place && asked <= kMostRedirects; ++asked) {
    auto asking = ask(*place, wish, *resolver, deadline);
    auto answer = co_await asking;
    if (!answer) co_return std::unexpected(answer.error());
    if (!is_redirect(answer->status)) co_return std::move(answer->fetched);
    place = place->led_to(answer->location);
    if (!place)
      co_return std::unexpected(
          fmt::format("it is redirected to \"{}\", which is not followed", answer->location));
  }
  co_return std::unexpected(place ? fmt::format("it is redirected more than {} times", kMostRedirects)
                                  : "it is no URL of http or https");
}

Task<std::expected<Fetcher::Answer, std::string>> Fetcher::ask(const Place& place, const Wish& wish,
                                                               net::Resolver& resolver, Instant deadline) {
  auto connecting = connect(place, resolver, deadline);
  auto stream = co_await loop::attempt(std::move(connecting));
  std::string why;
  if (stream && place.tls) {
    auto opening = open_tls(std::move(*stream), place, wish, deadline, why);
    stream = co_await loop::attempt(std::move(opening));
  }
  if (!stream) co_return std::unexpected(words(stream.error()) + (why.empty() ? "" : ": " + why));
  auto conversing = converse(std::move(*stream), place, wish, deadline);
  auto answer = co_await loop::attempt(std::move(conversing));
  if (!answer) co_return std::unexpected(words(answer.error()));
  co_return std::move(*answer);
}

Task<net::AnyStream> Fetcher::connect(const Place& place, net::Resolver& resolver, Instant deadline) {
  auto resolving = resolver.addresses(place.host);
  net::Addresses found = co_await resolving;
  std::vector<SocketAddress> addresses;
  for (const Ip& ip : found.ips) addresses.emplace_back(ip, place.port);
  addresses = net::interleaved(addresses);
  auto connecting = connector_.connect(addresses, {}, deadline);
  net::Connected connected = co_await connecting;
  co_return std::move(connected.stream);
}

// `why` is set where the error does not say it all.
Task<net::AnyStream> Fetcher::open_tls(net::AnyStream stream, const Place& place, const Wish& wish,
                                       Instant deadline, std::string& why) {
  if (!library_) library_ = std::make_unique<tls::Library>();
  auto trust = tls::read_trust(*library_, wish.ca_file);
  if (!trust) {
    why = trust.error();
    co_await loop::fail(failed(Errc::untrusted));
  }
  auto side = tls::ClientSide::make(*library_, config::TlsClient(), nullptr, trust->get());
  if (!side) {
    why = side.error();
    co_await loop::fail(failed(Errc::handshake));
  }
  auto start =
      (*side)->call({.endpoint = place.authority, .host = place.host, .client_name = {}, .client_alpn = {}});
  auto tls = std::make_unique<tls::TlsStream>(std::move(stream), std::move(start), records_);
  auto shaking = tls->handshake(deadline);
  auto shaken = co_await loop::attempt(std::move(shaking));
  if (!shaken) {
    why = tls->untrusted();
    co_await loop::fail(shaken.error());
  }
  co_return std::move(tls);
}

Task<Fetcher::Answer> Fetcher::converse(net::AnyStream stream, const Place& place, const Wish& wish,
                                        Instant deadline) {
  Memory memory;
  Request& request = memory.request;
  request.method = "GET";
  request.scheme = place.tls ? "https" : "http";
  request.authority = place.authority;
  request.target = place.target;
  request.fields.add(FieldName::user_agent, "lockgate");
  request.fields.add("Accept", "*/*", FieldName::other);
  if (!wish.etag.empty()) request.fields.add("If-None-Match", wish.etag, FieldName::other);
  if (!wish.last_modified.empty())
    request.fields.add("If-Modified-Since", wish.last_modified, FieldName::other);
  Client1 call(std::move(stream), desk_, {});
  call.begin({.keepalive = false});
  auto sending = call.send(request, {.bytes = {}, .last = true}, deadline - reactor_.now());
  co_await sending;
  Response& head = memory.response;
  for (int heads = 0; heads < kMostInterim && head.status < kOk; ++heads) {
    auto receiving = call.receive(head, memory.arena, deadline);
    co_await receiving;
  }
  Answer answer{
      .status = head.status, .location = std::string(head.fields.value(FieldName::location)), .fetched = {}};
  answer.fetched.etag = head.fields.value(FieldName::etag);
  for (const wire::HeadField& field : head.fields)
    if (wire::equal_in_any_case(field.name, "Last-Modified")) answer.fetched.last_modified = field.value;
  bool has_copy = !wish.etag.empty() || !wish.last_modified.empty();
  answer.fetched.unchanged = head.status == kNotModified && has_copy;
  if (is_redirect(head.status) || answer.fetched.unchanged) co_return answer;
  if (head.status != kOk)
    co_await loop::fail(
        failed(Errc::refused, {DetailKind::http_status, static_cast<std::int16_t>(head.status)}));
  if (head.length.value_or(0) > wish.most) co_await loop::fail(failed(Errc::too_large));
  for (bool last = !head.has_body; !last;) {
    auto reading = call.read(deadline);
    Piece piece = co_await reading;
    if (answer.fetched.body.size() + piece.bytes.size() > wish.most)
      co_await loop::fail(failed(Errc::too_large));
    answer.fetched.body += as_text(piece.bytes);
    last = piece.last;
  }
  co_return answer;
}

}  // namespace lockgate::http
