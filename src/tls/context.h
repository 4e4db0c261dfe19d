// What both sides of TLS have in common: an SSL_CTX that follows the operator's wishes.
//
// Contexts are made at start and at a reload, never for a connection. Whatever cannot be
// had is told in a sentence. The thread that made one may give it to another.
#pragma once
#include <expected>
#include <string>

#include "base/owned.h"
#include "config/tls.h"
#include "tls/identity.h"
#include "tls/library.h"

struct ssl_ctx_st;
struct x509_store_st;

namespace lockgate::tls {

/// What was made, or a sentence that says why not.
template <class T>
using Outcome = std::expected<T, std::string>;

void free_context(ssl_ctx_st* context);
void free_store(x509_store_st* store);
using OwnedContext = Owned<ssl_ctx_st, free_context>;
using OwnedStore = Owned<x509_store_st, free_store>;

enum class End : std::uint8_t { server, client };

/// A context for one side that agrees to what `protocol` wants.
Outcome<OwnedContext> make_context(const Library& library, End end, const config::TlsProtocol& protocol);
/// Has `context` show `identity`. One of each kind of key.
Outcome<void> show(ssl_ctx_st& context, const Library& library, const Identity& identity);

/// The PEM file with trusted certificates; an empty name stands for the system's.
const std::string& trust_path(const std::string& ca_file);
/// Whose certificates are trusted, from that file.
Outcome<OwnedStore> read_trust(const Library& library, const std::string& ca_file);
/// Has `store` look at the lists of revoked certificates in a PEM file, for every certificate of a chain.
Outcome<void> add_revocations(x509_store_st& store, const Library& library, const std::string& crl_file);

}  // namespace lockgate::tls
