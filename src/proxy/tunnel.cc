#include "proxy/tunnel.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/by_parent.h"
#include "wire/connect.h"
#include "wire/credentials.h"
#include "wire/page_text.h"
#include "wire/socks.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr const char* kAsking = "asking the parent for a tunnel";
constexpr const char* kHearing = "waiting for the parent's answer";
constexpr const char* kLoggingIn = "logging in at the parent";

// Answers of SOCKS5 are far smaller; what the upstream says behind them may be read with them.
constexpr std::size_t kMostOfSocks = 4096;
// The refusal is known already, and somebody waits for it.
constexpr Duration kPatienceForPage = std::chrono::seconds(1);
// Of these, Squid takes 130 until it comes to the point.
constexpr std::size_t kLongestQuote = 240;
constexpr std::size_t kLongestGreeting = 40;

// What goes on between us and the parent.
struct Talk {
  net::Stream& parent;
  net::Buffers& buffers;
  const TunnelRequest& request;
  Instant deadline;
  std::string& said;
  std::vector<std::byte> heard = {};  // and not yet understood

  bool has_login() const { return !request.user.empty() || !request.password.empty(); }
};

Task<void> open_by_connect(Talk& talk);
Task<void> open_by_socks(Talk& talk);

}  // namespace

Task<TunnelAnswer> open_tunnel(net::Stream& parent, net::Buffers& buffers, TunnelRequest request,
                               Instant deadline, std::string& said) {
  said.clear();
  Talk talk{.parent = parent, .buffers = buffers, .request = request, .deadline = deadline, .said = said};
  auto opening = request.kind == ParentKind::http ? open_by_connect(talk) : open_by_socks(talk);
  co_await opening;
  co_return TunnelAnswer{std::move(talk.heard)};
}

namespace {

std::string target_of(const TunnelRequest& request) {
  bool bracketed = request.host.contains(':');
  return fmt::format("{}{}{}:{}", bracketed ? "[" : "", request.host, bracketed ? "]" : "", request.port);
}

Error at_parent(Error error, const char* doing) {
  error.side = Side::parent;
  error.doing = doing;
  return error;
}

Error refusal(Errc code, DetailKind kind, int number, const char* doing) {
  return {.code = code,
          .side = Side::parent,
          .detail = {kind, static_cast<std::int16_t>(number)},
          .doing = doing};
}

// The text may be in protocols of any kind, and is no longer than what was read.
std::string without_secrets(const Talk& talk, std::string_view text, bool cut) {
  return wire::without_credentials(text, talk.request.user, talk.request.password, cut);
}

// What is said to people of text that the parent sent. Secrets go first, since what makes text readable may
// change them, and once more, since it may bring them forth.
std::string quoted(const Talk& talk, std::string_view text, bool cut, std::size_t most) {
  std::string readable = wire::page_text(without_secrets(talk, text, cut), cut);
  return wire::shortened(without_secrets(talk, readable, cut), most);
}

// What this may be that does not speak the parent's protocol.
std::string foreign_words(const Talk& talk) {
  auto text = as_text(talk.heard);
  char first = text.empty() ? '\0' : text.front();
  bool http = talk.request.kind == ParentKind::http;
  if (first == '\x15' || first == '\x16') return "it answers in TLS: is it a proxy that wants https?";
  if (http && first == '\x05') return "it answers in SOCKS5: is it a proxy of that kind?";
  if (!http && first == 'H') return "it answers in HTTP: is it a proxy of that kind?";
  std::string greeting = quoted(talk, text, true, kLongestGreeting);
  std::string_view wanted = http ? "HTTP/1" : "SOCKS5";
  if (greeting.empty()) return fmt::format("it does not answer in {}: is it a proxy?", wanted);
  return fmt::format("it does not answer in {} but with \"{}\": is it a proxy?", wanted, greeting);
}

Task<void> say(Talk& talk, const std::string& text, const char* doing) {
  auto writing = net::write(talk.parent, as_bytes(text), talk.deadline);
  auto written = co_await loop::attempt(std::move(writing));
  if (!written) co_await loop::fail(at_parent(written.error(), doing));
}

// Reads once more, until `most` bytes are there and not understood.
Task<void> hear_more(Talk& talk, std::size_t most, Instant deadline, const char* doing) {
  if (talk.heard.size() >= most)
    co_await loop::fail(Error{.code = Errc::too_large, .side = Side::parent, .doing = doing});
  Room room = talk.buffers.scratch();
  room = room.first(std::min(most - talk.heard.size(), room.size()));
  auto reading = net::read(talk.parent, room, deadline);
  auto got = co_await loop::attempt(std::move(reading));
  if (!got) co_await loop::fail(at_parent(got.error(), doing));
  if (*got == 0) co_await loop::fail(Error{.code = Errc::closed, .side = Side::parent, .doing = doing});
  talk.heard.insert(talk.heard.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*got));
}

