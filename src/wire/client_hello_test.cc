#include "wire/client_hello.h"

#include <gtest/gtest.h>

#include <map>

#include "wire/made_hello.h"

namespace lockgate::wire {
namespace {

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// openssl s_client -servername www.example.com -tls1_3 (OpenSSL 3.0)
constexpr std::string_view kOpensslTls13 =
    "16030100f4010000f00303623577802bed5e1d58a967fd9b2c1ec420e06b8e9ab46575fbb63ba16d3c47a72030d118e5ff44"
    "7f5ea7ccb587323e26f789ad701fafeda05533abaea87777d521000813021303130100ff0100009f00000014001200000f77"
    "77772e6578616d706c652e636f6d000b000403000102000a00160014001d0017001e00190018010001010102010301040023"
    "00000016000000170000000d001e001c040305030603080708080809080a080b080408050806040105010601002b00030203"
    "04002d00020101003300260024001d0020f5d09117183cffbee9e5f9ff447209a5e6e6bee83ebfbe5ca3e02d98c6c7f523";
// openssl s_client -servername WWW.Example.COM. -tls1_2 -cipher ECDHE+AESGCM
constexpr std::string_view kOpensslTls12 =
    "16030100a20100009e0303f155dfb420831f9572564d60da32fa0de479305e0e2df4fd6c28d72cb466932500000ac02cc030"
    "c02bc02f00ff0100006b0000001500130000105757572e4578616d706c652e434f4d2e000b000403000102000a000c000a00"
    "1d0017001e00190018002300000016000000170000000d002a0028040305030603080708080809080a080b08040805080604"
    "0105010601030303010302040205020602";
// curl --http2 https://origin.example.net/ (7.88), without the zeroes of its padding
constexpr std::string_view kCurl =
    "1603010200010001fc030386bea4182e55f8929792fb0290426f42a7c818e32a7c0f09ae546590fa816dfb20558bc2cc1f10"
    "6bd9502eed08537272817d797759a518542763960af19e4564ee003e130213031301c02cc030009fcca9cca8ccaac02bc02f"
    "009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff01000175000000170015"
    "0000126f726967696e2e6578616d706c652e6e6574000b000403000102000a00160014001d0017001e001900180100010101"
    "02010301040010000e000c02683208687474702f312e31001600000017000000310000000d002a0028040305030603080708"
    "080809080a080b080408050806040105010601030303010302040205020602002b0009080304030303020301002d00020101"
    "003300260024001d0020d18470678ad955f4f6d63b2ee1c92ae1609ec870ddd2a80495a1f324157f5c7e001500ab";

std::string curl() { return from_hex(kCurl).append(171, '\0'); }

/// A hello of the size that key shares of X25519MLKEM768 and P-256 give it, with GREASE as Chrome adds it.
std::string post_quantum() {
  std::string shares = made_number(0x2a2a, 2) + made_vector("\0", 2) + made_number(4588, 2) +
                       made_vector(std::string(1216, 'q'), 2) + made_number(23, 2) +
                       made_vector(std::string(65, 'p'), 2);
  return MadeHello{.ciphers = {0x3a3a, 0x1301, 0x1302, 0x1303}}
      .with(0x4a4a, "")
      .with(51, made_vector(shares, 2))
      .with(10, made_vector(made_numbers({0x2a2a, 4588, 23}), 2))
      .with(43, made_vector(made_numbers({0x6a6a, 0x0304, 0x0303}), 1))
      .with(16, made_alpn({"h2", "http/1.1"}))
      .with(0xfe0d, std::string(200, 'e'))
      .named("pq.example.com")
      .with(0xdada, std::string(1, '\0'))
      .bytes();
}

/// TLS 1.0 offered in SSL 2.0's format, with one cipher of SSL 2.0.
std::string sslv2() {
  std::string ciphers = from_hex(
      "00002f"
      "000035"
      "010080");
  std::string message = made_number(1, 1) + made_number(0x0301, 2) + made_number(ciphers.size(), 2) +
                        made_number(0, 2) + made_number(16, 2) + ciphers + std::string(16, 'c');
  return made_number(0x8000 | message.size(), 2) + message;
}

std::map<std::string, std::string> hellos() {
  return {{"openssl, TLS 1.3", from_hex(kOpensslTls13)},
          {"openssl, TLS 1.2", from_hex(kOpensslTls12)},
          {"curl", curl()},
          {"post-quantum", post_quantum()},
          {"no extensions", MadeHello{.has_extensions = false}.bytes()},
          {"SSL 2.0", sslv2()}};
}

ClientHello read(std::string_view bytes) {
  auto hello = parse_client_hello(as_bytes(bytes));
  if (!hello || !*hello) {
    ADD_FAILURE() << (hello ? words(hello->error()) : "incomplete");
    return {};
  }
  return **hello;
}

/// "more", "read", or the name of the error.
std::string outcome(std::string_view bytes) {
  auto hello = parse_client_hello(as_bytes(bytes));
  if (!hello) return "more";
  return hello->has_value() ? "read" : std::string(name_of(hello->error().code));
}

/// What routing and fingerprints see, to compare.
std::string all_of(const ClientHello& hello) {
  std::string text = hello.server_name + "|" + hello.name_as_sent + "|" + made_number(hello.version(), 2);
  for (const auto& list : {hello.cipher_suites, hello.extensions, hello.supported_versions, hello.groups,
                           hello.signature_algorithms}) {
    text += "|" + made_numbers(list);
  }
  for (const auto& protocol : hello.alpn) text += "|" + protocol;
  return text;
}

TEST(ClientHello, IsReadFromOpenssl) {
  ClientHello hello = read(from_hex(kOpensslTls13));
  EXPECT_EQ(hello.name_kind, ServerName::host);
  EXPECT_EQ(hello.server_name, "www.example.com");
  EXPECT_EQ(hello.legacy_version, 0x0303);
  EXPECT_EQ(hello.version(), 0x0304);
  EXPECT_EQ(hello.cipher_suites, (std::vector<std::uint16_t>{0x1302, 0x1303, 0x1301, 0x00ff}));
  EXPECT_EQ(hello.extensions, (std::vector<std::uint16_t>{0, 11, 10, 35, 22, 23, 13, 43, 45, 51}));
  EXPECT_EQ(hello.groups.front(), 0x001d);
  EXPECT_EQ(hello.signature_algorithms.size(), 14u);
  EXPECT_EQ(hello.point_formats, (std::vector<std::uint8_t>{0, 1, 2}));
  EXPECT_FALSE(hello.ech);
  EXPECT_FALSE(hello.sslv2);
}

TEST(ClientHello, IsReadFromCurl) {
  ClientHello hello = read(curl());
  EXPECT_EQ(hello.server_name, "origin.example.net");
  EXPECT_EQ(hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_EQ(hello.version(), 0x0304);
}

TEST(ClientHello, OfPostQuantumSizeHasItsNameBehindTheKeyShares) {
  std::string bytes = post_quantum();
  EXPECT_GT(bytes.size(), 1500u);
  ClientHello hello = read(bytes);
  EXPECT_EQ(hello.server_name, "pq.example.com");
  EXPECT_EQ(hello.version(), 0x0304);
  EXPECT_TRUE(hello.ech);
}

TEST(ClientHello, IsReadAtEverySplitPoint) {
  for (const auto& [from, bytes] : hellos()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_EQ(outcome(std::string_view(bytes).substr(0, size)), "more") << from << " cut at " << size;
    }
    EXPECT_EQ(outcome(bytes), "read") << from;
  }
}

TEST(ClientHello, IsTheSameInRecordsOfEverySize) {
  for (const auto& [from, bytes] : hellos()) {
    if (from == "SSL 2.0") continue;
    std::string message = bytes.substr(5);
    for (std::size_t size = 1; size <= message.size(); ++size) {
      ASSERT_EQ(all_of(read(in_records(message, size))), all_of(read(bytes)))
          << from << " in records of " << size;
    }
  }
}

TEST(ClientHello, InOneByteRecordsIsReadAtEverySplitPoint) {
  std::string bytes = in_records(MadeHello().named("www.example.com").message(), 1);
  for (std::size_t size = 0; size < bytes.size(); ++size) ASSERT_EQ(outcome(bytes.substr(0, size)), "more");
  EXPECT_EQ(read(bytes).server_name, "www.example.com");
}

TEST(ClientHello, WithAnyByteChangedGivesAnOutcome) {
  for (auto [from, bytes] : hellos()) {
    for (char& byte : bytes) {
      char right = byte;
      for (int wrong : {0x00, 0x01, 0x7f, 0x80, 0xff, right + 1, right - 1}) {
        byte = static_cast<char>(wrong);
        EXPECT_FALSE(outcome(bytes).empty());
      }
      byte = right;
    }
  }
}

TEST(ClientHello, IsNotChangedByWhatFollowsInOtherRecords) {
  std::string bytes = MadeHello().named("www.example.com").bytes();
  EXPECT_EQ(read(bytes + from_hex("140303000101") + "early data").server_name, "www.example.com");
}

TEST(ClientHello, WithMoreInItsLastRecordIsRefusedAtOnce) {
  std::string message = MadeHello().message();
  std::string more = in_records(message + message, 1 << 14);
  EXPECT_EQ(outcome(more), "bad_message");
  EXPECT_EQ(outcome(more.substr(0, 9)), "bad_message");
  EXPECT_EQ(outcome(in_records(message + "xx", message.size() - 1)), "bad_message");
}

TEST(ClientHello, InEmptyOrForeignRecordsIsRefused) {
  std::string message = MadeHello().message();
  std::string first = in_records(message.substr(0, 10), 10), rest = in_records(message.substr(10), 1 << 14);
  EXPECT_EQ(outcome(first + rest), "read");
  EXPECT_EQ(outcome(first + from_hex("1603010000") + rest), "bad_message");
  EXPECT_EQ(outcome(from_hex("1603010000") + first + rest), "bad_message");
  EXPECT_EQ(outcome(first + from_hex("140303000101") + rest), "bad_message");
  EXPECT_EQ(outcome(first + from_hex("160305") + rest.substr(3)), "bad_message");
  EXPECT_EQ(outcome(first + from_hex("170301") + rest.substr(3)), "bad_message");
}

TEST(ClientHello, ThatClaimsTooMuchIsRefusedBeforeItArrives) {
  EXPECT_EQ(outcome(from_hex("1603014001")), "too_large");
  EXPECT_EQ(outcome(from_hex("160301400001") + made_number(kLongestHello - 4, 3)), "more");
  EXPECT_EQ(outcome(from_hex("160301400001") + made_number(kLongestHello - 3, 3)), "too_large");
  std::string large = MadeHello().with(21, std::string(5000, '\0')).message();
  EXPECT_EQ(outcome(in_records(large, 1)), "too_large");
}

TEST(ClientHello, AsLongAsAllowedIsRead) {
  MadeHello made;
  made.named("www.example.com");
  std::size_t rest = kLongestHello - made.message().size() - 4;
  EXPECT_EQ(read(made.with(21, std::string(rest, '\0')).bytes()).server_name, "www.example.com");
}

TEST(ClientHello, MayHaveNoExtensionsOrAnEmptyBlockOfThem) {
  EXPECT_EQ(read(MadeHello{.has_extensions = false}.bytes()).name_kind, ServerName::none);
  EXPECT_EQ(read(MadeHello().bytes()).name_kind, ServerName::none);
}

TEST(ClientHello, WithBrokenFieldsIsRefused) {
  EXPECT_EQ(outcome(MadeHello{.legacy_version = 0x0203}.bytes()), "bad_message");
  EXPECT_EQ(outcome(MadeHello{.session = std::string(33, 's')}.bytes()), "bad_message");
  EXPECT_EQ(outcome(MadeHello{.ciphers = {}}.bytes()), "bad_message");
  EXPECT_EQ(outcome(MadeHello{.compressions = ""}.bytes()), "bad_message");
  EXPECT_EQ(outcome(in_records(from_hex("01000000"), 4)), "bad_message");
  EXPECT_EQ(outcome(in_records(from_hex("02000000"), 4)), "bad_message");
}

TEST(ClientHello, WithAnExtensionTwiceIsRefused) {
  EXPECT_EQ(outcome(MadeHello().named("a.example").named("a.example").bytes()), "bad_message");
  EXPECT_EQ(outcome(MadeHello().with(0x7777, "").with(0x7777, "").bytes()), "bad_message");
}

TEST(ClientHello, WithABrokenExtensionIsRefused) {
  for (std::uint16_t type : std::initializer_list<std::uint16_t>{0, 10, 11, 13, 16, 43}) {
    EXPECT_EQ(outcome(MadeHello().with(type, "").bytes()), "bad_message") << type;
    EXPECT_EQ(outcome(MadeHello().with(type, made_vector("", 2)).bytes()), "bad_message") << type;
    EXPECT_EQ(outcome(MadeHello().with(type, from_hex("0003010203ff")).bytes()), "bad_message") << type;
  }
  EXPECT_EQ(outcome(MadeHello().with(10, made_vector("odd", 2)).bytes()), "bad_message");
  EXPECT_EQ(outcome(MadeHello().with(16, made_alpn({"h2", ""})).bytes()), "bad_message");
}

TEST(ClientHello, WithMoreProtocolsThanAnyoneNeedsIsRefused) {
  std::string list;
  for (int i = 0; i < 256; ++i) list += made_vector("x", 1);
  EXPECT_EQ(read(MadeHello().with(16, made_vector(list, 2)).bytes()).alpn.size(), 256u);
  EXPECT_EQ(outcome(MadeHello().with(16, made_vector(list + made_vector("x", 1), 2)).bytes()), "bad_message");
}

TEST(ClientHello, NameIsLowerCaseWithoutItsTrailingDot) {
  ClientHello hello = read(from_hex(kOpensslTls12));
  EXPECT_EQ(hello.server_name, "www.example.com");
  EXPECT_EQ(hello.name_as_sent, "WWW.Example.COM.");
  EXPECT_EQ(hello.version(), 0x0303);
}

TEST(ClientHello, SaysWhatANameIsThatIsNoHost) {
  for (auto [name, kind] : std::initializer_list<std::pair<std::string_view, ServerName>>{
           {"192.0.2.1", ServerName::ip_literal},
           {"2001:db8::1", ServerName::ip_literal},
           {"[2001:db8::1]", ServerName::ip_literal},
           {"fe80::1%lo", ServerName::ip_literal},
           {"*.example.com", ServerName::not_a_host},
           {"example.com:443", ServerName::not_a_host},
           {"a..b", ServerName::not_a_host},
           {".", ServerName::not_a_host}}) {
    ClientHello hello = read(MadeHello().named(name).bytes());
    EXPECT_EQ(hello.name_kind, kind) << name;
    EXPECT_EQ(hello.server_name, "") << name;
    EXPECT_EQ(hello.name_as_sent, name);
  }
}

TEST(ClientHello, WithAnUnspeakableNameIsRefused) {
  using namespace std::string_view_literals;
  for (auto name : {""sv, "a\0b.example"sv,
                    "b\xc3\xbc"sv
                    "cher.example"sv,
                    "a b.example"sv, "a\n.example"sv, "\x7f"sv}) {
    EXPECT_EQ(outcome(MadeHello().named(name).bytes()), "bad_message") << name;
  }
  std::string label = std::string(49, 'a') + ".", longest = label + label + label + label + label + "com";
  EXPECT_EQ(read(MadeHello().named(longest).bytes()).server_name, longest);
  EXPECT_EQ(read(MadeHello().named(longest + ".").bytes()).server_name, longest);
  EXPECT_EQ(outcome(MadeHello().named(longest + "xx").bytes()), "bad_message");
}

TEST(ClientHello, WithTwoHostNamesIsRefusedButOtherNameTypesAreNot) {
  std::string host = made_number(0, 1) + made_vector("a.example", 2),
              other = made_number(9, 1) + made_vector("x", 2);
  EXPECT_EQ(outcome(MadeHello().with(0, made_vector(host + host, 2)).bytes()), "bad_message");
  EXPECT_EQ(read(MadeHello().with(0, made_vector(other + host, 2)).bytes()).server_name, "a.example");
  EXPECT_EQ(read(MadeHello().with(0, made_vector(other, 2)).bytes()).name_kind, ServerName::none);
}

TEST(ClientHello, OfSslv2FormatHasCiphersAndNoName) {
  ClientHello hello = read(sslv2());
  EXPECT_TRUE(hello.sslv2);
  EXPECT_EQ(hello.version(), 0x0301);
  EXPECT_EQ(hello.cipher_suites, (std::vector<std::uint16_t>{0x002f, 0x0035}));
  EXPECT_EQ(hello.name_kind, ServerName::none);
}

TEST(ClientHello, OfSslv2FormatWithLengthsThatDoNotFitIsRefused) {
  for (std::size_t at : {5u, 6u, 7u, 8u, 9u, 10u}) {
    std::string bytes = sslv2();
    bytes[at] = static_cast<char>(bytes[at] + 1);
    EXPECT_EQ(outcome(bytes), "bad_message") << at;
  }
}

TEST(FirstBytes, AreToldApart) {
  for (const auto& [bytes, is] : std::initializer_list<std::pair<std::string, FirstBytes>>{
           {"", FirstBytes::undecided},
           {"\x16", FirstBytes::undecided},
           {"\x16\x03", FirstBytes::tls},
           {"\x16\x02", FirstBytes::other_plain},
           {"\x80\x2e", FirstBytes::undecided},
           {"\x80\x2e\x01\x03", FirstBytes::undecided},
           {"\x80\x2e\x01\x03\x01", FirstBytes::sslv2},
           {std::string("\x80\x2e\x01\0\x02", 5), FirstBytes::sslv2},
           {std::string("\x80\x2e\x01\0\x03", 5), FirstBytes::other_plain},
           {"\x80\x2e\x02", FirstBytes::other_plain},
           {"GE", FirstBytes::undecided},
           {"GET /", FirstBytes::http},
           {"PRI * HTTP/2.0\r\n", FirstBytes::http},
           {"VERSION-CONTROL ", FirstBytes::http},
           {std::string(24, 'X'), FirstBytes::undecided},
           {std::string(25, 'X'), FirstBytes::other_plain},
           {" /", FirstBytes::other_plain},
           {"SSH-2.0-x y", FirstBytes::other_plain},
           {std::string(1, '\0'), FirstBytes::other_plain},
           {"\r\n", FirstBytes::other_plain}}) {
    EXPECT_EQ(look(as_bytes(bytes)), is) << bytes;
  }
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n"), "bad_message");
}

}  // namespace
}  // namespace lockgate::wire
