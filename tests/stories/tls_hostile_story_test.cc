// TLS with peers that break off, send nonsense, flood, or never answer.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <optional>

#include "net/made_sockets.h"
#include "stories/tls_conversation.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;

// One end of TLS, and the bare far end of its connection.
struct Lone {
  void settle(const std::function<bool()>& done) { EXPECT_TRUE(turn_until(reactor, clock, done, 1000, 1ms)); }

  ManualClock clock;
  loop::Reactor reactor{clock};
  MemoryNetwork network{reactor};
  Pair pair = network.pair("tls");
  std::unique_ptr<tls::TlsStream> stream;
  Fared fared;
  Heard heard;
  loop::Scope scope{reactor};
};

// What a server makes of a client that says `bytes` and then the end.
Fared hear_out(TlsSides& sides, std::string bytes) {
  Lone server;
  server.stream = sides.server(std::move(server.pair.near));
  server.scope.spawn(shake(*server.stream, server.fared));
  server.scope.spawn(say(*server.pair.far, std::move(bytes), true));
  server.scope.spawn(hear(*server.pair.far, server.heard));
  server.settle([&] { return server.fared.handshake.has_value(); });
  return server.fared;
}

// The bytes with which a client begins.
std::string hello_of(TlsSides& sides) {
  Lone client;
  client.stream = sides.client(std::move(client.pair.near));
  client.scope.spawn(shake(*client.stream, client.fared));
  client.scope.spawn(hear(*client.pair.far, client.heard));
  client.settle([&] { return !client.heard.text.empty(); });
  return client.heard.text;
}

TEST(Tls, FailsOnceAndCleanlyWhereverTheHandshakeBreaksOff) {
  TlsSides sides({});
  std::string hello = hello_of(sides);
  ASSERT_GT(hello.size(), 100U);
  for (std::size_t size = 0; size <= hello.size(); ++size) {
    EXPECT_EQ(hear_out(sides, hello.substr(0, size)).code(), Errc::closed) << size;
  }
}

TEST(Tls, FailsCleanlyWhicheverByteOfTheHelloIsWrong) {
  TlsSides sides({});
  std::string hello = hello_of(sides);
  for (std::size_t at = 0; at < hello.size(); ++at) {
    std::string wrong = hello;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x55);
    Fared fared = hear_out(sides, wrong);
    EXPECT_FALSE(fared.greeted()) << at;
    EXPECT_TRUE(fared.code() == Errc::handshake || fared.code() == Errc::closed)
        << at << " " << name_of(fared.code());
  }
}

TEST(Tls, GivesUpOnAHandshakeThatNeverEnds) {
  TlsSides sides({});
  std::string record("\x16\x03\x01\x40\x00\x01\x7f\xff\xff", 9);  // a hello of 8 MB
  record += std::string(0x4000 - 4, 'x');
  std::string flood;
  for (int i = 0; i < 40; ++i) flood += record.substr(0, 5) + std::string(0x4000, 'x');
  EXPECT_FALSE(hear_out(sides, record + flood).greeted());
}

TEST(Tls, TimesOutWhenThePeerIsSilent) {
  TlsSides sides({});
  Lone server;
  server.stream = sides.server(std::move(server.pair.near));
  server.scope.spawn(shake(*server.stream, server.fared));
  auto over = [&] { return server.fared.handshake.has_value(); };
  ASSERT_TRUE(turn_until(server.reactor, server.clock, over, 1000, 100ms));
  EXPECT_EQ(server.fared.code(), Errc::timed_out);
}

TEST(Tls, TellsAnEndThatWasCutOffFromACompleteOne) {
  TlsSides sides({});
  for (auto ending : {net::Ending::complete, net::Ending::truncated}) {
    TlsConversation conversation(sides);
    ASSERT_TRUE(conversation.greet());
    ASSERT_TRUE(conversation.client->finish(ending));
    std::array<std::byte, 100> room{};
    conversation.turn([&] { return conversation.server->readable(); });
    auto arrived = conversation.server->read_some(room);
    ASSERT_TRUE(arrived);
    EXPECT_TRUE(arrived->ended);
    EXPECT_EQ(arrived->ending, ending);
  }
}

