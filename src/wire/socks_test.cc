#include "wire/socks.h"

#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

using namespace std::string_literals;

/// "more", the numbers of the answer, or the name of the error.
std::string method(const std::string& seen) {
  auto parsed = parse_socks_method(as_bytes(seen));
  if (!parsed) return "more";
  if (!*parsed) return std::string(name_of(parsed->error().code));
  return std::to_string((*parsed)->number) + ", " + std::to_string((*parsed)->size);
}
std::string login(const std::string& seen) {
  auto parsed = parse_socks_login(as_bytes(seen));
  if (!parsed) return "more";
  if (!*parsed) return std::string(name_of(parsed->error().code));
  return ((*parsed)->accepted ? "accepted, " : "not, ") + std::to_string((*parsed)->size);
}
std::string reply(const std::string& seen) {
  auto parsed = parse_socks_reply(as_bytes(seen));
  if (!parsed) return "more";
  if (!*parsed) return std::string(name_of(parsed->error().code));
  return std::to_string((*parsed)->code) + ", " + std::to_string((*parsed)->size);
}
std::string connect(std::string_view host, std::uint16_t port) {
  auto request = write_socks_connect(host, port);
  return request ? *request : std::string(name_of(request.error().code));
}

// RFC 1928, 3.
TEST(Socks, GreetsWithTheWaysItKnows) {
  EXPECT_EQ(write_socks_greeting(false), "\x05\x01\x00"s);
  EXPECT_EQ(write_socks_greeting(true), "\x05\x02\x00\x02"s);
}

TEST(Socks, ReadsTheChoice) {
  EXPECT_EQ(method(""), "more");
  EXPECT_EQ(method("\x05"), "more");
  EXPECT_EQ(method("\x05\x00"s), "0, 2");
  EXPECT_EQ(method("\x05\x02more"s), "2, 2");
  EXPECT_EQ(method("\x05\xff"), "255, 2");
  EXPECT_EQ(method("\x04"), "bad_message");
  EXPECT_EQ(method("HTTP/1.0 400"), "bad_message");
}

// RFC 1929, 2.
TEST(Socks, LogsIn) {
  EXPECT_EQ(write_socks_login("user", "secret:x"), "\x01\x04user\x08secret:x");
  std::string longest(255, 'x');
  EXPECT_EQ(write_socks_login(longest, longest), "\x01\xff" + longest + "\xff" + longest);
}

TEST(Socks, TellsWhoCannotLogIn) {
  std::string longest(255, 'x'), longer(256, 'x');
  EXPECT_EQ(why_not_in_socks("u", "p"), "");
  EXPECT_EQ(why_not_in_socks(longest, longest), "");
  EXPECT_EQ(why_not_in_socks("", "p"), "SOCKS5 has no empty user names");
  EXPECT_EQ(why_not_in_socks("u", ""), "SOCKS5 has no empty passwords");
  EXPECT_EQ(why_not_in_socks(longer, "p"),
            "the user name is longer than the 255 bytes that SOCKS5 has for it");
  EXPECT_EQ(why_not_in_socks("u", longer),
            "the password is longer than the 255 bytes that SOCKS5 has for it");
  EXPECT_EQ(write_socks_login("u", longer).error().code, Errc::bad_message);
}

TEST(Socks, ReadsWhetherItIsLetIn) {
  EXPECT_EQ(login(""), "more");
  EXPECT_EQ(login("\x01"), "more");
  EXPECT_EQ(login("\x01\x00more"s), "accepted, 2");
  EXPECT_EQ(login("\x05\x00"s), "accepted, 2");
  EXPECT_EQ(login("\x01\x01"), "not, 2");
  EXPECT_EQ(login("\x01\xff"), "not, 2");
  EXPECT_EQ(login("\x02"), "bad_message");
}

// RFC 1928, 4 and 5.
TEST(Socks, AsksForNamesAndAddresses) {
  EXPECT_EQ(connect("Mail.Example.", 443), "\x05\x01\x00\x03\x0cmail.example\x01\xbb"s);
  EXPECT_EQ(connect("192.0.2.1", 25), "\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x19"s);
  EXPECT_EQ(connect("2001:db8::1", 65535),
            "\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xff\xff"s);
  EXPECT_EQ(connect("::ffff:192.0.2.1", 25), connect("192.0.2.1", 25));
}

TEST(Socks, AsksForNothingElse) {
  for (const auto& host : {""s, "."s, "a b"s, "a:1"s, "[::1]"s, "fe80::1%lo"s, "caf\xc3\xa9"s, "a\0b"s}) {
    EXPECT_EQ(connect(host, 443), "bad_message") << host;
  }
  EXPECT_EQ(connect(std::string(254, 'x'), 443), "bad_message");
}

// RFC 1928, 6.
TEST(SocksReply, IsReadAtEverySplitPointWithAnyTypeOfAddress) {
  for (const std::string& whole :
       {"\x05\0\0\x01\x7f\0\0\x01\x1f\x90"s, "\x05\0\0\x04"s + std::string(18, '\x01'),
        "\x05\0\0\x03\x07"s + "a.examp" + "\0\x50"s, "\x05\0\0\x03\0\0\x50"s,
        "\x05\0\x99\x03\xff"s + std::string(257, 'x')}) {
    for (std::size_t size = 0; size < whole.size(); ++size) ASSERT_EQ(reply(whole.substr(0, size)), "more");
    EXPECT_EQ(reply(whole), "0, " + std::to_string(whole.size()));
    EXPECT_EQ(reply(whole + "220 the upstream speaks first"), "0, " + std::to_string(whole.size()));
  }
}

TEST(SocksReply, ThatRefusesNeedsNoAddress) {
  EXPECT_EQ(reply("\x05\x01"), "1, 0");
  EXPECT_EQ(reply("\x05\xf4\x00\x09"s), "244, 0");
}

TEST(SocksReply, OfAnotherVersionOrTypeIsRefused) {
  EXPECT_EQ(reply("\x04"), "bad_message");
  EXPECT_EQ(reply("H"), "bad_message");
  EXPECT_EQ(reply("\x05\0\0\x02"s), "bad_message");
  EXPECT_EQ(reply("\x05\0\0\0"s), "bad_message");
}

TEST(SocksReply, MeansWhatItsCodeSays) {
  for (int code : {1, 2, 5, 7, 8, 9, 255}) {
    EXPECT_EQ(meaning_of_socks_reply(static_cast<std::uint8_t>(code)), Errc::refused) << code;
  }
  EXPECT_EQ(meaning_of_socks_reply(3), Errc::unreachable);
  EXPECT_EQ(meaning_of_socks_reply(4), Errc::unreachable);
  EXPECT_EQ(meaning_of_socks_reply(6), Errc::timed_out);
}

}  // namespace
}  // namespace lockgate::wire
