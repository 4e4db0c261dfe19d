// TLS between memory streams: whatever the sizes of the pieces, and whatever goes wrong.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <optional>

#include "net/made_sockets.h"
#include "stories/tls_conversation.h"
#include "tls/made_certificate.h"
#include "tls/ocsp.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;
using tls::TlsStream;

struct Pieces {
  const char* name;
  Manner manner;
};
class TlsInPieces : public testing::TestWithParam<Pieces> {};

TEST_P(TlsInPieces, CarriesEverythingBothWaysAndTheEnd) {
  TlsSides sides({});
  std::string up = long_text(100'000), down = long_text(300'000);
  TlsConversation conversation(sides, GetParam().manner);
  ASSERT_TRUE(conversation.talk(up, down));
  EXPECT_TRUE(conversation.at_server.heard.text == up);
  EXPECT_TRUE(conversation.at_client.heard.text == down);
  EXPECT_TRUE(conversation.at_server.heard.ended);
  EXPECT_TRUE(conversation.at_client.heard.ended);
}

INSTANTIATE_TEST_SUITE_P(Sizes, TlsInPieces,
                         testing::Values(Pieces{"whole", {}}, Pieces{"of_37_bytes", {37, 41, 64 * 1024}},
                                         Pieces{"of_some_thousands", {5'000, 3'000, 64 * 1024}},
                                         Pieces{"through_a_narrow_pipe", {SIZE_MAX, SIZE_MAX, 700}}),
                         [](const auto& test) { return test.param.name; });

TEST(Tls, CarriesAShortConversationByteByByte) {
  TlsSides sides({});
  TlsConversation conversation(sides, {.most_read = 1, .most_written = 1, .capacity = 1});
  ASSERT_TRUE(conversation.talk("up", "down"));
  EXPECT_EQ(conversation.at_server.heard.text, "up");
  EXPECT_EQ(conversation.at_client.heard.text, "down");
}

