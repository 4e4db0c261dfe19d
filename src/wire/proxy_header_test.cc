#include "wire/proxy_header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace lockgate::wire {
namespace {

using namespace std::string_literals;

const auto kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

SocketAddress address(std::string_view text) { return SocketAddress::parse(text).value(); }

std::string big_endian(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

std::string tlv(char type, const std::string& value) { return type + big_endian(value.size()) + value; }

/// A version 2 header around `block`.
std::string binary(int version_and_command, int family, const std::string& block) {
  return kSignature + static_cast<char>(version_and_command) + static_cast<char>(family) +
         big_endian(block.size()) + block;
}

/// 192.168.0.1:56324 to 192.168.0.11:443, as the example of version 1 has it.
const auto kBlock4 = "\xc0\xa8\x00\x01\xc0\xa8\x00\x0b\xdc\x04\x01\xbb"s;

std::string path_block(const std::string& source, const std::string& destination) {
  auto padded = [](std::string path) {
    path.resize(108);
    return path;
  };
  return padded(source) + padded(destination);
}

/// Parses `text` at every split point, so that each prefix of the header must ask for more, and with bytes of
/// the client behind it.
ProxyHeader parsed(const std::string& text) {
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_proxy_header(as_bytes(text).first(size))) << size << " of " << text.size() << " bytes";
    EXPECT_TRUE(may_be_proxy_header(as_bytes(text).first(size)));
  }
  auto header = parse_proxy_header(as_bytes(text));
  EXPECT_TRUE(header && *header) << text;
  if (!header || !*header) return {};
  EXPECT_EQ((*header)->size, text.size());
  auto followed = text + "\x16\x03\x01\r\n";
  auto again = parse_proxy_header(as_bytes(followed));
  EXPECT_TRUE(again && *again && (*again)->size == text.size() && (*again)->source == (*header)->source);
  return **header;
}

/// The code that `text` is refused with, whatever follows it; io if it is not refused.
Errc refusal(const std::string& text) {
  auto header = parse_proxy_header(as_bytes(text));
  if (!header || *header) return Errc::io;
  auto followed = text + std::string(5000, 'x');
  auto again = parse_proxy_header(as_bytes(followed));
  EXPECT_TRUE(again && !*again && again->error().code == header->error().code);
  return header->error().code;
}

void expect_refused(const std::string& text) {
  EXPECT_EQ(refusal(text), Errc::bad_message) << testing::PrintToString(text);
}

std::string written(ProxyVersion version, const SocketAddress& source, const SocketAddress& destination,
                    const ProxyTlvs& tlvs = {}) {
  return std::string(as_text(write_proxy_header(version, source, destination, tlvs).bytes()));
}

// ---- Version 1

