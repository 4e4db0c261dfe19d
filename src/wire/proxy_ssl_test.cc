#include "wire/proxy_ssl.h"

#include <gtest/gtest.h>

#include "wire/proxy_header.h"

namespace lockgate::wire {
namespace {

using namespace std::string_literals;

TEST(ProxySsl, TellsVersionAndCipherOfAClientWithoutCertificate) {
  EXPECT_EQ(write_proxy_ssl({.version = "TLSv1.3", .cipher = "X"}),
            "\x01\0\0\0\x01\x21\0\x07TLSv1.3\x23\0\x01X"s);
}

TEST(ProxySsl, TellsWhoseCertificateWasVerifiedAndWhen) {
  ProxySsl ssl{.version = "TLSv1.2", .cipher = "", .common_name = "jane", .has_certificate = true};
  EXPECT_EQ(write_proxy_ssl(ssl), "\x07\0\0\0\0\x21\0\x07TLSv1.2\x22\0\x04jane"s);
  ssl.resumed = true;
  EXPECT_EQ(write_proxy_ssl(ssl)[0], '\x05');
}

TEST(ProxySsl, IsReadBackFromTheHeaderThatCarriesIt) {
  std::string value = write_proxy_ssl({.version = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256"});
  auto header = write_proxy_header(ProxyVersion::v2, *SocketAddress::parse("192.0.2.1:1"),
                                   *SocketAddress::parse("192.0.2.2:2"), {.ssl = as_bytes(value)});
  auto parsed = parse_proxy_header(header.bytes());
  ASSERT_TRUE(parsed && *parsed);
  EXPECT_EQ(as_text((*parsed)->tlvs.ssl), value);
}

}  // namespace
}  // namespace lockgate::wire
