#include "tls/server_side.h"

#include <fmt/core.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/digest.h"
#include "tls/files.h"
#include "tls/verify.h"

namespace lockgate::tls {
namespace {

using std::unexpected;
using Set = std::vector<const Identity*>;  // one of each kind at the most, in order of preference

bool has(const Identity& identity, const std::string& name) {
  return std::ranges::find(identity.names, name) != identity.names.end();
}

// Who has the name itself goes before who has a wildcard for it.
Set set_for(const std::vector<SharedIdentity>& identities, const std::string& name) {
  Set set;
  for (bool itself : {true, false}) {
    for (const auto& identity : identities) {
      bool has_kind = std::ranges::find(set, identity->kind, &Identity::kind) != set.end();
      bool fits = itself ? has(*identity, name) : covers(*identity, name);
      if (!has_kind && fits) set.push_back(identity.get());
    }
  }
  return set;
}

Outcome<void> use_dh(SSL_CTX* context, const std::string& parameters, const Library& library) {
  if (parameters == "none") return {};
  if (parameters == "auto") {
    SSL_CTX_set_dh_auto(context, 1);
    return {};
  }
  auto text = read_file(parameters);
  if (!text) return unexpected(text.error());
  Owned<BIO, BIO_free_all> in(BIO_new_mem_buf(text->text().data(), static_cast<int>(text->text().size())));
  EVP_PKEY* key = PEM_read_bio_Parameters_ex(in.get(), nullptr, library.handle(), nullptr);
  if (key && SSL_CTX_set0_tmp_dh_pkey(context, key) == 1) return {};
  EVP_PKEY_free(key);
  return unexpected(
      fmt::format("{} cannot be used as DH parameters: {} (make them with `openssl dhparam -out {} 2048`)",
                  parameters, why(), parameters));
}

Outcome<void> ask_certificate(SSL_CTX* context, const config::ClientCertificate& wanted,
                              const Library& library) {
  if (wanted.ask == config::AskCertificate::none) return {};
  auto trust = read_trust(library, wanted.ca_file);
  if (!trust) return unexpected(trust.error());
  if (!wanted.crl_file.empty()) {
    auto added = add_revocations(**trust, library, wanted.crl_file);
    if (!added) return added;
  }
  SSL_CTX_set_cert_store(context, trust->release());
  SSL_CTX_set_client_CA_list(context,
                             SSL_load_client_CA_file_ex(wanted.ca_file.c_str(), library.handle(), nullptr));
  SSL_CTX_set_verify_depth(context, static_cast<int>(wanted.depth));
  verify_peer(*context, wanted.ask == config::AskCertificate::required);
  end_sessions_with_certificates(*context);
  return {};
}

void resume(SSL_CTX* context, const ServerTerms& terms) {
  auto policy = sha256(as_bytes(terms.policy));
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(policy.data()),
                                 policy.size());
  SSL_CTX_set_timeout(context,
                      std::chrono::duration_cast<std::chrono::seconds>(terms.tls.tickets.lifetime).count());
  // OpenSSL gives two tickets; one more costs every handshake and serves nobody who comes back one at a time.
  bool gives_tickets = terms.tickets && terms.resumes;
  SSL_CTX_set_num_tickets(context, gives_tickets ? 1 : 0);
  if (gives_tickets)
    use_tickets(*context, terms.tickets);
  else
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (terms.tls.session_cache == 0 || !terms.resumes) return;
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context, static_cast<long>(terms.tls.session_cache));
}