// The next answer of the parent, which stays in what was heard.
template <class Answer>
Task<Answer> hear(Talk& talk, std::optional<Result<Answer>> (*parse)(Bytes), std::size_t most,
                  const char* doing) {
  for (;;) {
    auto parsed = parse(talk.heard);
    if (parsed && !*parsed) {
      if (parsed->error().code == Errc::bad_message) talk.said = foreign_words(talk);
      co_await loop::fail(parsed->error().on(Side::parent));
    }
    if (parsed) co_return std::move(**parsed);
    auto hearing = hear_more(talk, most, talk.deadline, doing);
    co_await hearing;
  }
}

void forget(Talk& talk, std::size_t size) {
  talk.heard.erase(talk.heard.begin(), talk.heard.begin() + static_cast<std::ptrdiff_t>(size));
}

// ---- HTTP CONNECT

// What may help against this refusal.
std::string advice(const Talk& talk, const wire::ConnectAnswer& answer) {
  std::string target = target_of(talk.request);
  switch (answer.status) {
    case 407:
      return login_advice(answer, talk.has_login());
    case 400:
    case 401:
    case 404:
    case 405:
    case 501:
      return "is it a proxy, and one that takes CONNECT?";
    case 403:
      return fmt::format("its rules have to allow CONNECT to {}", target);
    default:
      break;
  }
  if (answer.status < 400) return "it redirects, as a login page for guests does";
  switch (wire::meaning_of_refusal(answer)) {
    case Errc::unresolved:
      return fmt::format("it finds no address for {}", talk.request.host);
    case Errc::unreachable:
    case Errc::timed_out:
      return fmt::format("it cannot reach {}", target);
    default:
      return "";
  }
}

// Of the parent's own words only those are told that are read again after the secrets have gone. If they
// cannot be read any more, because a secret was part of the protocol, its status has to do.
std::string refusal_words(const Talk& talk, const wire::ConnectAnswer& answer, const wire::Page& page) {
  Bytes head = Bytes(talk.heard).first(answer.size);
  std::string safe = without_secrets(talk, as_text(head), false);
  auto again = wire::parse_connect_answer(as_bytes(safe));
  bool read = again && *again && (*again)->status == answer.status;
  wire::ConnectAnswer told = read ? **again : wire::ConnectAnswer{.status = answer.status};
  std::string words = fmt::format("{} {}", told.status, told.reason);
  while (words.ends_with(' ')) words.pop_back();
  if (!told.cause.empty()) words += fmt::format(" ({})", told.cause);
  std::string help = advice(talk, told);
  if (!help.empty()) words += fmt::format("; {}", help);
  std::string text = quoted(talk, page.content, !page.ended, kLongestQuote);
  if (!text.empty()) words += fmt::format("; its page says: {}", text);
  return words;
}

// Reads the page, too, as far as it comes soon.
Task<void> be_refused(Talk& talk, const wire::ConnectAnswer& answer) {
  std::size_t most = answer.size + wire::kLongestPage;
  Instant deadline = std::min(talk.deadline, talk.parent.reactor().now() + kPatienceForPage);
  auto page = wire::page_of_refusal(answer, talk.heard);
  while (!page.ended && talk.heard.size() < most) {
    auto hearing = hear_more(talk, most, deadline, kHearing);
    auto heard = co_await loop::attempt(std::move(hearing));
    if (!heard) {
      // A page that nothing else delimits has come to its end.
      page.ended = heard.error().code == Errc::closed && !answer.page_size && !answer.chunked;
      break;
    }
    page = wire::page_of_refusal(answer, talk.heard);
  }
  talk.said = refusal_words(talk, answer, page);
  co_await loop::fail(
      refusal(wire::meaning_of_refusal(answer), DetailKind::http_status, answer.status, kAsking));
}

