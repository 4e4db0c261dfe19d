#include "proxy/own_header.h"

#include "proxy/access_log.h"
#include "proxy/plan.h"
#include "wire/proxy_ssl.h"

namespace lockgate::proxy {
namespace {

// What is told of a client whose TLS ends here; empty if it does not.
std::string ssl_tlv(const Facts& facts) {
  if (!facts.client_leg) return "";
  const tls::Session& session = facts.client_leg->session;
  return wire::write_proxy_ssl({.version = session.protocol,
                                .cipher = session.cipher,
                                .common_name = session.peer_common_name,
                                .has_certificate = !session.peer_serial.empty(),
                                .resumed = session.resumed});
}

// What the client speaks inside of TLS: what we have agreed on, or else what it would like best. While the
// upstream is still to choose, nobody knows, and the upstream will be the first.
std::string_view protocol_of(const config::Site& site, const Facts& facts) {
  if (facts.client_leg) return facts.client_leg->session.alpn;
  if (site.verdict == config::Verdict::terminate) return "";
  return std::string_view(facts.alpn).substr(0, facts.alpn.find(','));
}

}  // namespace

Bytes our_header(const config::Site& site, const Facts& facts, wire::ProxyHeaderBytes& room) {
  auto version = header_version(site);
  if (!version) return {};
  std::string unique_id = connection_name(facts.id), ssl = ssl_tlv(facts);
  wire::ProxyTlvs tlvs;
  if (site.proxy_tlvs.alpn) tlvs.alpn = as_bytes(protocol_of(site, facts));
  if (site.proxy_tlvs.authority) tlvs.authority = as_bytes(facts.name);
  if (site.proxy_tlvs.unique_id) tlvs.unique_id = as_bytes(unique_id);
  if (site.proxy_tlvs.ssl) tlvs.ssl = as_bytes(ssl);
  room = wire::write_proxy_header(*version, facts.client, facts.destination, tlvs);
  return room.bytes();
}

}  // namespace lockgate::proxy