TEST(Tls, ReadsWhatThePeerSaidBeforeItLeft) {
  for (bool complete : {true, false}) {
    TlsSides sides({});
    TlsConversation conversation(sides);
    ASSERT_TRUE(conversation.greet());
    conversation.scope().spawn(say(*conversation.server, "answer", complete));
    ASSERT_TRUE(conversation.turn([&] { return conversation.scope().size() == 0; }));
    conversation.server.reset();
    auto told = conversation.client->finish(net::Ending::complete);
    EXPECT_TRUE(told && *told) << "nobody is there to be told";
    conversation.scope().spawn(hear(*conversation.client, conversation.at_client.heard));
    ASSERT_TRUE(conversation.turn([&] { return conversation.scope().size() == 0; }));
    EXPECT_EQ(conversation.at_client.heard.text, "answer");
    EXPECT_EQ(conversation.at_client.heard.ended, complete) << "nor does a cut-off answer look complete";
    EXPECT_EQ(conversation.at_client.heard.error.has_value(), !complete);
  }
}

TEST(Tls, EndsAConnectionThatBringsKeyUpdatesAndNoData) {
  TlsSides sides({});
  TlsConversation conversation(sides, {.capacity = 1 << 20});
  ASSERT_TRUE(conversation.greet());
  Heard heard;
  conversation.scope().spawn(hear(*conversation.server, heard));
  for (int i = 0; i < 20'000 && !heard.error; ++i) {
    SSL_key_update(&conversation.client->ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(&conversation.client->ssl());
    (void)conversation.client->write_some({});
    conversation.reactor().turn(Duration::zero());
  }
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, Errc::bad_message);
}

TEST(Tls, EndsAConnectionThatHidesKeyUpdatesBehindSomeData) {
  TlsSides sides({});
  TlsConversation conversation(sides, {.capacity = 1 << 20});
  ASSERT_TRUE(conversation.greet());
  Heard heard;
  conversation.scope().spawn(hear(*conversation.server, heard));
  for (int i = 0; i < 20'000 && !heard.error; ++i) {
    SSL_key_update(&conversation.client->ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(&conversation.client->ssl());
    (void)conversation.client->write_some(as_bytes(std::string_view(i % 100 == 0 ? "x" : "")));
    conversation.reactor().turn(Duration::zero());
  }
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, Errc::bad_message);
}

