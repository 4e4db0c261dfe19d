#include "net/resolver.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <functional>
#include <map>

#include "loop/scope.h"
#include "wire/made_answer.h"

namespace lockgate::net {
namespace {

namespace made = wire::made;
using loop::Task;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::string_literals;

SocketAddress bound_address(int fd) {
  sockaddr_storage room{};
  socklen_t size = sizeof room;
  getsockname(fd, reinterpret_cast<sockaddr*>(&room), &size);
  return SocketAddress::from_system(reinterpret_cast<sockaddr*>(&room), size);
}

/// None if the address is taken.
Fd bound_socket(const SocketAddress& at, int type) {
  Fd fd(::socket(at.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage room;
  socklen_t size = at.to_system(room);
  if (::bind(fd.number(), reinterpret_cast<sockaddr*>(&room), size) != 0) return {};
  return fd;
}

/// A name server on loopback that answers out of a table; of what is not in it, there is no such name.
class NameServer {
 public:
  explicit NameServer(loop::Reactor& reactor, const char* ip = "127.0.0.1") : reactor_(reactor) {
    while (!tcp_.fd) {  // both have the same port, which may be free for one and taken for the other
      udp_.fd = bound_socket({Ip::parse(ip).value(), 0}, SOCK_DGRAM);
      tcp_.fd = bound_socket(address(), SOCK_STREAM);
    }
    ::listen(tcp_.fd.number(), 16);
    udp_.readable = [this] { take_datagrams(); };
    tcp_.readable = [this] { accept(); };
    reactor_.watch(udp_.fd.number(), udp_, EPOLLIN);
    reactor_.watch(tcp_.fd.number(), tcp_, EPOLLIN);
  }

  SocketAddress address() const { return bound_address(udp_.fd.number()); }

  void add(const std::string& name, made::Record record) {
    answers_[{name, record.type}].records.push_back(std::move(record));
  }
  void add_a(const std::string& name, const std::string& ip, std::uint32_t ttl = 60) {
    auto parsed = Ip::parse(ip).value();
    auto type = parsed.is_v4() ? made::kA : made::kAaaa;
    add(name, {made::pointer(12), type, ttl, std::string(as_text(parsed.bytes()))});
  }
  made::Answer& answer(const std::string& name, made::RecordType type) { return answers_[{name, type}]; }

  bool silent = false;
  std::vector<std::string> before;  // datagrams sent ahead of every answer
  int queries = 0;
  int tcp_queries = 0;

 private:
  struct Watch final : loop::Watched {
    void edges(std::uint32_t) override { readable(); }
    Fd fd;
    std::function<void()> readable;
  };

  static std::string name_in(const std::string& query) {
    std::string name;
    for (std::size_t at = 12; query[at] != 0; at += static_cast<std::size_t>(query[at]) + 1) {
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, static_cast<std::size_t>(query[at]));
    }
    return name;
  }

  std::string reply(const std::string& query, bool may_truncate) {
    auto type = static_cast<made::RecordType>(query[query.size() - 3]);
    auto found = answers_.find({name_in(query), type});
    if (found != answers_.end()) {
      auto answer = found->second;
      if (answer.truncated && may_truncate) answer.records.clear();
      answer.truncated = answer.truncated && may_truncate;
      return made::message(query, answer);
    }
    bool exists =
        std::ranges::any_of(answers_, [&](auto& entry) { return entry.first.first == name_in(query); });
    return made::message(query, {.code = exists ? made::kNoError : made::kNoSuchName});
  }

  void take_datagrams() {
    std::array<char, 512> room;
    sockaddr_storage from{};
    for (;;) {
      socklen_t from_size = sizeof from;
      auto* peer = reinterpret_cast<sockaddr*>(&from);
      ssize_t size = ::recvfrom(udp_.fd.number(), room.data(), room.size(), 0, peer, &from_size);
      if (size < 0) return;
      ++queries;
      if (silent) continue;
      auto send = [&](const std::string& bytes) {
        ::sendto(udp_.fd.number(), bytes.data(), bytes.size(), 0, peer, from_size);
      };
      for (const auto& datagram : before) send(datagram);
      send(reply({room.data(), static_cast<std::size_t>(size)}, true));
    }
  }

  void accept() {
    auto& connection = *connections_.emplace_back(std::make_unique<Watch>());
    connection.fd = Fd(::accept4(tcp_.fd.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    connection.readable = [this, &connection] { take_stream(connection); };
    reactor_.watch(connection.fd.number(), connection, EPOLLIN);
  }

  // On loopback, a query and its length come in one piece.
  void take_stream(Watch& connection) {
    std::array<char, 512> room;
    ssize_t size = ::recv(connection.fd.number(), room.data(), room.size(), 0);
    if (size <= 2) return connection.fd.reset();
    ++tcp_queries;
    auto answer = reply({room.data() + 2, static_cast<std::size_t>(size) - 2}, false);
    answer = made::two_bytes(static_cast<unsigned>(answer.size())) + answer;
    EXPECT_EQ(::send(connection.fd.number(), answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
  }

  loop::Reactor& reactor_;
  Watch udp_, tcp_;
  std::vector<std::unique_ptr<Watch>> connections_;
  std::map<std::pair<std::string, made::RecordType>, made::Answer> answers_;
};

class ResolverTest : public testing::Test {
 protected:
  ResolverOptions options() const {
    return {.name_servers = {server.address()}, .timeout = milliseconds(100), .tries = 2};
  }

  bool turn_until(const std::function<bool()>& done) {
    Instant deadline = clock.now() + seconds(20);
    while (!done() && clock.now() < deadline) reactor.turn(milliseconds(20));
    return done();
  }

  template <class T>
  Result<T> outcome(Task<T> task) {
    task.start();
    EXPECT_TRUE(turn_until([&] { return task.finished(); }));
    if (!task.finished()) return failure(Errc::timed_out, "testing");
    return task.outcome();
  }
  Result<Addresses> addresses(const std::string& name) { return outcome(resolver->addresses(name)); }
  Result<Services> services(const std::string& name) { return outcome(resolver->services(name)); }

  static std::vector<std::string> texts(const Result<Addresses>& found) {
    std::vector<std::string> result;
    if (found) {
      for (const auto& ip : found->ips) result.push_back(ip.text());
    }
    std::ranges::sort(result);
    return result;
  }
  /// Why `found` is an error, as a log line has it.
  template <class T>
  static std::string reason(const Result<T>& found) {
    if (found) return "none";
    EXPECT_EQ(found.error().side, Side::upstream);
    EXPECT_EQ(found.error().code, Errc::unresolved);
    return words(found.error());
  }

  SystemClock clock;
  loop::Reactor reactor{clock};
  NameServer server{reactor};
  std::optional<Resolver> resolver{std::in_place, reactor, options()};
};

using Names = std::vector<std::string>;

TEST_F(ResolverTest, FindsAddressesOfBothFamiliesWithTheShortestTtl) {
  server.add_a("both.example", "192.0.2.1", 300);
  server.add_a("both.example", "192.0.2.2", 300);
  server.add_a("both.example", "2001:db8::1", 120);
  auto found = addresses("both.example");
  EXPECT_EQ(texts(found), Names({"192.0.2.1", "192.0.2.2", "2001:db8::1"}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ttl, seconds(120));
}

TEST_F(ResolverTest, FindsANameOfOneFamily) {
  server.add_a("four.example", "192.0.2.4");
  server.add_a("six.example", "2001:db8::6");
  EXPECT_EQ(texts(addresses("four.example")), Names({"192.0.2.4"}));
  EXPECT_EQ(texts(addresses("six.example.")), Names({"2001:db8::6"}));
}

TEST_F(ResolverTest, FollowsAliasesAndCountsTheirTtl) {
  std::string canonical = made::labels("canonical.example");
  server.add("alias.example", {made::pointer(12), made::kCname, 30, canonical});
  for (auto type : {made::kA, made::kAaaa}) {
    server.answer("alias.example", type).records = {{made::pointer(12), made::kCname, 30, canonical}};
  }
  server.answer("alias.example", made::kA).records.push_back({canonical, made::kA, 300, "\xc0\x00\x02\x07"s});
  auto found = addresses("alias.example");
  EXPECT_EQ(texts(found), Names({"192.0.2.7"}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ttl, seconds(30));
}

TEST_F(ResolverTest, KeepsTtlsWithinReason) {
  server.add_a("never.example", "192.0.2.1", 0);
  server.add_a("always.example", "192.0.2.1", 0x7fffffff);
  server.add_a("negative.example", "192.0.2.1", 0x80000000);
  EXPECT_EQ(addresses("never.example")->ttl, seconds(1));
  EXPECT_EQ(addresses("always.example")->ttl, std::chrono::hours(1));
  EXPECT_EQ(addresses("negative.example")->ttl, seconds(1));
}

TEST_F(ResolverTest, TakesLiteralsForWhatTheyAre) {
  EXPECT_EQ(texts(addresses("192.0.2.1")), Names({"192.0.2.1"}));
  EXPECT_EQ(texts(addresses("2001:db8::1")), Names({"2001:db8::1"}));
  EXPECT_EQ(server.queries, 0);
}

TEST_F(ResolverTest, FindsLocalhostWithoutTheDnsAndReadsItAgainSoon) {
  auto found = addresses("localhost");
  ASSERT_TRUE(found);
  for (const auto& ip : found->ips) EXPECT_TRUE(ip.is_loopback()) << ip.text();
  EXPECT_EQ(found->ttl, seconds(30));
  EXPECT_EQ(server.queries, 0);
}

TEST_F(ResolverTest, SaysWhyThereIsNoAddress) {
  for (auto type : {made::kA, made::kAaaa}) {
    server.answer("failed.example", type).code = made::kServerFailed;
    server.answer("refused.example", type).code = made::kRefused;
  }
  server.add("empty.example", made::srv(60, 1, 1, 443, made::labels("")));
  EXPECT_EQ(reason(addresses("gone.example")), "resolving the name: unresolved (no such name)");
  EXPECT_EQ(reason(addresses("empty.example")), "resolving the name: unresolved (no such record)");
  // Then another name server is asked; c-ares does not tell what was wrong with the last one.
  EXPECT_EQ(reason(addresses("failed.example")),
            "resolving the name: unresolved (no name server gave an answer)");
  EXPECT_EQ(reason(addresses("refused.example")),
            "resolving the name: unresolved (no name server gave an answer)");
  EXPECT_EQ(reason(addresses("two..dots")), "resolving the name: unresolved (malformed name)");
  EXPECT_EQ(reason(services("gone.example")), "resolving the name: unresolved (no such name)");
  EXPECT_EQ(reason(services("empty.example")), "resolving the name: unresolved (no such record)");
}

TEST_F(ResolverTest, TriesAgainAndThenTimesOut) {
  server.silent = true;
  Instant start = clock.now();
  EXPECT_EQ(reason(addresses("slow.example")),
            "resolving the name: unresolved (no name server answered in time)");
  EXPECT_EQ(server.queries, 4) << "two families, two tries";
  EXPECT_GE(clock.now() - start, milliseconds(300)) << "100 ms, and then twice as long";
}

TEST_F(ResolverTest, AsksTheNextServerIfOneIsSilentOrGone) {
  NameServer mute(reactor);
  mute.silent = true;
  SocketAddress gone;
  {
    NameServer stopped(reactor);
    gone = stopped.address();
  }
  server.add_a("a.example", "192.0.2.1");
  auto given = options();
  given.name_servers = {gone, mute.address(), server.address()};
  resolver.emplace(reactor, given);
  EXPECT_EQ(texts(addresses("a.example")), Names({"192.0.2.1"}));
  EXPECT_GT(mute.queries, 0);
}

TEST_F(ResolverTest, AsksTheNextServerIfOneFails) {
  NameServer broken(reactor);
  for (auto type : {made::kA, made::kAaaa}) broken.answer("a.example", type).code = made::kServerFailed;
  server.add_a("a.example", "192.0.2.1");
  auto given = options();
  given.name_servers = {broken.address(), server.address()};
  resolver.emplace(reactor, given);
  EXPECT_EQ(texts(addresses("a.example")), Names({"192.0.2.1"}));
  EXPECT_GT(broken.queries, 0);
}

TEST_F(ResolverTest, SaysThatNoServerIsReached) {
  SocketAddress gone;
  {
    NameServer stopped(reactor);
    gone = stopped.address();
  }
  resolver.emplace(reactor,
                   ResolverOptions{.name_servers = {gone}, .timeout = milliseconds(100), .tries = 2});
  EXPECT_EQ(reason(addresses("a.example")), "resolving the name: unresolved (no name server gave an answer)");
}

TEST_F(ResolverTest, AsksAServerOverIpv6) {
  NameServer six(reactor, "::1");
  six.add_a("a.example", "192.0.2.1");
  auto given = options();
  given.name_servers = {six.address()};
  resolver.emplace(reactor, given);
  EXPECT_EQ(texts(addresses("a.example")), Names({"192.0.2.1"}));
}

TEST_F(ResolverTest, FindsServicesWithTheirTtl) {
  server.add("_https._tcp.example", made::srv(90, 20, 0, 8443, made::labels("late.example")));
  server.add("_https._tcp.example", made::srv(45, 10, 5, 443, made::labels("first.example")));
  auto found = services("_https._tcp.example");
  ASSERT_TRUE(found);
  std::vector<Service> expected = {{"first.example", 443, 10, 5}, {"late.example", 8443, 20, 0}};
  EXPECT_EQ(found->services, expected);
  EXPECT_EQ(found->ttl, seconds(45));
}

TEST_F(ResolverTest, RefusesServicesThatCannotBeRead) {
  server.add("_https._tcp.example", made::srv(90, 20, 0, 8443, made::pointer(0x3fff)));
  EXPECT_EQ(reason(services("_https._tcp.example")), "resolving the name: unresolved (malformed answer)");
}

TEST_F(ResolverTest, AsksAgainOverTcpWhatWasTruncated) {
  for (unsigned port = 1; port <= 100; ++port) {
    server.add("_many._tcp.example", made::srv(60, 1, 1, port, made::labels("host.example")));
  }
  server.answer("_many._tcp.example", made::kSrv).truncated = true;
  auto found = services("_many._tcp.example");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->services.size(), 100U);
  EXPECT_EQ(server.tcp_queries, 1);
}

TEST_F(ResolverTest, IsNotMovedByDatagramsThatAreNoAnswer) {
  server.before = {"", "x", std::string(12, '\0'), std::string(12, '\xff'), std::string(512, '\xc0')};
  auto other = made::message(made::query("other.example", made::kA),
                             {.records = {{made::pointer(12), made::kA, 60, "\x01\x02\x03\x04"}}});
  server.before.push_back(other);
  server.add_a("a.example", "192.0.2.1");
  EXPECT_EQ(texts(addresses("a.example")), Names({"192.0.2.1"}));
}

TEST_F(ResolverTest, FindsTwoHundredNamesAtOnce) {
  constexpr int kNames = 200;
  loop::Scope scope(reactor);
  int right = 0, ended = 0;
  auto find = [&](int i) -> Task<void> {
    std::string ip = "192.0.2." + std::to_string(i % 256);
    auto task = resolver->addresses("n" + std::to_string(i) + ".example");
    auto found = co_await loop::attempt(std::move(task));
    ++ended;
    if (texts(found) == Names({ip})) ++right;
  };
  for (int i = 0; i < kNames; ++i) {
    server.add_a("n" + std::to_string(i) + ".example", "192.0.2." + std::to_string(i % 256));
    scope.spawn(find(i));
  }
  EXPECT_TRUE(turn_until([&] { return ended == kNames; }));
  EXPECT_EQ(right, kNames);
}

TEST_F(ResolverTest, GoesOnAfterATaskWasDestroyed) {
  server.silent = true;
  {
    auto cancelled = resolver->addresses("a.example");
    auto cancelled_too = resolver->services("_https._tcp.example");
    cancelled.start();
    cancelled_too.start();
    EXPECT_TRUE(turn_until([&] { return server.queries >= 3; }));
  }
  server.silent = false;
  server.add_a("a.example", "192.0.2.1");
  EXPECT_EQ(texts(addresses("a.example")), Names({"192.0.2.1"}));
  reactor.turn(milliseconds(200));
}

TEST_F(ResolverTest, MayLoseATaskBetweenItsAnswerAndItsTurn) {
  server.add_a("a.example", "192.0.2.1");
  for (int turns = 0; turns < 12; ++turns) {
    auto cancelled = resolver->addresses("a.example");
    cancelled.start();
    for (int i = 0; i < turns && !cancelled.finished(); ++i) reactor.turn(milliseconds(2));
  }
  EXPECT_EQ(texts(addresses("a.example")), Names({"192.0.2.1"}));
}

TEST_F(ResolverTest, FailsItsQuestionsWhenItIsDestroyed) {
  server.silent = true;
  auto one = resolver->addresses("a.example");
  auto two = resolver->services("_https._tcp.example");
  one.start();
  two.start();
  EXPECT_TRUE(turn_until([&] { return server.queries >= 3; }));
  resolver.reset();
  EXPECT_TRUE(turn_until([&] { return one.finished() && two.finished(); }));
  EXPECT_EQ(reason(one.outcome()), "resolving the name: unresolved (the resolver has ended)");
  EXPECT_EQ(reason(two.outcome()), "resolving the name: unresolved (the resolver has ended)");
}

TEST_F(ResolverTest, MayBeDestroyedAtEveryStep) {
  server.add_a("a.example", "192.0.2.1");
  server.add("_https._tcp.example", made::srv(60, 1, 1, 443, made::labels("a.example")));
  server.answer("_https._tcp.example", made::kSrv).truncated = true;
  for (int turns = 0; turns < 20; ++turns) {
    auto abandoned = resolver->services("_https._tcp.example");
    abandoned.start();
    auto one = resolver->addresses("a.example");
    auto two = resolver->services("_https._tcp.example");
    one.start();
    two.start();
    for (int i = 0; i < turns; ++i) reactor.turn(milliseconds(1));
    {
      auto dropped = std::move(abandoned);
    }
    resolver.emplace(reactor, options());
    EXPECT_TRUE(turn_until([&] { return one.finished() && two.finished(); }));
  }
  EXPECT_EQ(services("_https._tcp.example")->services.size(), 1U);
}

TEST_F(ResolverTest, HasNothingToDoOnceAllIsAnswered) {
  server.add_a("a.example", "192.0.2.1");
  EXPECT_TRUE(addresses("a.example"));
  int turns = 0;
  for (Instant end = clock.now() + milliseconds(300); clock.now() < end; ++turns)
    reactor.turn(milliseconds(300));
  EXPECT_LE(turns, 5);
}

}  // namespace
}  // namespace lockgate::net
