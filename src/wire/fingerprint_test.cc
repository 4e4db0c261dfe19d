#include "wire/fingerprint.h"

#include <gtest/gtest.h>

#include "wire/made_hello.h"

namespace lockgate::wire {
namespace {

ClientHello read(const MadeHello& made) {
  auto hello = parse_client_hello(as_bytes(made.bytes()));
  if (!hello || !*hello) {
    ADD_FAILURE() << "not a hello";
    return {};
  }
  return **hello;
}

/// Every extension with a body that makes sense, or an empty one if any will do.
MadeHello hello_of(std::vector<std::uint16_t> ciphers, const std::vector<std::uint16_t>& extensions,
                   const std::vector<std::uint16_t>& groups = {29, 23, 24}) {
  MadeHello made{.ciphers = std::move(ciphers)};
  for (auto type : extensions) {
    switch (type) {
      case 0:
        made.named("www.example.com");
        break;
      case 10:
        made.with(type, made_vector(made_numbers(groups), 2));
        break;
      case 11:
        made.with(type, made_vector(std::string(1, '\0'), 1));
        break;
      case 13:
        made.with(
            type,
            made_vector(made_numbers({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}), 2));
        break;
      case 16:
        made.with(type, made_alpn({"h2", "http/1.1"}));
        break;
      case 43:
        made.with(type, made_vector(made_numbers({0xfafa, 0x0304, 0x0303}), 1));
        break;
      default:
        made.with(type, "");
    }
  }
  return made;
}

const std::vector<std::uint16_t> kChromeCiphers = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                                   0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                                                   0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
const std::vector<std::uint16_t> kChromeExtensions = {0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017,
                                                      0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
                                                      0xff01, 0x000b, 0x000a, 0x0015};

std::string ja4_protocol_of(std::initializer_list<std::string_view> protocols) {
  return std::string(ja4(read(MadeHello().with(16, made_alpn(protocols)))).text().substr(8, 2));
}

// The examples of github.com/salesforce/ja3.
TEST(Ja3, IsWhatItsAuthorsPublished) {
  MadeHello plain =
      hello_of({47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4}, {0, 10, 11}, {23, 24, 25});
  plain.legacy_version = 769;
  EXPECT_EQ(ja3_text(read(plain)), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
  EXPECT_EQ(ja3(read(plain)).text(), "ada70206e40642a3e4461f35503241d5");

  MadeHello bare{
      .legacy_version = 769, .ciphers = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}, .has_extensions = false};
  EXPECT_EQ(ja3_text(read(bare)), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
  EXPECT_EQ(ja3(read(bare)).text(), "de350869b8c85de67a350c8d186f11e6");
}

// What browserleaks.com shows for Chrome 143, which has GREASE, ECH and a post-quantum key share.
TEST(Fingerprint, OfChromeIsTheOneKnownForIt) {
  auto ciphers = kChromeCiphers;
  ciphers.insert(ciphers.begin(), 0x5a5a);
  MadeHello made = hello_of(
      ciphers, {0x3a3a, 45, 51, 16, 65037, 23, 17613, 0, 11, 10, 43, 65281, 35, 18, 5, 13, 27, 0x8a8a},
      {0x2a2a, 4588, 29, 23, 24});
  EXPECT_EQ(ja3_text(read(made)),
            "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
            "45-51-16-65037-23-17613-0-11-10-43-65281-35-18-5-13-27,4588-29-23-24,0");
  EXPECT_EQ(ja3(read(made)).text(), "98487aa16281980e7d1120d399efb6a4");
  EXPECT_EQ(ja4(read(made)).text(), "t13d1516h2_8daaf6152771_d8a2da3f94cd");
}

// The example of github.com/FoxIO-LLC/ja4, and the later Chrome that has ECH where that one has padding.
TEST(Ja4, IsWhatItsAuthorsPublished) {
  MadeHello made = hello_of(kChromeCiphers, kChromeExtensions);
  EXPECT_EQ(ja4(read(made)).text(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  made.extensions.back() = {0xfe0d, "grease"};
  EXPECT_EQ(ja4(read(made)).text(), "t13d1516h2_8daaf6152771_02713d6af862");
}

TEST(Ja4, DoesNotDependOnTheOrderOfCiphersAndExtensions) {
  auto ciphers = kChromeCiphers;
  auto extensions = kChromeExtensions;
  std::ranges::reverse(ciphers);
  std::ranges::reverse(extensions);
  EXPECT_EQ(ja4(read(hello_of(ciphers, extensions))), ja4(read(hello_of(kChromeCiphers, kChromeExtensions))));
}

// "If there are no signature algorithms in the hello packet, then the string ends without an underscore."
TEST(Ja4, LeavesTheUnderscoreOutWithoutSignatureAlgorithms) {
  auto made = hello_of(kChromeCiphers, kChromeExtensions);
  for (auto& [type, body] : made.extensions) {
    if (type == 0x000d) type = 0x1234;
  }
  auto same = read(made);
  std::ranges::replace(same.extensions, 0x1234, 0x000d);
  EXPECT_EQ(ja4(same).text(), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

TEST(Ja4, HasZeroesForWhatTheHelloDoesNotHave) {
  EXPECT_EQ(ja4(read({.ciphers = {0x0a0a}, .has_extensions = false})).text(),
            "t12i000000_000000000000_000000000000");
  EXPECT_EQ(ja4(read(hello_of({0x0a0a}, {0, 16}))).text(), "t12d0002h2_000000000000_000000000000");
}

TEST(Ja4, CountsNoFurtherThanNinetyNine) {
  std::vector<std::uint16_t> many;
  for (std::uint16_t i = 0; i < 120; ++i) many.push_back(static_cast<std::uint16_t>(0x4000 + i));
  EXPECT_EQ(ja4(read(hello_of(many, many))).text().substr(0, 10), "t12i999900");
}

TEST(Ja4, TellsTheVersion) {
  auto version = [](std::uint16_t legacy, const std::vector<std::uint16_t>& supported) {
    MadeHello made{.legacy_version = legacy};
    if (!supported.empty()) made.with(43, made_vector(made_numbers(supported), 1));
    return std::string(ja4(read(made)).text().substr(1, 2));
  };
  EXPECT_EQ(version(0x0303, {0x0303, 0x0304, 0xfafa}), "13");
  EXPECT_EQ(version(0x0303, {0x0302, 0x0301}), "11");
  EXPECT_EQ(version(0x0303, {}), "12");
  EXPECT_EQ(version(0x0301, {}), "10");
  EXPECT_EQ(version(0x0300, {}), "s3");
  EXPECT_EQ(version(0x0303, {0x7f1c}), "00");
  EXPECT_EQ(version(0x0303, {0xfafa}), "12");
}

TEST(Ja4, ShowsTheEndsOfTheFirstProtocol) {
  EXPECT_EQ(ja4_protocol_of({"http/1.1", "h2"}), "h1");
  EXPECT_EQ(ja4_protocol_of({"q"}), "qq");
  EXPECT_EQ(ja4_protocol_of({"\x1a\x1a", "h2"}), "h2");
  EXPECT_EQ(ja4_protocol_of({"\x1a\x1a"}), "00");
  // The specification's own examples.
  EXPECT_EQ(ja4_protocol_of({"\xab"}), "ab");
  EXPECT_EQ(ja4_protocol_of({"\xab\xcd"}), "ad");
  EXPECT_EQ(ja4_protocol_of({"\x30\xab"}), "3b");
  EXPECT_EQ(ja4_protocol_of({"\x30\x31\xab\xcd"}), "3d");
  EXPECT_EQ(ja4_protocol_of({"\x30\xab\xcd\x31"}), "01");
}

}  // namespace
}  // namespace lockgate::wire
