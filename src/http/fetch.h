// Fetching: one thing at a URL, asked for by ourselves and not for a client: over http or
// https, in bounded time and size, along a few redirects.
//
// It lives on one thread, and is meant for what is rare: a connection for each question,
// and certificates that are read anew for each. Certificates are always verified.
#pragma once
#include <expected>
#include <memory>
#include <string>

#include "base/clock.h"
#include "http/desk.h"
#include "loop/task.h"
#include "net/buffers.h"
#include "net/connect.h"
#include "net/resolver.h"
#include "tls/library.h"
#include "tls/scratch.h"

namespace lockgate::http {

struct Wish {
  std::string url;                  // of http or https
  std::string etag, last_modified;  // of the copy that is there already; empty: there is none
  std::string ca_file;              // whose certificates are trusted; empty: the system's
  std::size_t most = 1 << 20;       // bytes of the body
  Duration patience = std::chrono::seconds(60);
};

struct Fetched {
  bool unchanged = false;  // the copy that is there is good still (RFC 9110, 15.4.5)
  std::string body;
  std::string etag, last_modified;  // for the next time; empty: none were told
};

class Fetcher {
 public:
  /// What was fetched, or a sentence that says why not.
  using Outcome = std::expected<Fetched, std::string>;

  Fetcher(loop::Reactor& reactor, net::Connector& connector) : reactor_(reactor), connector_(connector) {}

  /// This outlives the task. Redirects from https to http are not followed.
  loop::Task<Outcome> fetch(Wish wish, std::shared_ptr<net::Resolver> resolver);

 private:
  struct Place;
  struct Answer;

  loop::Task<std::expected<Answer, std::string>> ask(const Place& place, const Wish& wish,
                                                     net::Resolver& resolver, Instant deadline);
  loop::Task<net::AnyStream> connect(const Place& place, net::Resolver& resolver, Instant deadline);
  loop::Task<net::AnyStream> open_tls(net::AnyStream stream, const Place& place, const Wish& wish,
                                      Instant deadline, std::string& why);
  loop::Task<Answer> converse(net::AnyStream stream, const Place& place, const Wish& wish, Instant deadline);

  loop::Reactor& reactor_;
  net::Connector& connector_;
  net::Buffers buffers_;
  Desk desk_{buffers_};
  tls::Scratch records_;
  std::unique_ptr<tls::Library> library_;  // once https is asked for
};

}  // namespace lockgate::http
