#include "stories/tls_pair.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <map>

#include "base/check.h"

namespace lockgate::stories {

tls::SharedIdentity made_identity(const std::vector<std::string>& names, tls::KeyKind kind) {
  static std::map<std::string, tls::SharedIdentity> made;
  auto& identity = made[fmt::format("{} {}", int(kind), names)];
  if (identity) return identity;
  auto pem = tls::self_signed(names, kind, SystemClock().wall());
  CHECK(pem);
  auto parsed = tls::parse_pem(pem->document, pem->key.text(), "");
  CHECK(parsed);
  identity = *parsed;
  return identity;
}

tls::OwnedStore trust_in(const tls::Identity& identity) {
  tls::OwnedStore store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), identity.certificate.get());
  return store;
}

TlsSides::TlsSides(const TlsTerms& terms) {
  change_server(terms);
  tls::OwnedStore store(X509_STORE_new());
  for (const auto& identity : terms.identities) X509_STORE_add_cert(store.get(), identity->certificate.get());
  auto client = tls::ClientSide::make(client_library_, terms.client, terms.client_identity, store.get());
  if (!client) ADD_FAILURE() << client.error();
  client_ = *client;
}

void TlsSides::change_server(const TlsTerms& terms) {
  auto server = tls::ServerSide::make(server_library_, {.tls = terms.server,
                                                        .identities = terms.identities,
                                                        .tickets = terms.tickets,
                                                        .policy = terms.policy,
                                                        .staples = terms.staples,
                                                        .clock = clock_});
  if (!server) ADD_FAILURE() << server.error();
  server_ = *server;
}

std::unique_ptr<tls::TlsStream> TlsSides::server(net::AnyStream under, const std::string& name,
                                                 const std::vector<std::string>& alpn, Bytes seen) {
  return std::make_unique<tls::TlsStream>(
      std::move(under),
      tls::TlsStream::Start{.ssl = server_->answer(name), .seen = seen, .alpn = tls::alpn_list(alpn)},
      server_scratch_);
}

std::unique_ptr<tls::TlsStream> TlsSides::client(net::AnyStream under, const std::string& name,
                                                 const std::vector<std::string>& alpn) {
  std::string offered = tls::alpn_list(alpn);
  auto start =
      client_->call({.endpoint = "endpoint", .host = name, .client_name = "", .client_alpn = offered});
  return std::make_unique<tls::TlsStream>(std::move(under), std::move(start), client_scratch_);
}

}  // namespace lockgate::stories