TEST(Tls, StopsReadingFromWhoAsksForAnswersAndDoesNotReadThem) {
  TlsSides sides({});
  TlsConversation conversation(sides, {.capacity = 2000});
  ASSERT_TRUE(conversation.greet());
  Heard heard;
  conversation.scope().spawn(hear(*conversation.server, heard));
  std::size_t sent = 0;
  for (int i = 0; i < 50'000; ++i) {
    if (conversation.client->writable() || conversation.client->under().writable()) {
      SSL_key_update(&conversation.client->ssl(), SSL_KEY_UPDATE_REQUESTED);
      auto written = conversation.client->write_some(as_bytes("x"));
      if (written) sent += *written;
    }
    conversation.reactor().turn(Duration::zero());
  }
  EXPECT_LT(heard.text.size(), 20'000U) << "of " << sent;
}

// A server and a client over sockets, where a half-close and the room in the kernel are real.
struct OverSockets {
  bool greet() {
    scope.spawn(shake(*server, at_server));
    scope.spawn(shake(*client, at_client));
    return turn_until(reactor, clock, [&] { return at_server.greeted() && at_client.greeted(); });
  }

  TlsSides sides{{}};
  ManualClock clock;
  loop::Reactor reactor{clock};
  net::SocketPair sockets = net::unix_pair();
  std::unique_ptr<tls::TlsStream> server =
      sides.server(std::move(*net::TcpStream::adopt(reactor, std::move(sockets.near))));
  std::unique_ptr<tls::TlsStream> client =
      sides.client(std::move(*net::TcpStream::adopt(reactor, std::move(sockets.far))));
  Fared at_server, at_client;
  loop::Scope scope{reactor};
};

// The answer to the first wish would go out with the second one.
TEST(Tls, HearsOutAPeerThatAsksForNewKeysAfterOurEnd) {
  OverSockets pair;
  ASSERT_TRUE(pair.greet());
  ASSERT_TRUE(*pair.client->finish(net::Ending::complete));
  pair.scope.spawn(hear(*pair.client, pair.at_client.heard));
  for (int i = 0; i < 2; ++i) {
    SSL_key_update(&pair.server->ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(&pair.server->ssl());
  }
  pair.scope.spawn(say(*pair.server, "the rest", true));
  turn_until(pair.reactor, pair.clock,
             [&] { return pair.at_client.heard.ended || pair.at_client.heard.error; });
  EXPECT_EQ(pair.at_client.heard.text, "the rest");
  EXPECT_FALSE(pair.at_client.heard.error);
}

TEST(Tls, WaitsWithItsWordsForTheRestOfATicket) {
  TlsTerms terms;
  terms.client.verify = config::Verify::off;
  TlsSides sides(terms);
  std::string label(60, 'a'), protocol(250, 'p'), name = label + "." + label + "." + label + ".example";
  TlsConversation conversation(sides, {.capacity = 600}, name, {protocol}, {protocol});
  SSL_set_max_send_fragment(&conversation.server->ssl(), 512);
  conversation.scope().spawn(shake(*conversation.server, conversation.at_server));
  conversation.scope().spawn(shake(*conversation.client, conversation.at_client));
  ASSERT_TRUE(conversation.turn([&] { return conversation.at_client.greeted(); }));
  for (int i = 0; i < 5; ++i) conversation.reactor().turn(Duration::zero());
  EXPECT_FALSE(conversation.at_server.handshake) << "it has not sent all of its ticket";
  std::array<std::byte, 100> room{};
  ASSERT_EQ(conversation.client->read_some(room)->bytes, 0u);
  auto written = conversation.client->write_some(as_bytes("up"));
  ASSERT_TRUE(written) << words(written.error());
  EXPECT_EQ(*written, 0u);
  Heard heard, answer;
  conversation.scope().spawn(hear(*conversation.client, answer));
  conversation.scope().spawn(say(*conversation.client, "up", true));
  ASSERT_TRUE(conversation.turn([&] { return conversation.at_server.greeted(); }));
  conversation.scope().spawn(hear(*conversation.server, heard));
  conversation.turn([&] { return heard.ended; });
  EXPECT_EQ(heard.text, "up");
}

TEST(Tls, DoesNotRenegotiate) {
  TlsTerms terms;
  terms.client.max_version = config::TlsVersion::tls1_2;
  TlsSides sides(terms);
  TlsConversation conversation(sides);
  ASSERT_TRUE(conversation.greet());
  SSL_clear_options(&conversation.client->ssl(), SSL_OP_NO_RENEGOTIATION);
  Heard heard;
  conversation.scope().spawn(hear(*conversation.server, heard));
  ASSERT_EQ(SSL_renegotiate(&conversation.client->ssl()), 1);
  SSL_do_handshake(&conversation.client->ssl());
  (void)conversation.client->write_some({});
  std::array<std::byte, 100> room{};
  bool refused = conversation.turn([&] { return !conversation.client->read_some(room).has_value(); });
  EXPECT_TRUE(refused);
}

// The peer takes all at once, and says something that is read before the kernel tells of the room.
TEST(Tls, IsWritableAgainAfterWhatWasSealedHasGoneWithARead) {
  OverSockets pair;
  ASSERT_TRUE(pair.greet());

  std::string text = long_text(1'000'000);
  std::vector<std::byte> room(1'000'000);
  while (pair.server->writable()) ASSERT_TRUE(pair.server->write_some(as_bytes(text)));
  ASSERT_EQ(*pair.client->write_some(as_bytes("x")), 1u);
  turn_until(pair.reactor, pair.clock, [&] { return false; }, 10);
  ASSERT_FALSE(pair.server->writable());
  ASSERT_TRUE(pair.server->readable());
  while (pair.client->readable() && pair.client->read_some(room)->bytes > 0) continue;
  EXPECT_EQ(pair.server->read_some(room)->bytes, 1u);
  EXPECT_TRUE(turn_until(pair.reactor, pair.clock, [&] { return pair.server->writable(); }, 100));
}

}  // namespace
}  // namespace lockgate::stories