TEST(Tls, AgreesOnTheNewestVersionAndTellsWhatItIs) {
  TlsSides sides({});
  TlsConversation conversation(sides, {}, "www.example.com", {"imap", "h2"}, {"h2"});
  ASSERT_TRUE(conversation.greet());
  ASSERT_TRUE(conversation.at_server.greeted() && conversation.at_client.greeted());
  for (const TlsStream* stream : {conversation.server.get(), conversation.client.get()}) {
    auto session = stream->session();
    EXPECT_EQ(session.version, 0x0304);
    EXPECT_EQ(session.cipher, "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(session.group, "x25519");
    EXPECT_EQ(session.signature, "ecdsa_sha256");
    EXPECT_EQ(session.alpn, "h2");
    EXPECT_FALSE(session.resumed);
  }
  EXPECT_EQ(conversation.client->session().peer_subject, "CN=www.example.com");
  EXPECT_EQ(conversation.client->session().peer_serial, conversation.server->session().own_serial);
  EXPECT_EQ(conversation.server->session().peer_subject, "");
}

TEST(Tls, ChoosesTheCertificateByNameAndByTheKeyThatTheClientCanDo) {
  TlsTerms terms;
  terms.identities = {made_identity({"www.example.com"}, tls::KeyKind::rsa),
                      made_identity({"www.example.com"}), made_identity({"*.example.net"})};
  terms.client.max_version = config::TlsVersion::tls1_2;
  terms.client.verify = config::Verify::chain;
  auto signature = [&](const std::string& name) {
    TlsSides sides(terms);
    TlsConversation conversation(sides, {}, name);
    EXPECT_TRUE(conversation.greet());
    auto session = conversation.client->session();
    return session.peer_subject + " " + std::string(session.signature);
  };
  EXPECT_EQ(signature("www.example.com"), "CN=www.example.com ecdsa_sha256");
  EXPECT_EQ(signature("mail.example.net"), "CN=*.example.net ecdsa_sha256");
  terms.identities.push_back(made_identity({"mail.example.net"}));
  EXPECT_EQ(signature("mail.example.net"), "CN=mail.example.net ecdsa_sha256");
  EXPECT_EQ(signature("web.example.net"), "CN=*.example.net ecdsa_sha256");
  EXPECT_EQ(signature("unknown.example.org"), "CN=www.example.com ecdsa_sha256");
  terms.client.ciphers = {"ECDHE-RSA-AES128-GCM-SHA256"};
  EXPECT_EQ(signature("www.example.com"), "CN=www.example.com rsa_pss_sha256");
}

TEST(Tls, ServesTheOldestClientsWithTheLegacyProfileAndWithNoOther) {
  for (bool legacy : {true, false}) {
    TlsTerms terms;
    terms.identities = {made_identity({"www.example.com"}, tls::KeyKind::rsa)};
    terms.client.profile = config::TlsProfile::legacy;
    terms.client.max_version = config::TlsVersion::tls1_0;
    terms.client.ciphers = {"AES128-SHA"};  // RSA key exchange
    if (legacy) terms.server.profile = config::TlsProfile::legacy;
    TlsSides sides(terms);
    TlsConversation conversation(sides);
    ASSERT_TRUE(conversation.greet());
    ASSERT_EQ(conversation.at_server.greeted(), legacy);
    if (!legacy) {
      EXPECT_EQ(words(conversation.at_server.handshake->error()),
                "shaking hands: handshake (unsupported protocol)");
      EXPECT_EQ(words(conversation.at_client.handshake->error()),
                "shaking hands: handshake (the peer's alert 70, protocol_version)");
      EXPECT_TRUE(conversation.server->alert()->sent);
      continue;
    }
    EXPECT_EQ(conversation.server->session().version, 0x0301);
    EXPECT_EQ(conversation.server->session().cipher, "TLS_RSA_WITH_AES_128_CBC_SHA");
    EXPECT_EQ(conversation.server->session().group, "");
    EXPECT_EQ(conversation.server->session().signature, "");
    EXPECT_EQ(conversation.client->session().signature, "");
  }
}

TEST(Tls, TellsWhichCertificateDoesNotHoldAndWhy) {
  TlsTerms terms;
  TlsSides sides(terms);
  terms.identities = {made_identity({"other.example.com"})};
  sides.change_server(terms);
  TlsConversation conversation(sides);
  ASSERT_TRUE(conversation.greet());
  EXPECT_EQ(words(conversation.at_client.handshake->error()),
            "shaking hands: untrusted (self-signed certificate)");
  EXPECT_EQ(conversation.client->untrusted(),
            "the certificate of CN=other.example.com, issued by CN=other.example.com");
  EXPECT_EQ(words(conversation.at_server.handshake->error()),
            "shaking hands: handshake (the peer's alert 48, unknown_ca)");
  EXPECT_FALSE(conversation.server->alert()->sent);
}

// As when a private authority was made anew, and the client still trusts the old one of the same name.
TEST(Tls, TellsThatASignatureDoesNotHold) {
  namespace made = tls::made;
  made::Wish wish{.common_name = "Authority", .authority = true, .from_day = -3000, .until_day = 3000};
  auto old = made::certificate(wish), anew = made::certificate(wish);
  wish.common_name = "www.example.com", wish.names = "DNS:www.example.com", wish.authority = false;
  auto leaf = made::certificate(wish, &anew);
  TlsTerms terms;
  terms.identities = {*tls::parse_pem(made::pem(old), made::key_pem(old), "")};
  TlsSides sides(terms);
  terms.identities = {*tls::parse_pem(made::pem(leaf), made::key_pem(leaf), "")};
  sides.change_server(terms);
  TlsConversation conversation(sides);
  ASSERT_TRUE(conversation.greet());
  EXPECT_EQ(words(conversation.at_client.handshake->error()),
            "shaking hands: untrusted (certificate signature failure)");
  EXPECT_EQ(conversation.client->untrusted(),
            "the certificate of CN=www.example.com, issued by CN=Authority");
}

TEST(Tls, RefusesACertificateOfAnotherName) {
  TlsTerms terms;
  terms.identities = {made_identity({"other.example.com"})};
  TlsSides sides(terms);
  TlsConversation conversation(sides);
  ASSERT_TRUE(conversation.greet());
  EXPECT_EQ(words(conversation.at_client.handshake->error()), "shaking hands: untrusted (hostname mismatch)");
}

bool wants_a_name(SSL* ssl) {
  X509_VERIFY_PARAM* terms = SSL_get0_param(ssl);
  char* address = X509_VERIFY_PARAM_get1_ip_asc(terms);
  bool wanted = address || X509_VERIFY_PARAM_get0_host(terms, 0);
  OPENSSL_free(address);
  return wanted;
}

TEST(Tls, VerifiesNoNameOnTrialThatOnlyAClientCouldBring) {
  for (std::string server_name : {"auto", "carry", "off", "other.example.com"}) {
    TlsTerms terms;
    terms.client.server_name = server_name;
    TlsSides sides(terms);
    for (bool on_trial : {true, false}) {
      auto start = sides.client_side().call({.endpoint = "endpoint",
                                             .host = "192.0.2.1",
                                             .client_name = {},
                                             .client_alpn = {},
                                             .on_trial = on_trial});
      bool named_by_client = server_name == "auto" || server_name == "carry";
      EXPECT_EQ(wants_a_name(start.ssl.get()), !on_trial || !named_by_client) << server_name;
    }
  }
}

TEST(Tls, TakesOnlyTheKeysThatArePinned) {
  for (bool right : {true, false}) {
    TlsTerms terms;
    terms.client.verify = config::Verify::off;
    terms.client.pins = {
        tls::pin_of((right ? terms.identities[0] : made_identity({"x"}))->certificate.get())};
    TlsSides sides(terms);
    TlsConversation conversation(sides);
    ASSERT_TRUE(conversation.greet());
    EXPECT_EQ(sides.client_side().is_pinned(*conversation.client), right);
  }
}

// A file with the certificate of an identity.
std::string file_of(const tls::Identity& identity, const char* name) {
  auto path = fmt::format("{}tls_story_{}.{}.pem", testing::TempDir(), name, ::getpid());
  std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new_file(path.c_str(), "w"), BIO_free_all);
  PEM_write_bio_X509(out.get(), identity.certificate.get());
  return path;
}

