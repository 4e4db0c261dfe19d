#include "wire/proxy_ssl.h"

#include <cstdint>

namespace lockgate::wire {
namespace {

enum Type : std::uint8_t { kVersion = 0x21, kCommonName = 0x22, kCipher = 0x23 };
enum Flag : std::uint8_t { kClientSsl = 0x01, kCertificateNow = 0x02, kCertificateInSession = 0x04 };

void append(std::string& out, Type type, std::string_view value) {
  if (value.empty()) return;
  out += static_cast<char>(type);
  out += static_cast<char>(value.size() >> 8);
  out += static_cast<char>(value.size() & 0xff);
  out += value;
}

}  // namespace

std::string write_proxy_ssl(const ProxySsl& ssl) {
  std::uint8_t flags = kClientSsl;
  if (ssl.has_certificate) flags |= kCertificateInSession;
  if (ssl.has_certificate && !ssl.resumed) flags |= kCertificateNow;
  std::string out(1, static_cast<char>(flags));
  out += std::string({0, 0, 0, static_cast<char>(!ssl.has_certificate)});  // 0: verified
  append(out, kVersion, ssl.version);
  append(out, kCommonName, ssl.common_name);
  append(out, kCipher, ssl.cipher);
  return out;
}

}  // namespace lockgate::wire
