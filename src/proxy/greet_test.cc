#include "proxy/greet.h"

#include <gtest/gtest.h>

#include "proxy/made_house.h"
#include "wire/made_hello.h"
#include "wire/proxy_header.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPeer = "192.0.2.9:1234";

// One client on a socket, and what is read of it.
class Greeted {
 public:
  /// `listener` are keys of a listener; `sites` its list of sites.
  explicit Greeted(std::string_view listener, std::string_view sites = "") {
    std::string text = "listeners:\n  - bind: 127.0.0.1:8443\n    sites: [";
    text += sites.empty() ? "{ names: [default], pass: { to: 'tcp://192.0.2.1:443' } }" : sites;
    text.append("]\n").append(listener);
    plan_ = made_plan(text, registry_);
    auto [near, far] = net::unix_pair();
    client_ = std::move(*net::TcpStream::adopt(house_.reactor, std::move(near)));
    far_ = std::move(far);
    facts_.peer = facts_.client = made_address(kPeer);
    facts_.destination = made_address("198.51.100.1:443");
    facts_.accepted = house_.reactor.now();
  }

  void begin_header() {
    header_.emplace(read_proxy_header(*client_, house_.buffers, *listener().listener, flight_, facts_));
    header_->start();
    house_.settle();
  }
  void begin_hello() {
    hello_.emplace(greet(*client_, house_.buffers, listener(), flight_, facts_));
    hello_->start();
    house_.settle();
  }
  void say(std::string_view text) {
    ASSERT_EQ(net::give(far_, text), text.size());
    house_.settle(2);
  }
  void end() {
    net::end_writing(far_);
    house_.settle(2);
  }
  void pass(Duration time) { house_.pass(time); }

  bool header_over() const { return header_->finished(); }
  bool hello_over() const { return hello_->finished(); }
  /// Of the header or the hello: its error in words, or "".
  std::string header_error() { return text_of(header_->outcome()); }
  std::string hello_error() { return text_of(hello_->outcome()); }
  Error hello_failure() { return hello_->outcome().error(); }
  const Facts& facts() const { return facts_; }
  std::string_view flight() const { return as_text(flight_); }
  const ListenerPlan& listener() const { return plan_->listeners.front(); }

 private:
  template <class Outcome>
  static std::string text_of(const Outcome& outcome) {
    if (outcome) return "";
    EXPECT_EQ(outcome.error().side, outcome.error().code == Errc::timed_out ? Side::here : Side::client);
    return words(outcome.error());
  }

  MadeHouse house_;
  MadeRegistry registry_;
  std::shared_ptr<const Plan> plan_;
  net::AnyStream client_;
  Fd far_;
  FirstFlight flight_;
  Facts facts_;
  std::optional<loop::Task<void>> header_;
  std::optional<loop::Task<Greeting>> hello_;
};

constexpr std::string_view kMust = "    accept_proxy_protocol: { from: 192.0.2.0/24 }\n";
constexpr std::string_view kMay = "    accept_proxy_protocol: { optional_from: 192.0.2.0/24 }\n";
constexpr std::string_view kHeader1 = "PROXY TCP4 203.0.113.5 198.51.100.7 4711 443\r\n";

std::string header2() {
  auto header = wire::write_proxy_header(wire::ProxyVersion::v2, made_address("203.0.113.5:4711"),
                                         made_address("198.51.100.7:443"));
  return std::string(as_text(header.bytes()));
}

void expect_told(const Greeted& greeted) {
  EXPECT_EQ(greeted.facts().peer.text(), kPeer);
  EXPECT_EQ(greeted.facts().client.text(), "203.0.113.5:4711");
  EXPECT_EQ(greeted.facts().destination.text(), "198.51.100.7:443");
}

TEST(ProxyHeaderOfAClient, IsNotReadFromAPeerWhoSendsNone) {
  Greeted greeted("    accept_proxy_protocol: { from: 10.0.0.0/8, optional_from: 10.0.0.0/7 }\n");
  greeted.begin_header();
  EXPECT_TRUE(greeted.header_over());  // without a byte
  EXPECT_EQ(greeted.facts().client.text(), kPeer);
}

TEST(ProxyHeaderOfAClient, IsReadAtEverySplitPointAndLeavesWhatFollows) {
  for (const std::string& header : {std::string(kHeader1), header2()}) {
    for (auto listener : {kMust, kMay}) {
      std::string text = header + "then the rest";
      for (std::size_t split = 1; split < text.size(); ++split) {
        SCOPED_TRACE(split);
        Greeted greeted(listener);
        greeted.begin_header();
        greeted.say(std::string_view(text).substr(0, split));
        EXPECT_EQ(greeted.header_over(), split >= header.size());
        greeted.say(std::string_view(text).substr(split));
        ASSERT_TRUE(greeted.header_over());
        EXPECT_EQ(greeted.header_error(), "");
        expect_told(greeted);
        std::size_t read = split >= header.size() ? split : text.size();
        EXPECT_EQ(greeted.flight(), std::string_view(text).substr(header.size(), read - header.size()));
      }
    }
  }
}

