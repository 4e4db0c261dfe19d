// Whole proxies from flags alone, without a file. Each writes the configuration that
// says the same and runs it, or only prints it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace lockgate::server {

/// What all of them have.
struct FlagOnly {
  std::vector<std::string> listen;
  std::string send_proxy_protocol = "off";
  bool print_config = false;
};

/// Names passed to URLs.
struct PassFlags : FlagOnly {
  std::vector<std::string> to;  // NAME=URL
  std::string fallback;         // URL for all other names
};
int pass_command(const PassFlags& flags);

/// The certificate that clients are shown; without a file it is made on the spot.
struct CertificateFlags {
  std::string chain, key, pkcs12, password_file;
  std::vector<std::string> names;  // of one that is made
  bool legacy = false;             // also for clients of long ago
};

/// TLS ends here.
struct TerminateFlags : FlagOnly {
  CertificateFlags certificate;
  std::string to;
  std::string ca_file;     // for `to` of tls://
  bool no_verify = false;  // the same
};
int terminate_command(const TerminateFlags& flags);

/// Plain bytes, or old TLS if a certificate is shown, to modern TLS.
struct BumpFlags : TerminateFlags {
  bool old_tls = false;
  std::string via;  // the URL of a parent
  std::string credentials_file;
};
int bump_command(const BumpFlags& flags);

/// A demonstration: an origin inside this binary, by plain HTTP and by TLS.
struct QuickstartFlags {
  std::uint16_t port = 8080, tls_port = 8443;
  std::vector<std::string> to;  // NAME=URL of TLS servers, passed through
};
int quickstart_command(const QuickstartFlags& flags);

}  // namespace lockgate::server