TEST(ProxyLine, OfTheSpecificationIsRead) {
  auto header = parsed("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
  EXPECT_EQ(header.version, ProxyVersion::v1);
  EXPECT_EQ(header.command, ProxyCommand::proxy);
  EXPECT_EQ(header.source, address("192.168.0.1:56324"));
  EXPECT_EQ(header.destination, address("192.168.0.11:443"));
}

TEST(ProxyLine, MayBeAsLongAsTheSpecificationHasIt) {
  EXPECT_EQ(parsed("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n").size, 56U);
  auto longest =
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"s;
  auto header = parsed("PROXY TCP6 " + longest);
  EXPECT_EQ(header.size, 104U);
  EXPECT_EQ(header.source, address("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"));
  EXPECT_EQ(parsed("PROXY UNKNOWN " + longest).size, 107U);
  expect_refused("PROXY UNKNOWN  " + longest);
}

TEST(ProxyLine, OfUnknownTellsNoAddress) {
  for (auto text :
       {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY UNKNOWN  \r \n what?\r\n"}) {
    auto header = parsed(text);
    EXPECT_TRUE(header.source.is_none()) << text;
    EXPECT_TRUE(header.destination.is_none()) << text;
  }
}

TEST(ProxyLine, WithMappedIpv4IsIpv4) {
  auto header = parsed("PROXY TCP6 ::ffff:c000:201 ::FFFF:192.0.2.2 1 2\r\n");
  EXPECT_EQ(header.source, address("192.0.2.1:1"));
  EXPECT_EQ(header.destination, address("192.0.2.2:2"));
}

TEST(ProxyLine, WithZeroPortsIsRead) {
  EXPECT_EQ(parsed("PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n").source, address("1.2.3.4:0"));
}

TEST(ProxyLine, IsRefusedUnlessItEndsIn107Bytes) {
  auto text = "PROXY TCP4 " + std::string(96, '1');
  EXPECT_FALSE(parse_proxy_header(as_bytes(text).first(106)));
  expect_refused(text);
  text[106] = '\r';
  expect_refused(text + "\n");
}

TEST(ProxyLine, IsRefusedUnlessWrittenExactly) {
  for (auto text : {
           "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",        // two spaces
           "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",        //
           "PROXY TCP4 1.2.3.4 5.6.7.8  1 2\r\n",        //
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",        // a space at the end
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",       // a word too many
           "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",           // one too few
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n",          //
           "PROXY TCP4\r\n",                             //
           "PROXY \r\n",                                 //
           "PROXY TCP4\t1.2.3.4 5.6.7.8 1 2\r\n",        // another white space
           "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n",         // another case
           "PROXY UNKNOWN1 1.2.3.4 5.6.7.8 1 2\r\n",     // another word
           "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",         //
           "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",        // ports: leading zeros, signs, range
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 00\r\n",        //
           "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",        //
           "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",        //
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",     //
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 0x2\r\n",       //
           "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",           // addresses
           "PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n",        //
           "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",       //
           "PROXY TCP4 ::1 ::2 1 2\r\n",                 // the other family
           "PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 1 2\r\n",  //
           "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",         //
           "PROXY TCP6 ::1 5.6.7.8 1 2\r\n",             //
           "PROXY TCP6 [::1] [::2] 1 2\r\n",             // what other places write
           "PROXY TCP6 fe80::1%1 ::2 1 2\r\n",           //
           "PROXY TCP6 1::2::3 ::2 1 2\r\n",             //
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n\r\n",       // a lone LF or CR
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n",       //
       }) {
    expect_refused(text);
  }
  expect_refused("PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n"s);
}

// ---- Version 2

TEST(ProxyHeader, OfTcp4IsRead) {
  auto header = parsed(binary(0x21, 0x11, kBlock4));
  EXPECT_EQ(header.version, ProxyVersion::v2);
  EXPECT_EQ(header.command, ProxyCommand::proxy);
  EXPECT_EQ(header.size, 28U);
  EXPECT_EQ(header.source, address("192.168.0.1:56324"));
  EXPECT_EQ(header.destination, address("192.168.0.11:443"));
}

TEST(ProxyHeader, OfTcp6IsRead) {
  auto block = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + std::string(10, '\0') +
               "\xff\xff\xc0\x00\x02\x01\xdc\x04\x01\xbb"s;
  auto header = parsed(binary(0x21, 0x21, block));
  EXPECT_EQ(header.size, 52U);
  EXPECT_EQ(header.source, address("[2001:db8::1]:56324"));
  EXPECT_EQ(header.destination, address("192.0.2.1:443"));
}

TEST(ProxyHeader, OfUnixSocketsIsRead) {
  auto header = parsed(binary(0x21, 0x31, path_block("", "/run/app.sock")));
  EXPECT_EQ(header.size, 232U);
  EXPECT_EQ(header.source, SocketAddress::unix_path(std::string(SocketAddress::kUnnamed)));
  EXPECT_EQ(header.destination, SocketAddress::unix_path("/run/app.sock"));
  auto longest = parsed(binary(0x21, 0x31, path_block(std::string(108, 'a'), "b")));
  EXPECT_EQ(longest.source.path(), std::string(108, 'a'));
}

TEST(ProxyHeader, OfALocalConnectionIsSkippedWhole) {
  for (int family : {0x00, 0x11, 0x12, 0x99}) {
    for (const auto& block : {""s, kBlock4, "no TLV at all"s}) {
      auto header = parsed(binary(0x20, family, block));
      EXPECT_EQ(header.command, ProxyCommand::local);
      EXPECT_TRUE(header.source.is_none());
      EXPECT_TRUE(header.destination.is_none());
    }
  }
}

TEST(ProxyHeader, OfAnUnspecifiedFamilyTellsTlvsOnly) {
  auto text = binary(0x21, 0x00, tlv(0x05, "id"));
  auto header = parsed(text);
  EXPECT_EQ(header.command, ProxyCommand::proxy);
  EXPECT_TRUE(header.source.is_none());
  EXPECT_EQ(as_text(header.tlvs.unique_id), "id");
}

TEST(ProxyHeader, GivesItsTlvs) {
  auto ssl = "\x01\0\0\0\0"s + tlv(0x21, "TLSv1.3");
  auto text = binary(0x21, 0x11,
                     kBlock4 + tlv(0x01, "h2") + tlv(0x04, "padding") + tlv(0x02, "12345") +
                         tlv(0x30, "blue") + tlv(0x05, std::string(128, 'u')) + tlv(0x20, ssl) +
                         tlv('\xea', "x") + tlv('\xea', "y") + tlv(0x04, ""));
  auto header = parsed(text);
  EXPECT_EQ(as_text(header.tlvs.alpn), "h2");
  EXPECT_EQ(as_text(header.tlvs.authority), "12345");
  EXPECT_EQ(as_text(header.tlvs.unique_id), std::string(128, 'u'));
  EXPECT_EQ(as_text(header.tlvs.ssl), ssl);
}

/// Two headers from a load balancer of AWS, as its documentation and others' tests have them.
TEST(ProxyHeader, WithAChecksumOfAnotherSenderIsRead) {
  auto rest = tlv('\xea', "\x01vpce-08d2bf15fac5001c9") + tlv(0x04, std::string(36, '\0'));
  auto documented = parsed(
      binary(0x21, 0x11,
             "\xac\x1f\x07\x71\xac\x1f\x0a\x1f\xc8\xf2\x00\x50"s + tlv(0x03, "\xe8\xd6\x89\x2d") + rest));
  EXPECT_EQ(documented.source, address("172.31.7.113:51442"));
  rest = tlv('\xea', "\x01vpce-00eafc458ec97b833") + tlv(0x04, std::string(36, '\0'));
  auto captured = parsed(
      binary(0x21, 0x11,
             "\xc0\xa8\x2c\x0a\xc0\xa8\x2c\x07\xcc\x3e\x24\x1b"s + tlv(0x03, "\xb9\x28\x6f\xa6") + rest));
  EXPECT_EQ(captured.destination, address("192.168.44.7:9243"));
}

TEST(ProxyHeader, WithAWrongChecksumIsRefused) {
  auto block = "\xac\x1f\x07\x71\xac\x1f\x0a\x1f\xc8\xf2\x00\x50"s + tlv(0x03, "\xe8\xd6\x89\x2d") +
               tlv('\xea', "\x01vpce-08d2bf15fac5001c9") + tlv(0x04, std::string(36, '\0'));
  auto right = binary(0x21, 0x11, block);
  ASSERT_EQ(parsed(right).size, right.size());
  for (std::size_t at = 16; at < right.size(); ++at) {
    bool frame = (at >= 28 && at < 31) || (at >= 35 && at < 38) || (at >= 61 && at < 64);
    if (frame) continue;
    auto wrong = right;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x40);
    expect_refused(wrong);
  }
  expect_refused(binary(0x21, 0x11, kBlock4 + tlv(0x03, "abc")));
  expect_refused(binary(0x21, 0x11, kBlock4 + tlv(0x03, "")));
}

TEST(ProxyHeader, IsRefusedUnlessItsFixedPartIsKnown) {
  for (int version_and_command : {0x00, 0x01, 0x11, 0x22, 0x2f, 0x31, 0xf1}) {
    expect_refused(binary(version_and_command, 0x11, kBlock4));
  }
  for (int family = 0; family < 256; ++family) {
    if (family == 0x00 || family == 0x11 || family == 0x21 || family == 0x31) continue;
    expect_refused(binary(0x21, family, std::string(216, '\0')));
  }
}

TEST(ProxyHeader, IsRefusedIfItsAddressesDoNotFit) {
  for (auto [family, needed] : {std::pair{0x11, 12}, {0x21, 36}, {0x31, 216}}) {
    for (int size = 0; size < needed; ++size) {
      expect_refused(binary(0x21, family, std::string(static_cast<std::size_t>(size), 'a')));
    }
  }
}

TEST(ProxyHeader, IsRefusedIfItsTlvsDoNotFillItExactly) {
  expect_refused(binary(0x21, 0x11, kBlock4 + "\x02\x00\x0a"s + "12345"));
  expect_refused(binary(0x21, 0x11, kBlock4 + "\x02\x00\x04"s + "12345"));
  expect_refused(binary(0x21, 0x11, kBlock4 + "\x04"));
  expect_refused(binary(0x21, 0x11, kBlock4 + "\x04\x00"s));
  expect_refused(binary(0x21, 0x00, kBlock4));
}

TEST(ProxyHeader, IsRefusedIfATlvBreaksItsRule) {
  expect_refused(binary(0x21, 0x11, kBlock4 + tlv(0x05, std::string(129, 'u'))));
  expect_refused(binary(0x21, 0x11, kBlock4 + tlv(0x20, "\x01\0\0\0"s)));
  for (char type : {'\x01', '\x02', '\x05', '\x20'}) {
    expect_refused(binary(0x21, 0x11, kBlock4 + tlv(type, "abcde") + tlv(type, "abcde")));
  }
  expect_refused(binary(0x21, 0x11, kBlock4 + tlv(0x02, "") + tlv(0x02, "other.example")));
}

TEST(ProxyHeader, HasALargestSize) {
  auto filled = [](std::size_t size) {
    return binary(0x21, 0x11, kBlock4 + tlv(0x04, std::string(size - 31, '\0')));
  };
  auto text = filled(kLargestProxyHeader);
  EXPECT_EQ(text.size(), kLargestProxyHeader);
  EXPECT_EQ(parsed(text).size, kLargestProxyHeader);
  EXPECT_EQ(refusal(filled(kLargestProxyHeader + 1).substr(0, 16)), Errc::too_large);
  EXPECT_EQ(refusal(binary(0x20, 0x00, std::string(65535, '\0')).substr(0, 16)), Errc::too_large);
}

// ---- Either

TEST(ProxyHeader, IsToldFromOtherProtocolsByItsFirstBytes) {
  EXPECT_TRUE(may_be_proxy_header({}));
  EXPECT_FALSE(parse_proxy_header({}));
  for (const auto& text : {"\x16\x03\x01\x02\x00"s, "GET / HTTP/1.1\r\n"s, "PUT / HTTP/1.1\r\n"s, "PROXZ"s,
                           "PROXY\t"s, "\r\n\r\nGET / HTTP/1.1\r\n"s, "\r\n\r\n\0\r\nQUIT\r"s}) {
    EXPECT_FALSE(may_be_proxy_header(as_bytes(text))) << text;
    expect_refused(text);
  }
}

TEST(ProxyHeader, WithAnyByteChangedIsReadOrRefusedInItsBounds) {
  auto ssl = "\x01\0\0\0\0"s + tlv(0x21, "TLSv1.3");
  auto tlvs = tlv(0x01, "h2") + tlv(0x02, "a.example") + tlv(0x05, "id") + tlv(0x20, ssl);
  for (const auto& text :
       {"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 56324 443\r\n"s, binary(0x21, 0x11, kBlock4 + tlvs),
        binary(0x21, 0x31, path_block("a", "b") + tlvs)}) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::vector<char> exact(text.begin(), text.end());  // on the heap, so that a read beyond it is seen
        exact[at] = static_cast<char>(value);
        auto header = parse_proxy_header(std::as_bytes(std::span(exact)));
        if (header && *header) EXPECT_LE((*header)->size, exact.size());
      }
    }
  }
}

