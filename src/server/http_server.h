// HttpServer: pages over HTTP/1.1 (RFC 9112), for the admin address and for the demo
// origin of the quick start. It runs on its reactor's thread; the caller binds.
//
// It knows GET and HEAD and reads no bodies: a request that may have one is answered,
// and the connection is closed behind the answer. A connection's requests are answered
// one after the other. Time, memory and connections are bounded, whatever clients do.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "server/reception.h"
#include "wire/http_head.h"

namespace lockgate::server {

struct Page {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
};

/// A request, as a page is asked for it. All of it lives until the page is there.
struct Visit {
  const wire::RequestHead& head;
  std::string_view path;  // of the target, as sent, without the query
  std::string host;       // as RequestHead::host() gives it
  SocketAddress peer;
};

/// What an HttpServer serves.
class Pages {
 public:
  virtual ~Pages() = default;
  /// The same page for HEAD as for GET; the server leaves out the body. A task that fails gives status 500.
  virtual loop::Task<Page> page(const Visit& visit) = 0;
};

/// The page for what does not exist.
Page not_found();

struct HttpLimits {
  std::size_t connections = 64;  // at once; one more closes the oldest, so that nobody can shut others out
  std::size_t head_bytes = 16 * 1024;
  Duration head = std::chrono::seconds(5);     // from its first byte (of the first request: from the accept)
  Duration idle = std::chrono::seconds(30);    // between two requests
  Duration answer = std::chrono::seconds(30);  // to take an answer
  Duration linger = std::chrono::seconds(1);   // for the client to end, before the connection is closed
};

class HttpServer {
 public:
  /// `pages` outlive the server.
  HttpServer(loop::Reactor& reactor, Pages& pages, const HttpLimits& limits = {});

  /// Serves what connects to this listening socket.
  void open(Fd listening) { reception_.open(std::move(listening)); }
  std::size_t connections() const { return reception_.connections(); }

 private:
  loop::Task<void> serve(net::AnyStream stream, SocketAddress peer);
  loop::Task<wire::RequestHead> read_head(net::Stream& stream, std::string& seen, Instant begin_by);
  loop::Task<Page> page_for(const wire::RequestHead& head, const SocketAddress& peer);
  loop::Task<void> answer(net::Stream& stream, const Page& page, bool with_body, bool stays);
  loop::Task<void> linger(net::Stream& stream);

  loop::Reactor& reactor_;
  Pages& pages_;
  HttpLimits limits_;
  Reception reception_;
};

}  // namespace lockgate::server
