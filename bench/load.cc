// The traffic of bench/run: an origin and its clients.
//
// A passthrough proxy reads the ClientHello and nothing behind it, so for it nothing behind it is TLS: the
// client sends a real ClientHello, the origin compares it byte by byte and answers with a flight of kFlight
// bytes. This costs client and origin far less CPU than TLS would, and the same for every proxy. For a proxy
// that ends TLS the client really speaks it. Then the client sends requests of kRequest bytes, each naming
// the size of its answer. Both ends check every byte they receive, and anything unexpected ends the program
// with status 1 and a sentence.
//
//   load origin PEM KIND:PORT...    listens until its standard input closes. KIND, what comes before the
//                                   requests: hello, plain (nothing) or tls; or http or https
//   load relay OPENING PORTS CONNECTIONS ANSWER REQUESTS [AT_ONCE]
//                                   requests over connections that are opened beforehand, AT_ONCE of which
//                                   are at work; without it all
//   load connect OPENING PORTS CONNECTIONS ANSWER REQUESTS EACH
//                                   new connections, EACH requests on each (0: its opening only)
//   load stranger PORT              a hello for a name that no proxy routes must not reach an origin
//
// OPENING is hello, tls1.2, tls1.3 or resumed (TLS 1.3 by a ticket). Or it says that HTTP/1.1 is spoken:
// http, https (by TLS 1.3) or websocket (ANSWER bytes are sent and echoed); a path may follow, which precedes
// the size in requests: http/some/path; beneath http/signed-in they come with a name and a password. PORTS
// are joined by commas, and each has its turn. A client prints "ready", begins after a line on standard
// input, prints "done COUNT" and leaves after another line.
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client.h"
#include "failure.h"
#include "origin.h"
#include "tls.h"

namespace lockgate::bench {
namespace {

constexpr unsigned kLongestRun = 60;  // seconds after which a client gives up

/// Waits for a line on standard input; its end means that whoever started this is gone.
void await_line() {
  char byte = 0;
  do {
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got <= 0) std::exit(1);
  } while (byte != '\n');
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) fail("not a number", text);
  return value;
}

std::uint16_t port(std::string_view text) { return static_cast<std::uint16_t>(number(text)); }

std::vector<std::uint16_t> ports(std::string_view text) {
  std::vector<std::uint16_t> list;
  for (const auto one : std::views::split(text, ',')) list.push_back(port(std::string_view(one)));
  return list;
}

Opening opening_of(std::string_view word) {
  if (word == "http" || word == "websocket") return Opening::plain;
  if (word == "https") return Opening::tls1_3;
  if (word == "hello") return Opening::hello;
  if (word == "tls1.2") return Opening::tls1_2;
  if (word == "tls1.3") return Opening::tls1_3;
  if (word == "resumed") return Opening::resumed;
  fail("no such opening", word);
}

Language language_of(std::string_view word) {
  if (word == "websocket") return Language::websocket;
  return word.starts_with("http") ? Language::http : Language::bare;
}

Origin::Kind kind_of(std::string_view word) {
  if (word == "hello") return Origin::Kind::hello;
  if (word == "plain") return Origin::Kind::plain;
  if (word == "tls") return Origin::Kind::tls;
  if (word == "http") return Origin::Kind::http;
  if (word == "https") return Origin::Kind::https;
  fail("no such kind of origin", word);
}

void run_origin(std::string_view pem, std::span<char*> listeners) {
  Origin origin{std::string(pem)};
  for (const std::string_view listener : listeners) {
    const std::size_t colon = listener.find(':');
    if (colon == std::string_view::npos) fail("not KIND:PORT", listener);
    origin.listen(port(listener.substr(colon + 1)), kind_of(listener.substr(0, colon)));
  }
  say("ready");
  origin.run();
}

void run_client(std::string_view mode, std::span<char*> arguments) {
  const bool relays = mode == "relay";
  if (!relays && mode != "connect") fail("no such mode", mode);
  const bool complete = arguments.size() == 6;
  if (!complete && !(relays && arguments.size() == 5)) fail("wrong arguments");
  const std::string_view opening = arguments[0];
  const std::string_view word = opening.substr(0, opening.find('/'));
  const Work work{.opening = opening_of(word),
                  .language = language_of(word),
                  .path = std::string(opening.substr(word.size())),
                  .ports = ports(arguments[1]),
                  .connections = number(arguments[2]),
                  .answer = number(arguments[3]),
                  .total = number(arguments[4]),
                  .each = relays ? 0 : number(arguments[5]),
                  .at_once = relays && complete ? number(arguments[5]) : UINT64_MAX};
  if (relays && work.opening == Opening::resumed) fail("only new connections are resumed");
  Client client(work);
  if (relays) client.open_all();
  if (work.opening == Opening::resumed) client.get_tickets();
  say("ready");
  await_line();
  if (relays) {
    client.relay();
  } else {
    client.connect();
  }
  say("done " + std::to_string(work.total));
  await_line();
}

void run(std::span<char*> arguments) {
  if (arguments.size() < 3) fail("usage: load origin|relay|connect|stranger ... (see bench/load.cc)");
  const std::string_view mode = arguments[1];
  std::signal(SIGPIPE, SIG_IGN);  // libssl writes without MSG_NOSIGNAL
  if (mode == "origin") return run_origin(arguments[2], arguments.subspan(3));
  ::alarm(kLongestRun);
  if (mode == "stranger") return expect_refusal(port(arguments[2]));
  run_client(mode, arguments.subspan(2));
}

}  // namespace
}  // namespace lockgate::bench

int main(int count, char** arguments) {
  lockgate::bench::run({arguments, static_cast<std::size_t>(count)});
  return 0;
}
