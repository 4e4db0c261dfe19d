// RAND_METHOD is old, and the one thing that all library contexts draw from.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls_couple.h"

#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/check.h"
#include "tls/made_folder.h"
#include "tls/self_signed.h"

namespace lockgate::fuzz {
namespace {

using config::AskCertificate;
using config::TlsProfile;
using config::TlsVersion;
using config::Verify;
using tls::KeyKind;
using tls::SharedIdentity;

constexpr WallTime kMade = 1'735'689'600'000'000'000;  // 2025-01-01
constexpr int kManyDays = 30'000;                      // certificates and tickets outlive every corpus
constexpr std::uint64_t kSeed = 0x6c6f'636b'6761'7465;

std::uint64_t random_state = kSeed;

// SplitMix64, for which any state is a good one.
std::uint64_t next_random() {
  std::uint64_t mixed = random_state += 0x9e37'79b9'7f4a'7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58'476d'1ce4'e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d0'49bb'1331'11eb;
  return mixed ^ mixed >> 31;
}

int fill(unsigned char* bytes, int size) {
  for (int i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(next_random());
  return 1;
}

void use_same_random() {
  static const RAND_METHOD method{
      .seed = nullptr, .bytes = fill, .cleanup = nullptr, .add = nullptr, .pseudorand = fill, .status = [] {
        return 1;
      }};
  CHECK(RAND_set_rand_method(&method) == 1);
}

struct Made {
  SharedIdentity identity;
  std::string document;
};

Made made_for(const std::string& name, KeyKind kind) {
  auto pem = tls::self_signed({name}, kind, kMade, kManyDays);
  CHECK(pem);
  auto identity = tls::parse_pem(pem->document, pem->key.text(), "");
  CHECK(identity);
  return {*identity, pem->document};
}

// What couples are made of.
struct Stock {
  SharedIdentity ecdsa = made_for(kName, KeyKind::ecdsa).identity;
  SharedIdentity rsa = made_for(kName, KeyKind::rsa).identity;
  Made client = made_for("client.example", KeyKind::ecdsa);
  std::shared_ptr<const tls::TicketKeys> tickets = tls::TicketKeys::fresh(nullptr);
};

struct Terms {
  config::TlsServer server = {};
  config::TlsClient client = {};
  std::vector<SharedIdentity> identities;
  SharedIdentity shown = {};  // by the client
  std::shared_ptr<const tls::TicketKeys> tickets = {};
  bool trusts = true;
  std::uint16_t version = 0x0304;
};

Couple couple_of(Terms terms) {
  tls::OwnedStore trust(X509_STORE_new());
  CHECK(trust);
  for (const auto& identity : terms.identities) {
    if (terms.trusts) CHECK(X509_STORE_add_cert(trust.get(), identity->certificate.get()) == 1);
  }
  terms.server.tickets.lifetime = std::chrono::hours(24) * kManyDays;
  static const ManualClock clock;
  auto server = tls::ServerSide::make(servers_quarters().library, {.tls = terms.server,
                                                                   .identities = terms.identities,
                                                                   .tickets = terms.tickets,
                                                                   .policy = "site",
                                                                   .clock = clock});
  CHECK(server);
  return {.server = *server,
          .client = terms.client,
          .shown = terms.shown,
          .trust = std::move(trust),
          .version = terms.trusts ? terms.version : std::uint16_t{0}};
}

Terms usual(const Stock& stock) { return {.identities = {stock.ecdsa, stock.rsa}, .tickets = stock.tickets}; }

Terms up_to(TlsVersion version, std::uint16_t number, Terms terms) {
  terms.client.max_version = version;
  terms.version = number;
  return terms;
}

// The server's one group is not the one for which the client has a share ready.
Terms with_retry(Terms terms) {
  terms.client.groups = {"X25519", "P-256"};
  terms.server.groups = {"P-256"};
  return terms;
}

Terms with_client_certificate(Terms terms, const Stock& stock, const std::string& ca_file) {
  terms.server.client_certificate = {.ask = AskCertificate::required, .ca_file = ca_file};
  terms.shown = stock.client.identity;
  return terms;
}

// The client goes on whatever certificate it is shown.
Terms trusting_all(Terms terms) {
  terms.client.verify = Verify::off;
  return terms;
}

Terms trusting_nobody(Terms terms) {
  terms.trusts = false;
  return terms;
}

// TLS 1.0 with RSA key exchange and CBC, and sessions that the server keeps.
Terms old(const Stock& stock) {
  Terms terms{.identities = {stock.rsa}};
  terms.server.profile = terms.client.profile = TlsProfile::legacy;
  terms.server.session_cache = 8;
  terms.client.ciphers = {"AES128-SHA"};
  return up_to(TlsVersion::tls1_0, 0x0301, std::move(terms));
}

// The longest key exchange of TLS 1.2.
Terms finite_field(const Stock& stock) {
  Terms terms{.identities = {stock.rsa}, .tickets = stock.tickets};
  terms.server.dh_parameters = "auto";
  terms.client.ciphers = {"DHE-RSA-AES256-GCM-SHA384"};
  return up_to(TlsVersion::tls1_2, 0x0303, std::move(terms));
}

std::vector<Couple> make_couples() {
  Stock stock;
  tls::made::Folder folder;
  std::string ca_file = folder.file("ca.pem", stock.client.document);
  auto tls12 = [&](Terms terms) { return up_to(TlsVersion::tls1_2, 0x0303, std::move(terms)); };
  std::vector<Couple> made;
  made.push_back(couple_of(usual(stock)));
  made.push_back(couple_of(tls12(usual(stock))));
  made.push_back(couple_of(with_client_certificate(usual(stock), stock, ca_file)));
  made.push_back(couple_of(tls12(with_client_certificate(usual(stock), stock, ca_file))));
  made.push_back(couple_of(with_retry(usual(stock))));
  made.push_back(couple_of(old(stock)));
  made.push_back(couple_of(trusting_all(usual(stock))));
  made.push_back(couple_of(tls12(trusting_all(usual(stock)))));
  made.push_back(couple_of(trusting_nobody(usual(stock))));
  made.push_back(couple_of(tls12(trusting_nobody(usual(stock)))));
  made.push_back(couple_of(finite_field(stock)));
  return made;
}

}  // namespace

std::shared_ptr<tls::ClientSide> Couple::new_client() const {
  auto made = tls::ClientSide::make(clients_quarters().library, client, shown, trust.get());
  CHECK(made);
  return *made;
}

Quarters& clients_quarters() {
  static Quarters quarters;
  return quarters;
}

Quarters& servers_quarters() {
  static Quarters quarters;
  return quarters;
}

const std::vector<Couple>& couples() {
  static const std::vector<Couple> made = [] {
    use_same_random();
    return make_couples();
  }();
  return made;
}

// Not the numbers of which the keys were made.
void repeat_random() { random_state = ~kSeed; }

}  // namespace lockgate::fuzz