Task<void> open_by_connect(Talk& talk) {
  const TunnelRequest& request = talk.request;
  auto connect = wire::write_connect(request.host, request.port, request.user, request.password);
  if (!connect) co_await loop::fail(connect.error());
  auto asking = say(talk, *connect, kAsking);
  co_await asking;
  auto hearing = hear(talk, wire::parse_connect_answer, wire::kLongestConnectAnswer, kHearing);
  auto answer = co_await hearing;
  if (!answer.is_tunnel()) {
    auto ending = be_refused(talk, answer);
    co_await ending;
  }
  forget(talk, answer.size);
}

// ---- SOCKS5

std::string reply_words(const Talk& talk, std::uint8_t code) {
  std::string target = target_of(talk.request);
  switch (code) {
    case 2:
      return fmt::format("its rules have to allow {}", target);
    case 3:
    case 4:
    case 5:
    case 6:
      return fmt::format("it cannot reach {}", target);
    case 7:
      return "it does not take CONNECT";
    case 8:
      return "it does not take this kind of address";
    default:
      return fmt::format("it does not say why it cannot open {}", target);
  }
}

Task<void> log_in(Talk& talk, const std::string& login) {
  auto saying = say(talk, login, kLoggingIn);
  co_await saying;
  auto hearing = hear(talk, wire::parse_socks_login, kMostOfSocks, kLoggingIn);
  auto attempted = co_await loop::attempt(std::move(hearing));
  if (!attempted) {
    // RFC 1929 wants a word in front of the end; not all servers have it.
    bool ended = attempted.error().code == Errc::closed || attempted.error().code == Errc::reset;
    if (ended) talk.said = "it ended the connection when it had user and password: does it accept them?";
    co_await loop::fail(attempted.error());
  }
  if (!attempted->accepted) {
    talk.said = "it does not accept this user and password";
    co_await loop::fail(refusal(Errc::refused, DetailKind::socks, wire::kSocksLoginRefused, kLoggingIn));
  }
  forget(talk, attempted->size);
}

Task<void> choose_login(Talk& talk, const std::string& login) {
  std::string greeting = wire::write_socks_greeting(talk.has_login());
  auto saying = say(talk, greeting, kAsking);
  co_await saying;
  auto hearing = hear(talk, wire::parse_socks_method, kMostOfSocks, kHearing);
  auto heard = co_await loop::attempt(std::move(hearing));
  if (!heard) {
    // An HTTP proxy waits for more of a request.
    if (heard.error().code == Errc::timed_out) talk.said = "it says nothing: is it a proxy for SOCKS5?";
    co_await loop::fail(heard.error());
  }
  wire::SocksMethod method = *heard;
  if (method.number == wire::kSocksNoWay) {
    talk.said = talk.has_login() ? "it wants a login of another kind than user and password"
                                 : "it wants a login: a user and a password?";
    co_await loop::fail(refusal(Errc::refused, DetailKind::socks, method.number, kAsking));
  }
  bool wants_login = method.number == wire::kSocksLogin && talk.has_login();
  if (!wants_login && method.number != wire::kSocksOpen) {
    talk.said = fmt::format("it chose way {} to log in, which it was not offered", method.number);
    co_await loop::fail(Error{.code = Errc::bad_message, .side = Side::parent, .doing = kAsking});
  }
  forget(talk, method.size);
  if (!wants_login) co_return;
  auto logging_in = log_in(talk, login);
  co_await logging_in;
}

Task<void> open_by_socks(Talk& talk) {
  const TunnelRequest& request = talk.request;
  auto connect = wire::write_socks_connect(request.host, request.port);
  if (!connect) co_await loop::fail(connect.error());
  Result<std::string> login = "";
  if (talk.has_login()) login = wire::write_socks_login(request.user, request.password);
  if (!login) {
    talk.said = wire::why_not_in_socks(request.user, request.password);
    co_await loop::fail(login.error());
  }
  auto choosing = choose_login(talk, *login);
  co_await choosing;
  auto asking = say(talk, *connect, kAsking);
  co_await asking;
  auto hearing = hear(talk, wire::parse_socks_reply, kMostOfSocks, kHearing);
  auto reply = co_await hearing;
  if (reply.code != 0) {
    talk.said = reply_words(talk, reply.code);
    co_await loop::fail(
        refusal(wire::meaning_of_socks_reply(reply.code), DetailKind::socks, reply.code, kAsking));
  }
  forget(talk, reply.size);
}

}  // namespace
}  // namespace lockgate::proxy
