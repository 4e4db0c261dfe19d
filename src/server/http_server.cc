#include "server/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "http/head1.h"
#include "wire/http_date.h"
#include "wire/http_framing.h"

namespace lockgate::server {

using loop::Task;

namespace {

constexpr std::size_t kLingerBytes = 256 * 1024;

bool stays_open(const wire::RequestHead& head);
Page page_for_error(const Error& error);
std::string_view path_of(std::string_view target);

}  // namespace

Page not_found() { return {.status = 404, .body = "There is no such page.\n"}; }

HttpServer::HttpServer(loop::Reactor& reactor, Pages& pages, const HttpLimits& limits)
    : reactor_(reactor),
      pages_(pages),
      limits_(limits),
      reception_(reactor, limits.connections, Reception::WhenFull::replace,
                 [this](net::AnyStream stream, SocketAddress peer) {
                   return serve(std::move(stream), std::move(peer));
                 }) {}

Task<void> HttpServer::serve(net::AnyStream stream, SocketAddress peer) {
  std::string seen;  // received and not yet answered
  bool stays = true;
  Instant begin_by = reactor_.now() + limits_.head;
  while (stays) {
    auto reading = read_head(*stream, seen, begin_by);
    auto head = co_await loop::attempt(std::move(reading));
    bool told = !head && !seen.empty() && head.error().code != Errc::closed;
    if (!head && !told) co_await loop::fail(head.error());
    Page page;
    if (head) {
      auto making = page_for(*head, peer);
      page = co_await making;
    } else {
      page = page_for_error(head.error());
    }
    stays = head && stays_open(*head);
    auto answering = answer(*stream, page, !head || head->method != "HEAD", stays);
    co_await answering;
    if (head) seen.erase(0, head->size);
    begin_by = reactor_.now() + limits_.idle;
    if (!stays || seen.empty()) continue;
    // The next request is here already: others come first, so that nobody keeps the thread to himself.
    loop::Sleep pause(reactor_, reactor_.now());
    co_await pause;
  }
  auto lingering = linger(*stream);
  co_await lingering;
}

// The result looks into `seen`. A head is read again from its beginning only when a line has ended, so that
// one byte at a time costs no more than one line at a time.
Task<wire::RequestHead> HttpServer::read_head(net::Stream& stream, std::string& seen, Instant begin_by) {
  Instant deadline = seen.empty() ? begin_by : reactor_.now() + limits_.head;
  bool look = !seen.empty();
  for (;;) {
    if (look || seen.size() >= limits_.head_bytes) {
      auto head = wire::parse_request_head(as_bytes(seen), {.bytes = limits_.head_bytes});
      if (head && !*head) co_await loop::fail(head->error());
      if (head) co_return std::move(**head);
    }
    std::array<std::byte, 4096> room;
    auto reading = net::read(stream, room, deadline);
    std::size_t size = co_await reading;
    if (size == 0) co_await loop::fail(Errc::closed, "reading the request");
    std::string_view arrived = as_text(Bytes(room).first(size));
    if (seen.empty()) deadline = std::min(deadline, reactor_.now() + limits_.head);
    look = seen.empty() || arrived.contains('\n');
    seen += arrived;
  }
}

Task<Page> HttpServer::page_for(const wire::RequestHead& head, const SocketAddress& peer) {
  auto host = head.host();
  if (!host) co_return page_for_error(host.error());
  if (head.method != "GET" && head.method != "HEAD") {
    co_return Page{.status = 405, .body = "Only GET and HEAD are served here.\n"};
  }
  Visit visit{.head = head, .path = path_of(head.target), .host = std::move(*host), .peer = peer};
  auto making = pages_.page(visit);
  auto page = co_await loop::attempt(std::move(making));
  if (!page) co_return Page{.status = 500, .body = words(page.error()) + "\n"};
  co_return std::move(*page);
}

Task<void> HttpServer::answer(net::Stream& stream, const Page& page, bool with_body, bool stays) {
  std::string length = std::to_string(page.body.size());
  wire::HttpDate date(reactor_.wall());
  std::vector<wire::HeadField> fields = {{"Date", date.text()},
                                         {"Content-Type", page.content_type},
                                         {"Content-Length", length},
                                         {"Cache-Control", "no-store"},
                                         {"X-Content-Type-Options", "nosniff"}};
  if (page.status == 405) fields.push_back({"Allow", "GET, HEAD"});
  if (!stays) fields.push_back({"Connection", "close"});
  std::string message = wire::write_response_head(page.status, http::reason_of(page.status), fields);
  if (with_body) message += page.body;
  auto writing = net::write(stream, as_bytes(message), reactor_.now() + limits_.answer);
  co_await writing;
}

// Closing with something unread would reset the connection and could take the answer with it (RFC 9112, 9.6).
Task<void> HttpServer::linger(net::Stream& stream) {
  Instant deadline = reactor_.now() + limits_.linger;
  auto finishing = net::finish(stream, deadline);
  co_await finishing;
  std::array<std::byte, 4096> room;
  auto discarding = net::discard(stream, room, kLingerBytes, deadline);
  co_await discarding;
}

namespace {

/// Whether the next request can follow behind this one: HTTP/1.1, nobody wants to close, and nothing lies
/// between them that might be a body.
bool stays_open(const wire::RequestHead& head) {
  return head.minor_version > 0 && wire::persists(head) &&
         head.find(wire::FieldName::content_length) == nullptr &&
         head.find(wire::FieldName::transfer_encoding) == nullptr;
}

Page page_for_error(const Error& error) {
  switch (error.code) {
    case Errc::too_large:
      return {.status = 431, .body = "The head of this request is too large.\n"};
    case Errc::timed_out:
      return {.status = 408, .body = "The head of this request took too long.\n"};
    default:
      return {.status = 400, .body = fmt::format("This is no HTTP request: {}.\n", words(error))};
  }
}

/// Of "/path?query" or "http://host/path?query" (RFC 9112, 3.2).
std::string_view path_of(std::string_view target) {
  if (auto scheme = target.find("://"); !target.starts_with('/') && scheme != target.npos) {
    target.remove_prefix(scheme + 3);
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  }
  std::string_view path = target.substr(0, target.find('?'));
  return path.empty() ? "/" : path;
}

}  // namespace
}  // namespace lockgate::server