TEST(ProxyHeaderOfAClient, MayBeMissingWhereItIsOptional) {
  Greeted greeted(kMay);
  greeted.begin_header();
  greeted.say("P");
  EXPECT_FALSE(greeted.header_over());
  greeted.say("OST / HTTP/1.1\r\n");
  EXPECT_TRUE(greeted.header_over());
  EXPECT_EQ(greeted.header_error(), "");
  EXPECT_EQ(greeted.flight(), "POST / HTTP/1.1\r\n");
  EXPECT_EQ(greeted.facts().client.text(), kPeer);
}

TEST(ProxyHeaderOfAClient, MustComeWhereItIsDemanded) {
  Greeted greeted(kMust);
  greeted.begin_header();
  greeted.say(wire::MadeHello().bytes());
  ASSERT_TRUE(greeted.header_over());
  EXPECT_EQ(greeted.header_error(), "looking for a PROXY header: bad_message");
}

TEST(ProxyHeaderOfAClient, OfTheSenderItselfChangesNoAddress) {
  constexpr std::string_view kLocal("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
  for (std::string_view header : {std::string_view("PROXY UNKNOWN\r\n"), kLocal}) {
    Greeted greeted(kMust);
    greeted.begin_header();
    greeted.say(header);
    ASSERT_TRUE(greeted.header_over());
    EXPECT_EQ(greeted.header_error(), "");
    EXPECT_EQ(greeted.facts().client.text(), kPeer);
    EXPECT_EQ(greeted.facts().destination.text(), "198.51.100.1:443");
  }
}

TEST(ProxyHeaderOfAClient, HasItsTimeFromTheAccept) {
  Greeted greeted(std::string(kMust) + "    timeouts: { proxy_header: 3s }\n");
  greeted.pass(1s);
  greeted.begin_header();
  greeted.say("PROXY ");
  greeted.pass(1990ms);
  EXPECT_FALSE(greeted.header_over());
  greeted.pass(20ms);
  ASSERT_TRUE(greeted.header_over());
  EXPECT_EQ(greeted.header_error(), "reading the PROXY header: timed_out");
}

TEST(ProxyHeaderOfAClient, ThatEndsEarlyIsClosed) {
  Greeted greeted(kMust);
  greeted.begin_header();
  greeted.say("PROXY ");
  greeted.end();
  ASSERT_TRUE(greeted.header_over());
  EXPECT_EQ(greeted.header_error(), "reading the PROXY header: closed");
}

std::string hello_for(std::string_view name) {
  return wire::MadeHello().named(name).with(16, wire::made_alpn({"h2", "http/1.1"})).bytes();
}

TEST(GreetingOfTls, IsReadAtEverySplitPoint) {
  std::string hello = hello_for("App.Example.org");
  for (std::size_t split = 1; split < hello.size(); ++split) {
    SCOPED_TRACE(split);
    Greeted greeted("");
    greeted.begin_hello();
    greeted.say(std::string_view(hello).substr(0, split));
    EXPECT_FALSE(greeted.hello_over());
    greeted.say(std::string_view(hello).substr(split));
    ASSERT_TRUE(greeted.hello_over());
    EXPECT_EQ(greeted.hello_error(), "");
    EXPECT_EQ(greeted.facts().dialect, Dialect::tls);
    EXPECT_EQ(greeted.facts().name, "app.example.org");
    EXPECT_EQ(greeted.facts().alpn, "h2,http/1.1");
    EXPECT_EQ(greeted.facts().tls_version, 0x0303);
    EXPECT_EQ(greeted.flight(), hello);
  }
}

TEST(GreetingOfTls, NeedsNoReadIfTheHelloCameBehindTheHeader) {
  Greeted greeted(kMust);
  greeted.begin_header();
  greeted.say(std::string(kHeader1) + hello_for("app.example.org"));
  greeted.begin_hello();
  ASSERT_TRUE(greeted.hello_over());
  EXPECT_EQ(greeted.facts().name, "app.example.org");
}

TEST(GreetingOfTls, TakesNoSniForAHelloWithoutAUsableName) {
  for (const std::string& hello :
       {wire::MadeHello().bytes(), hello_for("192.0.2.1"), hello_for("*.example.org")}) {
    Greeted named("    no_sni: fallback.example.org\n"), unnamed("");
    for (Greeted* greeted : {&named, &unnamed}) {
      greeted->begin_hello();
      greeted->say(hello);
      ASSERT_TRUE(greeted->hello_over());
    }
    EXPECT_EQ(named.facts().name, "fallback.example.org");
    EXPECT_EQ(unnamed.facts().name, "");
  }
}

TEST(GreetingOfTls, NotesAnEncryptedHelloAndTheHighestVersion) {
  Greeted greeted("");
  greeted.begin_hello();
  greeted.say(wire::MadeHello()
                  .named("app.example.org")
                  .with(43, wire::made_vector(wire::made_numbers({0x1a1a, 0x0304, 0x0303}), 1))
                  .with(0xfe0d, "x")
                  .bytes());
  ASSERT_TRUE(greeted.hello_over());
  EXPECT_TRUE(greeted.facts().ech);
  EXPECT_EQ(greeted.facts().tls_version, 0x0304);
}

TEST(GreetingOfTls, FailsWithTheReasonForABrokenHello) {
  Greeted greeted("");
  greeted.begin_hello();
  greeted.say(hello_for("app example"));
  ASSERT_TRUE(greeted.hello_over());
  EXPECT_EQ(greeted.facts().dialect, Dialect::tls);  // so that it is answered with an alert
}

TEST(Greeting, EndsAtItsTimeoutHoweverTheBytesTrickle) {
  Greeted greeted("    timeouts: { hello: 5s }\n");
  std::string hello = hello_for("app.example.org");
  greeted.begin_hello();
  for (std::size_t n = 0; n < 49; ++n) {
    greeted.say(std::string_view(hello).substr(n, 1));
    greeted.pass(100ms);
    ASSERT_FALSE(greeted.hello_over());
  }
  greeted.pass(200ms);
  ASSERT_TRUE(greeted.hello_over());
  EXPECT_EQ(greeted.hello_error(), "reading the hello: timed_out");
}

TEST(Greeting, IsClosedIfTheClientEndsFirst) {
  for (std::string_view said : {"", "\x16", "\x16\x03\x01"}) {
    Greeted greeted("");
    greeted.begin_hello();
    if (!said.empty()) greeted.say(said);
    greeted.end();
    ASSERT_TRUE(greeted.hello_over());
    EXPECT_EQ(greeted.hello_error(), "reading the hello: closed");
  }
}

TEST(Greeting, KeepsNoMoreThanTheLimit) {
  Greeted greeted("    hello_limit: 4KiB\n");
  std::string hello = wire::MadeHello().with(0x1234, std::string(6000, 'x')).bytes();
  greeted.begin_hello();
  greeted.say(hello);
  ASSERT_TRUE(greeted.hello_over());
  EXPECT_EQ(greeted.hello_failure().code, Errc::too_large);
  EXPECT_EQ(greeted.flight().size(), 4096u);
}

constexpr std::string_view kPlainByName =
    "{ names: [a.example.org], plain: { to: 'tcp://192.0.2.1:80' } }, "
    "{ names: [default], pass: { to: 'tcp://192.0.2.1:443' } }";

TEST(GreetingOfHttp, WaitsForTheHostOnlyIfASiteAsksForIt) {
  Greeted asking("", kPlainByName), careless("");
  for (Greeted* greeted : {&asking, &careless}) {
    greeted->begin_hello();
    greeted->say("GET / HTTP/1.1\r\n");
  }
  EXPECT_TRUE(careless.hello_over());
  EXPECT_EQ(careless.facts().dialect, Dialect::http);
  EXPECT_EQ(careless.facts().name, "");
  EXPECT_FALSE(asking.hello_over());
  asking.say("Host: A.Example.ORG.:8080\r\n\r\nbody");
  ASSERT_TRUE(asking.hello_over());
  EXPECT_EQ(asking.hello_error(), "");
  EXPECT_EQ(asking.facts().name, "a.example.org");
  EXPECT_EQ(asking.flight(), "GET / HTTP/1.1\r\nHost: A.Example.ORG.:8080\r\n\r\nbody");
}

TEST(GreetingOfHttp, HasNoNameForAHostThatIsAnAddressOrMissing) {
  for (std::string_view head :
       {"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    Greeted greeted("", kPlainByName);
    greeted.begin_hello();
    greeted.say(head);
    ASSERT_TRUE(greeted.hello_over());
    EXPECT_EQ(greeted.hello_error(), "");
    EXPECT_EQ(greeted.facts().name, "");
  }
}

TEST(GreetingOfHttp, FailsForTwoHosts) {
  Greeted greeted("", kPlainByName);
  greeted.begin_hello();
  greeted.say("GET / HTTP/1.1\r\nHost: a.example.org\r\nHost: b.example.org\r\n\r\n");
  ASSERT_TRUE(greeted.hello_over());
  EXPECT_EQ(greeted.hello_failure().code, Errc::bad_message);
  EXPECT_EQ(greeted.facts().dialect, Dialect::http);
}

TEST(Greeting, KnowsWhatIsNeitherTlsNorHttpByItsFirstBytes) {
  Greeted greeted("", kPlainByName);
  greeted.begin_hello();
  greeted.say("SSH-2.0-OpenSSH_9.2\r\n");
  ASSERT_TRUE(greeted.hello_over());
  EXPECT_EQ(greeted.hello_error(), "");
  EXPECT_EQ(greeted.facts().dialect, Dialect::other);
}

}  // namespace
}  // namespace lockgate::proxy