// What a client with `identity` gets of a server that asks for one.
Fared knock(config::AskCertificate ask, const tls::SharedIdentity& identity, std::string* subject = nullptr) {
  static const std::string ca_file = file_of(*made_identity({"client"}), "client");
  TlsTerms terms;
  terms.server.client_certificate = {.ask = ask, .ca_file = ca_file};
  terms.client_identity = identity;
  TlsSides sides(terms);
  TlsConversation conversation(sides);
  EXPECT_TRUE(conversation.greet());
  if (subject) *subject = conversation.server->session().peer_subject;
  return conversation.at_server;
}

TEST(Tls, AsksClientsForACertificate) {
  using config::AskCertificate;
  auto trusted = made_identity({"client"}), stranger = made_identity({"stranger"});
  std::string subject;
  EXPECT_TRUE(knock(AskCertificate::none, trusted, &subject).greeted());
  EXPECT_EQ(subject, "");
  EXPECT_TRUE(knock(AskCertificate::optional, nullptr, &subject).greeted());
  EXPECT_EQ(subject, "");
  EXPECT_TRUE(knock(AskCertificate::optional, trusted, &subject).greeted());
  EXPECT_EQ(subject, "CN=client");
  EXPECT_EQ(knock(AskCertificate::optional, stranger).code(), Errc::untrusted);
  EXPECT_TRUE(knock(AskCertificate::required, trusted).greeted());
  EXPECT_EQ(knock(AskCertificate::required, stranger).code(), Errc::untrusted);
  EXPECT_EQ(words(knock(AskCertificate::required, nullptr).handshake->error()),
            "shaking hands: handshake (peer did not return a certificate)");
}

// Whether a client that comes back is known again.
bool comes_back(TlsSides& sides) {
  TlsConversation conversation(sides);
  EXPECT_TRUE(conversation.talk("up", "down"));
  return conversation.server->session().resumed && conversation.client->session().resumed;
}

TEST(Tls, ResumesSessionsWithTicketsThatAllWorkersOpen) {
  for (auto version : {config::TlsVersion::tls1_2, config::TlsVersion::tls1_3}) {
    TlsTerms terms;
    terms.client.max_version = version;
    SCOPED_TRACE(int(version));
    TlsSides sides(terms);
    EXPECT_FALSE(comes_back(sides));
    EXPECT_TRUE(comes_back(sides));
    sides.change_server(terms);  // another worker
    EXPECT_TRUE(comes_back(sides));
    terms.tickets = tls::TicketKeys::fresh(terms.tickets.get());
    sides.change_server(terms);
    EXPECT_TRUE(comes_back(sides)) << "the key was changed, and the old one still opens";
    comes_back(sides);  // libssl's client does not tell of a ticket that was renewed before TLS 1.3
    EXPECT_TRUE(comes_back(sides));
    terms.tickets = tls::TicketKeys::fresh(nullptr);
    sides.change_server(terms);
    EXPECT_FALSE(comes_back(sides)) << "these keys open nothing of before";
    EXPECT_TRUE(comes_back(sides));
    terms.policy = "another site";
    sides.change_server(terms);
    EXPECT_FALSE(comes_back(sides)) << "what one site gave is no use at another";
  }
}

