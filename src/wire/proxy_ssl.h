// What a PROXY header of version 2 tells of the client's TLS (proxy-protocol.txt, 2.2.6).
#pragma once
#include <string>
#include <string_view>

namespace lockgate::wire {

struct ProxySsl {
  std::string_view version;      // "TLSv1.3"
  std::string_view cipher;       // as the RFC names it
  std::string_view common_name;  // of the client's certificate, which was verified; empty if it showed none
  bool has_certificate = false;  // the client showed one, now or in the session that it resumed
  bool resumed = false;
};

/// The value of the TLV.
std::string write_proxy_ssl(const ProxySsl& ssl);

}  // namespace lockgate::wire