// ---- Writing

TEST(WrittenProxyHeader, IsTheSpecificationsExample) {
  auto source = address("192.168.0.1:56324"), destination = address("192.168.0.11:443");
  EXPECT_EQ(written(ProxyVersion::v1, source, destination),
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
  EXPECT_EQ(written(ProxyVersion::v2, source, destination), binary(0x21, 0x11, kBlock4));
}

TEST(WrittenProxyHeader, TellsPairsOfBothFamiliesAsIpv6) {
  auto v4 = address("192.0.2.1:1"), v6 = address("[2001:db8::1]:2");
  auto line = written(ProxyVersion::v1, v4, v6);
  EXPECT_EQ(line, "PROXY TCP6 ::ffff:c000:201 2001:db8::1 1 2\r\n");
  EXPECT_EQ(parsed(line).source, v4);
  auto text = written(ProxyVersion::v2, v6, v4);
  EXPECT_EQ(text[13], 0x21);
  auto header = parsed(text);
  EXPECT_EQ(header.source, v6);
  EXPECT_EQ(header.destination, v4);
}

TEST(WrittenProxyHeader, TellsMappedIpv4AsIpv4) {
  auto mapped = address("[::ffff:192.0.2.1]:1");
  EXPECT_EQ(written(ProxyVersion::v1, mapped, mapped), "PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\n");
}

TEST(WrittenProxyHeader, LeavesTheZoneOut) {
  auto local = SocketAddress(Ip::parse("fe80::1%1").value(), 1);
  EXPECT_EQ(written(ProxyVersion::v1, local, local), "PROXY TCP6 fe80::1 fe80::1 1 1\r\n");
}

TEST(WrittenProxyHeader, TellsUnixPathsInVersion2) {
  auto unnamed = SocketAddress::unix_path(std::string(SocketAddress::kUnnamed));
  auto path = SocketAddress::unix_path("/run/app.sock");
  EXPECT_EQ(written(ProxyVersion::v2, unnamed, path), binary(0x21, 0x31, path_block("", "/run/app.sock")));
  EXPECT_EQ(written(ProxyVersion::v1, unnamed, path), "PROXY UNKNOWN\r\n");
}

TEST(WrittenProxyHeader, SaysSoWhereAddressesCannotBeTold) {
  auto tcp = address("192.0.2.1:1"), path = SocketAddress::unix_path("/run/app.sock");
  for (const auto& [source, destination] :
       {std::pair{tcp, path}, {path, tcp}, {SocketAddress(), tcp}, {tcp, {}}}) {
    EXPECT_EQ(written(ProxyVersion::v1, source, destination), "PROXY UNKNOWN\r\n");
    EXPECT_EQ(written(ProxyVersion::v2, source, destination), binary(0x21, 0x00, ""));
  }
}

TEST(WrittenProxyHeader, OfNobodyIsTheSendersOwn) {
  EXPECT_EQ(written(ProxyVersion::v1, {}, {}), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(written(ProxyVersion::v2, {}, {}), binary(0x20, 0x00, ""));
  EXPECT_EQ(parsed(written(ProxyVersion::v2, {}, {})).command, ProxyCommand::local);
}

TEST(WrittenProxyHeader, CarriesTlvsInVersion2) {
  auto tcp = address("[2001:db8::1]:1");
  auto ssl = "\x01\0\0\0\0"s + tlv(0x21, "TLSv1.3");
  ProxyTlvs tlvs{as_bytes("h2"), as_bytes("a.example"), as_bytes("id"), as_bytes(ssl)};
  auto text = written(ProxyVersion::v2, tcp, tcp, tlvs);
  EXPECT_EQ(text.substr(52), tlv(0x05, "id") + tlv(0x02, "a.example") + tlv(0x01, "h2") + tlv(0x20, ssl));
  EXPECT_EQ(as_text(parsed(text).tlvs.authority), "a.example");
  EXPECT_EQ(written(ProxyVersion::v1, tcp, tcp, tlvs), "PROXY TCP6 2001:db8::1 2001:db8::1 1 1\r\n");
}

TEST(WrittenProxyHeader, LeavesOutWhatDoesNotFitIntoASegment) {
  auto path = SocketAddress::unix_path("/run/app.sock");
  auto alpn = std::string(100, 'a'), authority = std::string(253, 'n'), id = std::string(128, 'u');
  ProxyTlvs tlvs{as_bytes(alpn), as_bytes(authority), as_bytes(id), as_bytes("12345")};
  auto text = written(ProxyVersion::v2, path, path, tlvs);  // 536 - 232 = 304 bytes are left for TLVs
  EXPECT_EQ(text.substr(232), tlv(0x05, id) + tlv(0x01, alpn) + tlv(0x20, "12345"));
  authority.resize(170);  // 304 - 131 - 3
  tlvs.authority = as_bytes(authority);
  text = written(ProxyVersion::v2, path, path, tlvs);
  EXPECT_EQ(text.size(), 536U);
  EXPECT_EQ(text.substr(232), tlv(0x05, id) + tlv(0x02, authority));
  authority.resize(171);
  tlvs.authority = as_bytes(authority);
  EXPECT_EQ(written(ProxyVersion::v2, path, path, tlvs).substr(232),
            tlv(0x05, id) + tlv(0x01, alpn) + tlv(0x20, "12345"));
}

}  // namespace
}  // namespace lockgate::wire