TEST(Tls, LetsNoSessionOutliveTheClientsCertificate) {
  auto made = tls::self_signed({"client"}, tls::KeyKind::ecdsa, SystemClock().wall(), 1);
  TlsTerms terms;
  terms.client_identity = tls::parse_pem(made->document, made->key.text(), "").value();
  terms.server.client_certificate = {.ask = config::AskCertificate::required,
                                     .ca_file = file_of(*terms.client_identity, "day")};
  terms.server.tickets.lifetime = 72h;
  terms.server.session_cache = 10;
  auto keys = tls::TicketKeys::fresh(nullptr);
  using config::TlsVersion;
  for (const auto& [version, tickets] :
       {std::pair{TlsVersion::tls1_2, keys}, {TlsVersion::tls1_3, keys}, {TlsVersion::tls1_2, nullptr}}) {
    SCOPED_TRACE(fmt::format("{} {}", int(version), tickets != nullptr));
    terms.client.max_version = version;
    terms.tickets = tickets;
    TlsSides sides(terms);
    for (bool comes_back : {false, true, true}) {
      TlsConversation conversation(sides);
      EXPECT_TRUE(conversation.talk("up", "down"));
      EXPECT_EQ(conversation.server->session().resumed, comes_back);
      SSL_SESSION* session = SSL_get_session(&conversation.server->ssl());
      EXPECT_LE(SSL_SESSION_get_timeout(session), 86'400);
      EXPECT_GT(SSL_SESSION_get_timeout(session), 86'000);
    }
  }
}

TEST(Tls, GivesNoTicketsWhereTheyAreOff) {
  TlsTerms terms;
  terms.tickets = nullptr;
  TlsSides sides(terms);
  EXPECT_FALSE(comes_back(sides));
  EXPECT_FALSE(comes_back(sides));
}

TEST(Tls, KeepsSessionsForClientsWithoutTickets) {
  for (std::uint32_t cache : {0U, 100U}) {
    TlsTerms terms;
    terms.tickets = nullptr;
    terms.server.session_cache = cache;
    terms.client.max_version = config::TlsVersion::tls1_2;
    TlsSides sides(terms);
    EXPECT_FALSE(comes_back(sides));
    EXPECT_EQ(comes_back(sides), cache > 0);
  }
}

// The staple that a client gets, who may ask for one.
std::string staple_for_client(TlsSides& sides, bool asks) {
  TlsConversation conversation(sides);
  SSL& client = conversation.client->ssl();
  if (asks) SSL_set_tlsext_status_type(&client, TLSEXT_STATUSTYPE_ocsp);
  EXPECT_TRUE(conversation.talk("up", "down"));
  EXPECT_TRUE(conversation.at_server.greeted() && conversation.at_client.greeted());
  unsigned char* staple = nullptr;
  long size = SSL_get_tlsext_status_ocsp_resp(&client, static_cast<void*>(&staple));
  return size > 0 ? std::string(reinterpret_cast<char*>(staple), static_cast<std::size_t>(size)) : "";
}

TEST(Tls, StaplesTheIssuersAnswerForClientsThatAsk) {
  auto rsa = made_identity({"www.example.com"}, tls::KeyKind::rsa),
       ecdsa = made_identity({"www.example.com"});
  for (auto version : {config::TlsVersion::tls1_2, config::TlsVersion::tls1_3}) {
    SCOPED_TRACE(int(version));
    TlsTerms terms;
    terms.tickets = nullptr;
    terms.identities = {rsa, ecdsa};
    terms.client.max_version = version;
    terms.client.signature_algorithms = {"ECDSA+SHA256", "RSA-PSS+SHA256"};
    auto answer = std::make_shared<tls::Staple>("of ECDSA", INT64_MAX);
    terms.staples = {{rsa->fingerprint, std::make_shared<tls::Staple>("of RSA", INT64_MAX)},
                     {ecdsa->fingerprint, answer}};
    TlsSides sides(terms);
    EXPECT_EQ(staple_for_client(sides, true), "of ECDSA");
    EXPECT_EQ(staple_for_client(sides, false), "");
    answer->answer = std::string(tls::kLargestStaple, 'x');
    EXPECT_EQ(staple_for_client(sides, true), answer->answer) << "what it is now";
    answer->answer.clear();
    EXPECT_EQ(staple_for_client(sides, true), "") << "it was taken back";
    terms.client.signature_algorithms = {"RSA-PSS+SHA256"};
    EXPECT_EQ(staple_for_client(*std::make_unique<TlsSides>(terms), true), "of RSA");
    terms.server.ocsp_stapling = false;
    EXPECT_EQ(staple_for_client(*std::make_unique<TlsSides>(terms), true), "");
  }
}

TEST(Tls, StaplesNoAnswerThatHasExpiredThoughNobodyTookItBack) {
  TlsTerms terms;
  terms.tickets = nullptr;
  auto staple = std::make_shared<tls::Staple>("still good");
  terms.staples = {{terms.identities.front()->fingerprint, staple}};
  TlsSides sides(terms);
  staple->good_until = sides.clock().wall() + 1'000'000'000;
  EXPECT_EQ(staple_for_client(sides, true), "still good");
  sides.clock().advance(1s);
  EXPECT_EQ(staple_for_client(sides, true), "");
}

TEST(Tls, RefusesAClientThatSharesNoProtocol) {
  TlsSides sides({});
  TlsConversation conversation(sides, {}, "www.example.com", {"imap"}, {"h2", "http/1.1"});
  ASSERT_TRUE(conversation.greet());
  EXPECT_EQ(words(conversation.at_client.handshake->error()),
            "shaking hands: handshake (the peer's alert 120, no_application_protocol)");
}

TEST(Tls, TellsWhateverFailsBelow) {
  TlsSides sides({});
  Manner manner{.most_read = 300, .most_written = 300};
  auto operations = [&] {
    TlsConversation conversation(sides, manner);
    EXPECT_TRUE(conversation.talk("up", "down"));
    return conversation.faults().counted();
  }();
  ASSERT_GT(operations, 6);
  for (int nth = 0; nth < operations; ++nth) {
    SCOPED_TRACE(nth);
    TlsConversation conversation(sides, manner);
    conversation.faults().fail(nth, {.code = Errc::reset, .doing = "testing"});
    conversation.talk("up", "down");
    if (!conversation.faults().struck()) continue;  // signatures, and so pieces, differ in length
    ASSERT_TRUE(conversation.at_server.handshake);
    if (!conversation.at_server.greeted()) {
      EXPECT_EQ(conversation.at_server.code(), Errc::reset);
    } else if (conversation.faults().struck()->operation == Operation::read) {
      ASSERT_TRUE(conversation.at_server.heard.error);
      EXPECT_EQ(conversation.at_server.heard.error->code, Errc::reset);
    }
  }
}

TEST(Tls, TimesOutWhereverTheHandshakeStalls) {
  TlsSides sides({});
  Manner manner{.most_read = 300, .most_written = 300};
  auto operations = [&] {
    TlsConversation conversation(sides, manner);
    EXPECT_TRUE(conversation.greet());
    return conversation.faults().counted();
  }();
  for (int nth = 0; nth < operations; ++nth) {
    SCOPED_TRACE(nth);
    TlsConversation conversation(sides, manner);
    conversation.faults().block(nth);
    ASSERT_TRUE(conversation.greet(1ms));
    if (!conversation.faults().struck()) continue;
    EXPECT_EQ(conversation.at_server.code(), Errc::timed_out);
  }
}

TEST(Tls, CanBeDestroyedAtAnyTime) {
  TlsSides sides({});
  for (int turns = 0; turns < 60; ++turns) {
    int live = 0;
    {
      TlsConversation conversation(sides, {.most_read = 200, .most_written = 200});
      conversation.scope().spawn(shake(*conversation.server, conversation.at_server));
      conversation.scope().spawn(shake(*conversation.client, conversation.at_client));
      for (int i = 0; i < turns; ++i) conversation.reactor().turn(Duration::zero());
      conversation.end();
      conversation.server.reset();
      conversation.client.reset();
      live = conversation.live();
    }
    EXPECT_EQ(live, 0) << turns;
  }
}

}  // namespace
}  // namespace lockgate::stories
