// What the operator asked for of TLS: certificates, and what is agreed on with clients
// and with upstreams. Plain structs, as those of config.h, which holds them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/place.h"

namespace lockgate::config {

using namespace std::chrono_literals;

enum class TlsVersion : std::uint8_t { automatic, tls1_0, tls1_1, tls1_2, tls1_3 };
/// What is taken where nothing finer is said: TLS 1.3 alone; 1.2 and newer; or whatever old clients can do.
enum class TlsProfile : std::uint8_t { modern, intermediate, legacy };
enum class AskCertificate : std::uint8_t { none, optional, required };
enum class Verify : std::uint8_t { full, chain, off };

/// A certificate of ours: PEM files, a PKCS#12 file, or one that is made on the spot.
struct Certificate {
  std::string name;  // the key under `certificates`
  std::string chain, key, pkcs12;
  bool self_signed = false;
  std::vector<std::string> names;  // of one that is self-signed; empty: those of the sites that use it
  std::string password_file, password_environment, password_credential;  // where the password stands
  Place place;
};

/// An entry of `certificates`, chosen by its name; an index into Config::certificates.
struct CertificateChoice {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t index = kNone;
  bool given() const { return index != kNone; }
};

/// What may be agreed on, on either leg; what is empty is left to the profile.
struct TlsProtocol {
  TlsProfile profile = TlsProfile::intermediate;
  TlsVersion min_version = TlsVersion::automatic;
  TlsVersion max_version = TlsVersion::automatic;
  std::vector<std::string> ciphers;        // up to TLS 1.2, in OpenSSL's words
  std::vector<std::string> cipher_suites;  // of TLS 1.3
  std::vector<std::string> groups;
  std::vector<std::string> signature_algorithms;
};

/// The lowest version that is taken: the one that is named, or the profile's.
constexpr TlsVersion lowest_version(const TlsProtocol& protocol) {
  if (protocol.min_version != TlsVersion::automatic) return protocol.min_version;
  switch (protocol.profile) {
    case TlsProfile::modern:
      return TlsVersion::tls1_3;
    case TlsProfile::intermediate:
      return TlsVersion::tls1_2;
    case TlsProfile::legacy:
      break;
  }
  return TlsVersion::tls1_0;
}

/// Whether clients show a certificate, and whose.
struct ClientCertificate {
  AskCertificate ask = AskCertificate::none;
  std::string ca_file;
  std::string crl_file;  // empty: revocation is not looked at
  std::uint32_t depth = 3;
};

/// Session tickets (RFC 5077; RFC 8446, 4.6.1).
struct Tickets {
  bool enabled = true;
  Duration lifetime = 8h;  // and the time between two keys
  std::string key_file;    // shared by several machines; empty: keys of this process alone
};

/// Secrets for those who record traffic (NSS key log).
struct KeyLogging {
  std::string to;                // a file; empty: none
  std::vector<Network> clients;  // empty: all
};

/// TLS towards clients: of a listener, or of a site.
struct TlsServer : TlsProtocol {
  std::string dh_parameters = "none";  // "none", "auto" or a file
  std::vector<std::string> alpn;       // in our order; empty: the upstream's choice if it speaks TLS
  ClientCertificate client_certificate;
  Tickets tickets;
  std::uint32_t session_cache = 0;  // sessions kept for clients without tickets; 0: none
  bool ocsp_stapling = true;        // where the issuer offers it
  KeyLogging key_log;
};

/// TLS towards an upstream.
struct TlsClient : TlsProtocol {
  Verify verify = Verify::full;
  std::string ca_file;               // empty: the system's
  std::string server_name = "auto";  // "auto", "carry", "off" or a name
  std::string verify_name;           // empty: the server name
  std::vector<std::string> pins;     // SHA-256 of keys that are trusted, in base64
  std::vector<std::string> alpn;     // empty: what the client offers
  CertificateChoice certificate;     // of ours; none: none is shown
};

}  // namespace lockgate::config
