#include "stories/tunnel_plays.h"

#include "base/digest.h"

namespace lockgate::stories {

using namespace std::string_literals;

namespace {

std::vector<Play> http_plays();
std::vector<Play> more_http_plays();
std::vector<Play> socks_plays();

}  // namespace

std::string basic() { return base64(as_bytes(std::string(kUser) + ":" + std::string(kPassword))); }

std::string asked_for(const std::string& target, bool login) {
  return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" +
         (login ? "Proxy-Authorization: Basic " + basic() + "\r\n" : "") + "\r\n";
}

std::string asked(bool login) { return asked_for("app.example.org:443", login); }

std::string page_of(const std::string& status, const std::string& fields, const std::string& page) {
  return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(page.size()) +
         "\r\n\r\n" + page;
}

std::vector<Play> plays() {
  std::vector<Play> all = http_plays();
  for (const auto& some : {more_http_plays(), socks_plays()}) all.insert(all.end(), some.begin(), some.end());
  return all;
}

namespace {

constexpr std::string_view kGreeting = "220 the upstream speaks first\r\n";

/// A parent that answers CONNECT with a refusal.
Play refused(std::string title, const std::string& answer, int status, std::string said) {
  return {.title = std::move(title),
          .exchanges = {{asked(), answer}},
          .outcome = "refused",
          .said = std::move(said),
          .detail = {DetailKind::http_status, static_cast<std::int16_t>(status)}};
}

const auto kOpened = "HTTP/1.1 200 Connection established\r\nVia: 1.1 parent\r\n\r\n"s;

std::vector<Play> http_plays() {
  Play glued{.title = "OpenWithFirstWords", .exchanges = {{asked(), kOpened + std::string(kGreeting)}}};
  glued.early = kGreeting;
  return {
      {.title = "Open", .exchanges = {{asked(), kOpened}}},
      glued,
      {.title = "OpenWithLogin", .exchanges = {{asked(true), "HTTP/1.0 200\r\n\r\n"}}, .login = true},
      {.title = "OpenToIpv6",
       .exchanges = {{asked_for("[2001:db8::1]:443", false), kOpened}},
       .host = "2001:db8::1"},
      {.title = "OpenAfterInterim",
       .exchanges = {{asked(), "HTTP/1.1 100 Continue\r\n\r\n" + kOpened + "x"}},
       .early = "x"},
      refused("Forbidden",
              page_of("403 Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0\r\n",
                      "<html><head><title>ERROR: No way</title></head><h1>ERROR</h1><p>Access\x1b[31m "
                      "<b>Denied</b>."),
              403,
              "403 Forbidden (ERR_ACCESS_DENIED); its rules have to allow CONNECT to app.example.org:443; "
              "its page "
              "says: ERROR: No way. Access [31m Denied."),
      refused("WantsLogin",
              page_of("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"a\"\r\n", ""),
              407, "407 Proxy Authentication Required; it wants a user and a password"),
      refused("WantsAnotherLogin",
              page_of("407 Who", "Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n", ""), 407,
              "407 Who; it wants a login by Negotiate or NTLM, and Lockgate knows Basic only"),
      refused("NotAProxy", page_of("405 Method Not Allowed", "", "no such method"), 405,
              "405 Method Not Allowed; is it a proxy, and one that takes CONNECT?; its page says: no such "
              "method"),
      refused("Redirects", page_of("302 Found", "Location: http://login.example/\r\n", ""), 302,
              "302 Found; it redirects, as a login page for guests does"),
      refused("Busy",
              "HTTP/1.1 503\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nBusy\r\n5\r\n now.\r\n0\r\n\r\n", 503,
              "503; its page says: Busy now."),
  };
}

std::vector<Play> more_http_plays() {
  Play unresolved = refused("Unresolved", page_of("503 x", "X-Squid-Error: ERR_DNS_FAIL 0\r\n", ""), 503,
                            "503 x (ERR_DNS_FAIL); it finds no address for app.example.org");
  unresolved.outcome = "unresolved";
  Play unreachable = refused("Unreachable", page_of("502 Bad Gateway", "", ""), 502,
                             "502 Bad Gateway; it cannot reach app.example.org:443");
  unreachable.outcome = "unreachable";
  Play late = refused("TimedOut", page_of("504 Gateway Timeout", "", ""), 504,
                      "504 Gateway Timeout; it cannot reach app.example.org:443");
  late.outcome = "timed_out";
  Play ended = refused("RefusesAndEnds", "HTTP/1.0 500 Oh\r\n\r\n<p>It cannot", 500,
                       "500 Oh; its page says: It cannot");
  ended.ends = true;
  ended.login = true;
  ended.exchanges[0].hears = asked(true);
  Play wrong =
      refused("WrongPassword",
              page_of("407 Not the-user", "Proxy-Authenticate: Basic realm=\"s3cret & word\"\r\n",
                      "<p>the-user: s3cret &amp; word, s3cret & word, Basic " + basic() + " are wrong"),
              407,
              "407 Not ***; it does not accept this user and password; its page says: ***: ***, ***, Basic "
              "***== are wrong");
  wrong.login = true;
  wrong.exchanges[0].hears = asked(true);
  // It repeats the request, as an echo server does.
  Play echo{.title = "Echoes",
            .exchanges = {{asked(true), "Who: the-user " + asked(true)}},
            .outcome = "bad_message",
            .said = "it does not answer in HTTP/1: is it a proxy?",
            .login = true};
  return {unresolved,
          unreachable,
          late,
          ended,
          wrong,
          echo,
          {.title = "SpeaksTls",
           .exchanges = {{asked(), "\x15\x03\x01\0\x02\x02\x46"s}},
           .outcome = "bad_message",
           .said = "it answers in TLS: is it a proxy that wants https?"},
          {.title = "SpeaksSocks",
           .exchanges = {{asked(), "\x05\xff"s}},
           .outcome = "bad_message",
           .said = "it answers in SOCKS5: is it a proxy of that kind?"},
          {.title = "EndlessHead",
           .exchanges = {{asked(), "HTTP/1.1 200 a\r\nX: " + std::string(20'000, 'x')}},
           .outcome = "too_large"}};
}

const auto kAskSocks = "\x05\x01\0\x03\x0f"s + "app.example.org\x01\xbb";
const auto kSocksOpened = "\x05\0\0\x01\x7f\0\0\x01\x1f\x90"s;
const auto kLogin = "\x01\x08the-user\x0ds3cret & word"s;

Play socks_refused(int code, std::string outcome, std::string said) {
  return {.title = "SocksReply" + std::to_string(code),
          .kind = ParentKind::socks5,
          .exchanges = {{std::string(kGreetOpen), "\x05\0"s},
                        {kAskSocks, "\x05"s + static_cast<char>(code) + "\0\x01\0\0\0\0\0\0"s}},
          .outcome = std::move(outcome),
          .said = std::move(said),
          .detail = {DetailKind::socks, static_cast<std::int16_t>(code)}};
}

Play socks(std::string title, std::vector<Exchange> exchanges, bool login = false) {
  return {.title = "Socks" + std::move(title),
          .kind = ParentKind::socks5,
          .exchanges = std::move(exchanges),
          .login = login};
}
Play failing(Play play, std::string outcome, std::string said, int detail = 0) {
  play.outcome = std::move(outcome);
  play.said = std::move(said);
  if (detail != 0) play.detail = {DetailKind::socks, static_cast<std::int16_t>(detail)};
  return play;
}

std::vector<Play> socks_plays() {
  Play glued = socks("OpenWithFirstWords", {{std::string(kGreetOpen), "\x05\0"s},
                                            {kAskSocks, kSocksOpened + std::string(kGreeting)}});
  glued.early = kGreeting;
  Play named = socks("OpenByItsName",
                     {{std::string(kGreetOpen), "\x05\0"s}, {kAskSocks, "\x05\0\0\x03\x04host\0\x01y"s}});
  named.early = "y";
  Play rude =
      failing(socks("EndsAtLogin", {{std::string(kGreetLogin), "\x05\x02"}, {kLogin, ""}}, true), "closed",
              "it ended the connection when it had user and password: does it accept them?");
  rude.ends = true;
  Play ipv6 = socks("OpenToIpv6",
                    {{std::string(kGreetOpen), "\x05\0"s},
                     {"\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb"s, kSocksOpened}});
  ipv6.host = "2001:db8::1";
  std::string target = "app.example.org:443";
  return {
      glued,
      named,
      rude,
      ipv6,
      socks("Open", {{std::string(kGreetOpen), "\x05\0"s}, {kAskSocks, kSocksOpened}}),
      socks("OpenWithoutTheLogin", {{std::string(kGreetLogin), "\x05\0"s}, {kAskSocks, kSocksOpened}}, true),
      socks("OpenWithLogin",
            {{std::string(kGreetLogin), "\x05\x02"}, {kLogin, "\x01\0"s}, {kAskSocks, kSocksOpened}}, true),
      failing(socks("WrongPassword", {{std::string(kGreetLogin), "\x05\x02"}, {kLogin, "\x01\x01"}}, true),
              "refused", "it does not accept this user and password", 256),
      failing(socks("WantsLogin", {{std::string(kGreetOpen), "\x05\xff"}}), "refused",
              "it wants a login: a user and a password?", 255),
      failing(socks("WantsAnotherLogin", {{std::string(kGreetLogin), "\x05\xff"}}, true), "refused",
              "it wants a login of another kind than user and password", 255),
      failing(socks("ChoosesWhatWasNotOffered", {{std::string(kGreetOpen), "\x05\x02"}}), "bad_message",
              "it chose way 2 to log in, which it was not offered"),
      failing(socks("SpeaksHttp", {{std::string(kGreetOpen), "HTTP/1.0 400 Bad request\r\n\r\n"}}),
              "bad_message", "it answers in HTTP: is it a proxy of that kind?"),
      failing(
          socks("LoginInAnotherProtocol", {{std::string(kGreetLogin), "\x05\x02"}, {kLogin, "\x15"}}, true),
          "bad_message", "it answers in TLS: is it a proxy that wants https?"),
      socks_refused(1, "refused", "it does not say why it cannot open " + target),
      socks_refused(2, "refused", "its rules have to allow " + target),
      socks_refused(3, "unreachable", "it cannot reach " + target),
      socks_refused(4, "unreachable", "it cannot reach " + target),
      socks_refused(5, "refused", "it cannot reach " + target),
      socks_refused(6, "timed_out", "it cannot reach " + target),
      socks_refused(7, "refused", "it does not take CONNECT"),
      socks_refused(8, "refused", "it does not take this kind of address"),
      socks_refused(99, "refused", "it does not say why it cannot open " + target),
  };
}

}  // namespace
}  // namespace lockgate::stories
