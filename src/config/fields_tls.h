// The tables of options of TLS: certificates, and each leg's agreement.
#pragma once
#include "config/field.h"
#include "config/tls.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<Certificate> = section(
    "certificate",
    "A certificate of ours with its chain and key: PEM files, a PKCS#12 file, or made on the spot.",
    Field{"chain", &Certificate::chain,
          "A PEM file with the certificate and its issuers; the key may be in it, too.", as(As::path)},
    Field{"key", &Certificate::key, "A PEM file with the key, if it is not in `chain`.", as(As::path)},
    Field{"pkcs12", &Certificate::pkcs12, "A PKCS#12 file (.p12, .pfx) with all of it.", as(As::path)},
    Field{"self_signed", &Certificate::self_signed,
          "Made here, RSA and ECDSA, kept in the state folder and renewed in time. Clients have no reason to "
          "trust it."},
    Field{"names", &Certificate::names,
          "Of one that is self-signed; if not given, those of the sites that show it, or else `localhost`."},
    Field{"password_file", &Certificate::password_file, "A file whose first line is the password of the key.",
          as(As::path)},
    Field{"password_environment", &Certificate::password_environment,
          "The environment variable that holds the password."},
    Field{"password_credential", &Certificate::password_credential,
          "The systemd credential that holds the password (LoadCredential=)."});

/// What `tls` means on either leg.
template <class Struct>
constexpr auto protocol_fields() {
  return std::tuple{
      Field<Struct, TlsProfile>{
          "profile", &Struct::profile,
          "`modern` takes TLS 1.3 only, `intermediate` 1.2 and newer with forward secrecy, `legacy` "
          "whatever old programs can do, down to TLS 1.0 and RSA key exchange."},
      Field<Struct, TlsVersion>{"min_version", &Struct::min_version,
                                "The lowest version; `auto` for the profile's."},
      Field<Struct, TlsVersion>{"max_version", &Struct::max_version,
                                "The highest version; `auto` for the newest."},
      Field<Struct, std::vector<std::string>>{
          "ciphers", &Struct::ciphers,
          "Up to TLS 1.2, in OpenSSL's words and our order; empty for the profile's."},
      Field<Struct, std::vector<std::string>>{
          "cipher_suites", &Struct::cipher_suites,
          "Of TLS 1.3, as `TLS_AES_128_GCM_SHA256`; empty for all three usual ones."},
      Field<Struct, std::vector<std::string>>{
          "groups", &Struct::groups,
          "For the key exchange, as `X25519` and `P-256`; empty for the usual ones."},
      Field<Struct, std::vector<std::string>>{
          "signature_algorithms", &Struct::signature_algorithms,
          "As `ECDSA+SHA256` and `rsa_pss_rsae_sha256`; empty for the usual ones."}};
}

template <>
inline constexpr auto kSection<ClientCertificate> =
    section("client_certificate", "Whether clients show a certificate, and whose.",
            Field{"ask", &ClientCertificate::ask,
                  "`optional` asks for one and checks it if it comes, `required` takes nobody without."},
            Field{"ca_file", &ClientCertificate::ca_file, "A PEM file with the issuers that are trusted.",
                  as(As::path)},
            Field{"crl_file", &ClientCertificate::crl_file,
                  "A PEM file with lists of revoked certificates, one for each issuer.", as(As::path)},
            Field{"depth", &ClientCertificate::depth,
                  "The most issuers between a certificate and a trusted one.", from_to(0, 100)});

template <>
inline constexpr auto kSection<Tickets> = section(
    "tickets", "Session tickets, with which clients come back without a full handshake.",
    Field{"enabled", &Tickets::enabled, "Whether they are given and taken."},
    Field{"lifetime", &Tickets::lifetime, "How long one is good for; the key is changed as often.", kSome},
    Field{"key_file", &Tickets::key_file,
          "Keys that several machines share: 80 random bytes each, the first one seals and all open. Read "
          "again when it changes; `off` for keys of this "
          "process alone.",
          as(As::path)});

template <>
inline constexpr auto kSection<KeyLogging> = section(
    "key_log", "Secrets of connections (NSS key log), with which whoever recorded them can decrypt them.",
    Field{"to", &KeyLogging::to, "The file they are written to.", as(As::path)},
    Field{"clients", &KeyLogging::clients, "Only for clients in these networks; empty for all."});

template <>
inline constexpr auto kSection<TlsServer> = section(
    "tls", "TLS towards clients.", protocol_fields<TlsServer>(),
    Field{"dh_parameters", &TlsServer::dh_parameters,
          "For ciphers with DHE: `none` goes without them, `auto` takes parameters fit for the key, "
          "a path those of a file."},
    Field{"alpn", &TlsServer::alpn,
          "Protocols in our order. Empty: `http/1.1` where there are routes, elsewhere what the upstream "
          "chooses of the client's, if it speaks TLS.",
          as(As::alpn)},
    Field{"client_certificate", &TlsServer::client_certificate,
          "Whether clients show a certificate, and whose."},
    Field{"tickets", &TlsServer::tickets, "How clients come back without a full handshake."},
    Field{"session_cache", &TlsServer::session_cache,
          "Sessions that each worker keeps for clients which know no tickets.",
          from_to(1, 10'000'000, "off")},
    Field{"ocsp_stapling", &TlsServer::ocsp_stapling,
          "Whether the issuer is asked about the certificate, if it has a responder, and clients get "
          "its answer with the certificate."},
    Field{"key_log", &TlsServer::key_log, "Secrets of connections, for those who record them."});

template <>
inline constexpr auto kSection<TlsClient> = section(
    "upstream_tls", "TLS towards the endpoints of an upstream whose URLs begin with `tls` or `https`.",
    protocol_fields<TlsClient>(),
    Field{"verify", &TlsClient::verify,
          "`full` wants a trusted issuer and the right name, `chain` the issuer only, `off` takes any "
          "certificate."},
    Field{"ca_file", &TlsClient::ca_file,
          "A PEM file with the issuers that are trusted; `off` for those of the system.", as(As::path)},
    Field{"server_name", &TlsClient::server_name,
          "The name that is asked for (SNI): `auto` for the endpoint's, or the client's if that is an "
          "address; `carry` "
          "for the client's; `off`; or a name."},
    Field{"verify_name", &TlsClient::verify_name,
          "The name that the certificate must have, if not the one that is asked for.", as(As::host)},
    Field{"pins", &TlsClient::pins,
          "SHA-256 of public keys (SPKI), base64; the endpoint must have one of them, whatever else is "
          "verified."},
    Field{"alpn", &TlsClient::alpn, "Protocols that are offered; empty for those of the client.",
          as(As::alpn)},
    Field{"certificate", &TlsClient::certificate, "An entry of `certificates` that we show as a client."});

}  // namespace lockgate::config