int choose_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                unsigned int offered_size, void*) {
  const std::string& ours = wire_of(*ssl).alpn;
  if (ours.empty()) return SSL_TLSEXT_ERR_NOACK;
  unsigned char* out = nullptr;
  int outcome = SSL_select_next_proto(&out, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                      static_cast<unsigned int>(ours.size()), offered, offered_size);
  *chosen = out;
  // RFC 7301, 3.2: who shares no protocol with the client says so.
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// The site was chosen by the hello already; this has libssl tell the client that its name was heeded (RFC
// 6066, 3).
int heed_name(SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; }

void write_key_log(const SSL* ssl, const char* line) {
  if (const KeyLog& key_log = wire_of(*ssl).key_log) key_log(line);
}

Outcome<OwnedContext> context_for(const Set& set, const Library& library, const ServerTerms& terms) {
  auto made = make_context(library, End::server, terms.tls);
  if (!made) return made;
  SSL_CTX* context = made->get();
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  for (const Identity* identity : set) {
    if (auto shown = show(*context, library, *identity); !shown) return unexpected(shown.error());
  }
  if (auto used = use_dh(context, terms.tls.dh_parameters, library); !used) return unexpected(used.error());
  auto asked = ask_certificate(context, terms.tls.client_certificate, library);
  if (!asked) return unexpected(asked.error());
  resume(context, terms);
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, heed_name);
  if (!terms.tls.key_log.to.empty()) SSL_CTX_set_keylog_callback(context, write_key_log);
  return made;
}

}  // namespace

bool covers(const Identity& identity, const std::string& name) {
  auto dot = name.find('.');
  return has(identity, name) ||
         (dot != std::string::npos && !name.starts_with("*.") && has(identity, "*" + name.substr(dot)));
}

Outcome<std::shared_ptr<const ServerSide>> ServerSide::make(const Library& library,
                                                            const ServerTerms& terms) {
  CHECK(!terms.identities.empty());
  auto side = std::make_shared<ServerSide>(terms.clock);
  std::map<Set, std::uint32_t> made;
  auto number_of = [&](const Set& set) -> Outcome<std::uint32_t> {
    if (auto known = made.find(set); known != made.end()) return known->second;
    auto context = context_for(set, library, terms);
    if (!context) return unexpected(context.error());
    if (terms.tls.ocsp_stapling) side->staple(**context, terms);
    side->contexts_.push_back(std::move(*context));
    return made.emplace(set, static_cast<std::uint32_t>(side->contexts_.size() - 1)).first->second;
  };
  const Identity& first = *terms.identities.front();
  Set fallback = first.names.empty() ? Set{&first} : set_for(terms.identities, first.names.front());
  auto number = number_of(fallback);
  if (!number) return unexpected(number.error());
  for (const auto& identity : terms.identities) {
    for (const std::string& name : identity->names) {
      auto pattern = NamePattern::parse(name);
      if (!pattern || is_ip_literal(name)) continue;
      number = number_of(set_for(terms.identities, name));
      if (!number) return unexpected(number.error());
      side->by_name_.add(*pattern, *number);
    }
  }
  return side;
}

void ServerSide::staple(ssl_ctx_st& context, const ServerTerms& terms) {
  for (long which = SSL_CERT_SET_FIRST; SSL_CTX_set_current_cert(&context, which) == 1;
       which = SSL_CERT_SET_NEXT) {
    X509* shown = SSL_CTX_get0_certificate(&context);
    auto found = terms.staples.find(fingerprint_of(shown));
    if (found != terms.staples.end()) staples_[shown] = found->second;
  }
  SSL_CTX_set_tlsext_status_cb(&context, answer_status_request);
  SSL_CTX_set_tlsext_status_arg(&context, this);
}

// Of libssl, which has chosen the certificate: the client asks for its status (RFC 6066, 8; RFC 8446,
// 4.4.2.1).
int ServerSide::answer_status_request(ssl_st* ssl, void* given) {
  const auto& side = *static_cast<const ServerSide*>(given);
  auto found = side.staples_.find(SSL_get_certificate(ssl));
  if (found == side.staples_.end()) return SSL_TLSEXT_ERR_NOACK;
  const auto& [answer, good_until] = *found->second;
  if (answer.empty() || side.clock_.wall() >= good_until) return SSL_TLSEXT_ERR_NOACK;
  void* copy = OPENSSL_memdup(answer.data(), answer.size());
  if (!copy) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(answer.size()));
  return SSL_TLSEXT_ERR_OK;
}

OwnedSsl ServerSide::answer(std::string_view name) const {
  std::uint32_t number = 0;
  by_name_.find(name, [&](std::uint32_t found) {
    number = found;
    return true;
  });
  OwnedSsl ssl(SSL_new(contexts_[number].get()));
  CHECK(ssl);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace lockgate::tls
