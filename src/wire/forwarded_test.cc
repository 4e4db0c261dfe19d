#include "wire/forwarded.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockgate::wire {
namespace {

using Values = std::vector<std::string_view>;

const std::vector<Network> kTrusted = {*Network::parse("10.0.0.0/8"), *Network::parse("2001:db8:1::/48")};

std::vector<HeadField> fields_of(std::string_view name, const Values& values) {
  std::vector<HeadField> fields = {{"Host", "a.example"}};
  for (std::string_view value : values) fields.push_back({name, value});
  fields.push_back({"X-Other", "192.0.2.99"});
  return fields;
}

/// "ADDRESS", "ADDRESS PORT", then the proto and the host if they are told; or "nobody".
std::string words_for(const std::optional<NamedClient>& client) {
  if (!client) return "nobody";
  std::string text = client->ip.text();
  if (client->port != 0) text += " " + std::to_string(client->port);
  if (!client->proto.empty()) text += " " + std::string(client->proto);
  if (!client->host.empty()) text += " " + std::string(client->host);
  return text;
}

std::string in_list(const Values& values) {
  return words_for(client_of_list(fields_of("x-forwarded-FOR", values), "X-Forwarded-For", kTrusted));
}
std::string in_forwarded(const Values& values) {
  return words_for(client_of_forwarded(fields_of("FORWARDED", values), kTrusted));
}
std::string in_field(const Values& values) {
  return words_for(client_of_field(fields_of("x-real-ip", values), "X-Real-IP"));
}

TEST(ForwardedList, HasAddressesInManyForms) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"192.0.2.1", "192.0.2.1"},        {"192.0.2.1:8080", "192.0.2.1 8080"},
      {"192.0.2.1:0", "192.0.2.1"},      {" \t192.0.2.1 ", "192.0.2.1"},
      {"2001:db8::1", "2001:db8::1"},    {"2001:DB8:0:0::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},  {"[2001:db8::1]:443", "2001:db8::1 443"},
      {"::ffff:192.0.2.1", "192.0.2.1"}, {"[::ffff:192.0.2.1]:80", "192.0.2.1 80"},
      {"fe80::1%eth0", "fe80::1"},       {"[fe80::1%25eth0]:80", "fe80::1 80"},
      {"192.0.2.1:_port", "192.0.2.1"},
  };
  for (const auto& [value, client] : kCases) EXPECT_EQ(in_list({value}), client) << value;
}

TEST(ForwardedList, OfWhatIsNoAddressNamesNobody) {
  for (std::string_view value : {"",
                                 " ",
                                 ",",
                                 ",, ,",
                                 "unknown",
                                 "_hidden",
                                 "-",
                                 "unix:",
                                 "a.example",
                                 "192.0.2",
                                 "192.0.2.256",
                                 "192.0.2.01",
                                 "192.0.2.1:",
                                 "192.0.2.1:x",
                                 "192.0.2.1:65536",
                                 "192.0.2.1:-1",
                                 "192.0.2.1 80",
                                 "192.0.2.1/32",
                                 "[192.0.2.1]",
                                 "[192.0.2.1]:80",
                                 "[2001:db8::1",
                                 "2001:db8::1]",
                                 "[2001:db8::1]80",
                                 "[2001:db8::1]:",
                                 "[2001:db8::1]:_",
                                 "[[2001:db8::1]]",
                                 "192.0.2.1%1",
                                 "\"192.0.2.1\"",
                                 "for=192.0.2.1",
                                 "0.0.0.0",
                                 "::",
                                 "[]",
                                 "[",
                                 ":",
                                 "::1::",
                                 "192.0.2.1;x"}) {
    EXPECT_EQ(in_list({value}), "nobody") << value;
  }
  EXPECT_EQ(in_list({}), "nobody");
}

TEST(ForwardedList, IsReadFromItsEndAsFarAsItIsTrusted) {
  const std::pair<Values, std::string_view> kCases[] = {
      {{"192.0.2.1, 192.0.2.2"}, "192.0.2.2"},
      {{"192.0.2.1, 10.0.0.1"}, "192.0.2.1"},
      {{"192.0.2.9, 192.0.2.1, 10.0.0.2, 2001:db8:1::5"}, "192.0.2.1"},
      {{"192.0.2.9,192.0.2.1,10.0.0.2"}, "192.0.2.1"},
      {{"192.0.2.1:4711, 10.0.0.1:4712"}, "192.0.2.1 4711"},
      {{"192.0.2.1, ::ffff:10.0.0.1"}, "192.0.2.1"},
      {{"10.0.0.3, 10.0.0.2, 10.0.0.1"}, "10.0.0.3"},
      {{"192.0.2.1, 10.0.0.1, "}, "192.0.2.1"},
      {{"192.0.2.1,, ,10.0.0.1"}, "192.0.2.1"},
  };
  for (const auto& [values, client] : kCases) EXPECT_EQ(in_list(values), client) << values.front();
}

TEST(ForwardedList, EndsAtAnEntryThatIsNoAddress) {
  EXPECT_EQ(in_list({"192.0.2.1, unknown"}), "nobody");
  EXPECT_EQ(in_list({"192.0.2.1, unknown, 10.0.0.1"}), "10.0.0.1");
  EXPECT_EQ(in_list({"192.0.2.1, junk here, 10.0.0.2, 10.0.0.1"}), "10.0.0.2");
  EXPECT_EQ(in_list({"192.0.2.1, unix:, 10.0.0.1"}), "10.0.0.1");
  EXPECT_EQ(in_list({"junk, 192.0.2.1, 10.0.0.1"}), "192.0.2.1");
}

TEST(ForwardedList, OfSeveralFieldsIsOneInTheirOrder) {
  EXPECT_EQ(in_list({"192.0.2.1", "192.0.2.2"}), "192.0.2.2");
  EXPECT_EQ(in_list({"192.0.2.1", "10.0.0.1"}), "192.0.2.1");
  EXPECT_EQ(in_list({"192.0.2.9, 192.0.2.1", "10.0.0.1, 10.0.0.2", "10.0.0.3"}), "192.0.2.1");
  EXPECT_EQ(in_list({"192.0.2.1", "unknown", "10.0.0.3"}), "10.0.0.3");
  EXPECT_EQ(in_list({"192.0.2.1", "", "10.0.0.3"}), "192.0.2.1");
}

TEST(ForwardedList, IsLookedAtSoFarOnly) {
  std::string list = "192.0.2.1";
  for (std::size_t i = 1; i < kMostForwarders; ++i) list += ", 10.0.0." + std::to_string(i);
  EXPECT_EQ(in_list({list}), "192.0.2.1");
  EXPECT_EQ(in_list({list + ", 10.0.1.1"}), "10.0.0.1");
  EXPECT_EQ(in_list({"192.0.2.1", std::string(kMostForwarders, ',')}), "nobody");
}

TEST(ForwardedList, WithoutTrustedNetworksNamesItsLastAddress) {
  auto fields = fields_of("X-Forwarded-For", {"192.0.2.1, 192.0.2.2"});
  EXPECT_EQ(words_for(client_of_list(fields, "x-forwarded-for", {})), "192.0.2.2");
}

TEST(ForwardedField, IsOneAddress) {
  EXPECT_EQ(in_field({"192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(in_field({"10.0.0.1"}), "10.0.0.1");
  EXPECT_EQ(in_field({"[2001:db8::1]:80"}), "2001:db8::1 80");
  EXPECT_EQ(in_field({"192.0.2.1, 192.0.2.2"}), "nobody");
  EXPECT_EQ(in_field({"192.0.2.1", "192.0.2.1"}), "nobody");
  EXPECT_EQ(in_field({"unknown"}), "nobody");
  EXPECT_EQ(in_field({""}), "nobody");
  EXPECT_EQ(in_field({}), "nobody");
}

// The examples are those of RFC 7239, 4 and 6.
TEST(ForwardedList, HasTheNearestProxysWordAtItsEnd) {
  auto last = [](std::vector<HeadField> fields) { return last_of_list(fields, "X-Forwarded-Proto"); };
  EXPECT_EQ(last({{"X-Forwarded-Proto", "https"}}), "https");
  EXPECT_EQ(last({{"X-Forwarded-Proto", "https, http"}}), "http");
  EXPECT_EQ(last({{"X-Forwarded-Proto", "https"}, {"x-forwarded-proto", " http ,, "}, {"X-Other", "x"}}),
            "http");
  EXPECT_EQ(last({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", " ,"}}), "https");
  EXPECT_EQ(last({{"X_Forwarded_Proto", "https"}}), "");
}

TEST(Forwarded, NamesAClient) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"for=192.0.2.60", "192.0.2.60"},
      {"For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17 4711"},
      {"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60 http"},
      {"for=192.0.2.43, for=198.51.100.17", "198.51.100.17"},
      {"for=\"192.0.2.43:47011\"", "192.0.2.43 47011"},
      {"for=\"192.0.2.43:_obf.port-1\"", "192.0.2.43"},
      {"for=\"[::ffff:192.0.2.1]\"", "192.0.2.1"},
      {"proto=https;host=a.example;for=192.0.2.1", "192.0.2.1 https a.example"},
      {"FOR=192.0.2.1;PROTO=HTTPS;HOST=A.example", "192.0.2.1 HTTPS A.example"},
      {"for=192.0.2.1;host=\"a.example:8080\"", "192.0.2.1 a.example:8080"},
      {"for=192.0.2.1;host=\"[2001:db8::1]:8080\"", "192.0.2.1 [2001:db8::1]:8080"},
      {"for=192.0.2.1;by=_hidden;secret=\"a,\\\"b;c\";proto=http", "192.0.2.1 http"},
      {"for=192.0.2.1;by=\"_x\"", "192.0.2.1"},
      {";for=192.0.2.1;;", "192.0.2.1"},
      {"for=192.0.2.1 ; proto=https", "192.0.2.1 https"},
      {"for=192.0.2.1:80", "192.0.2.1 80"},
      {"for=[2001:db8::1]:80", "2001:db8::1 80"},
      {",for=192.0.2.1, ,", "192.0.2.1"},
  };
  for (const auto& [value, client] : kCases) EXPECT_EQ(in_forwarded({value}), client) << value;
}

TEST(Forwarded, TellsNoHostOrSchemeThatIsNone) {
  EXPECT_EQ(in_forwarded({"for=192.0.2.1;host=\"a b\""}), "192.0.2.1");
  EXPECT_EQ(in_forwarded({"for=192.0.2.1;host=\"a/b\";proto=\"x y\""}), "192.0.2.1");
  EXPECT_EQ(in_forwarded({"for=192.0.2.1;host=\"\";proto=\"\""}), "192.0.2.1");
  EXPECT_EQ(in_forwarded({"for=192.0.2.1;host=\"a\\.example\""}), "192.0.2.1");
  EXPECT_EQ(in_forwarded({"for=192.0.2.1;host=u@a"}), "192.0.2.1");
}

TEST(Forwarded, ThatIsBrokenOrObfuscatedNamesNobody) {
  for (std::string_view value : {"",
                                 "for",
                                 "for=",
                                 "for=\"\"",
                                 "for=unknown",
                                 "for=_gazonk",
                                 "for=\"_gazonk:80\"",
                                 "for=a.example",
                                 "for=\"192.0.2.1",
                                 "for=192.0.2.1\"",
                                 "for=\"192.0.2.1\"x",
                                 "for=x\"192.0.2.1\"",
                                 "for= 192.0.2.1",
                                 "for =192.0.2.1",
                                 "for=192.0.2.1 x",
                                 "for=192.0.2.1;for=192.0.2.1",
                                 "for=192.0.2.1;proto=a;Proto=b",
                                 "for=192.0.2.1;host=a;host=b",
                                 "for=192.0.2.1;by=a;by=b",
                                 "for=192.0.2.1;x",
                                 "for=192.0.2.1;=x",
                                 "for=192.0.2.1;x y=z",
                                 "for=192.0.2.1;host=\"a",
                                 "for=192.0.2.1;x=\"\\\"",
                                 "for=\"192.0.2\\.1\"",
                                 "proto=https;by=10.0.0.1",
                                 "192.0.2.1",
                                 "for=[192.0.2.1]",
                                 "for:192.0.2.1"}) {
    EXPECT_EQ(in_forwarded({value}), "nobody") << value;
  }
}

TEST(Forwarded, IsReadFromItsEndAsFarAsItIsTrusted) {
  const std::pair<Values, std::string_view> kCases[] = {
      {{"for=192.0.2.1;proto=https;host=a, for=10.0.0.1;proto=http;host=b"}, "192.0.2.1 https a"},
      {{"for=192.0.2.9, for=192.0.2.1, for=\"[2001:db8:1::1]:80\""}, "192.0.2.1"},
      {{"for=192.0.2.1;proto=https", "for=10.0.0.1"}, "192.0.2.1 https"},
      {{"for=192.0.2.1", "for=10.0.0.2, for=10.0.0.1"}, "192.0.2.1"},
      {{"for=192.0.2.1, for=unknown, for=10.0.0.1"}, "10.0.0.1"},
      {{"for=192.0.2.1, for=_hidden"}, "nobody"},
      {{"for=192.0.2.1, proto=https, for=10.0.0.1;proto=http"}, "10.0.0.1 http"},
      {{"for=10.0.0.3;host=x, for=10.0.0.2"}, "10.0.0.3 x"},
      {{"for=192.0.2.1;x=\"a, for=192.0.2.2\", for=10.0.0.1"}, "192.0.2.1"},
      {{"for=192.0.2.1;x=\"\\\", for=192.0.2.2\\\\\", for=10.0.0.1"}, "192.0.2.1"},
  };
  for (const auto& [values, client] : kCases) EXPECT_EQ(in_forwarded(values), client) << values.front();
}

TEST(Forwarded, HasAnEndThatNobodyToItsLeftCanSpoil) {
  for (std::string_view forged :
       {"for=\"", "for=\"x", "\"", "\\", "\"\\", "for=192.0.2.9;host=\"a", "x=\"\"\"", "="}) {
    std::string list = std::string(forged) + ", for=\"192.0.2.1:80\";host=\"a.example:1\"";
    EXPECT_EQ(in_forwarded({list}), "192.0.2.1 80 a.example:1") << list;
    EXPECT_EQ(in_forwarded({forged, "for=192.0.2.1"}), "192.0.2.1") << forged;
  }
}

TEST(Forwarded, IsLookedAtSoFarOnly) {
  std::string list = "for=192.0.2.1";
  for (std::size_t i = 1; i < kMostForwarders; ++i) list += ",for=10.0.0." + std::to_string(i);
  EXPECT_EQ(in_forwarded({list}), "192.0.2.1");
  EXPECT_EQ(in_forwarded({list + ",for=10.0.1.1"}), "10.0.0.1");
}

TEST(Forwarded, CutOrSplitAnywhereGivesAnOutcome) {
  constexpr std::string_view kList =
      "for=192.0.2.1;x=\"a\\\",b\";proto=https, for=\"[2001:db8:1::1]:80\";by=_x";
  EXPECT_EQ(in_forwarded({kList}), "192.0.2.1 https");
  for (std::size_t at = 0; at <= kList.size(); ++at) {
    (void)in_forwarded({kList.substr(0, at)});
    (void)in_forwarded({kList.substr(at)});
    (void)in_forwarded({kList.substr(0, at), kList.substr(at)});
  }
}

Ip ip(std::string_view text) { return *Ip::parse(text); }

std::string written(const ForwardedElement& element, std::string value = "") {
  append_forwarded(element, value);
  return value;
}

TEST(Forwarded, IsWritten) {
  EXPECT_EQ(written({.client = ip("192.0.2.1")}), "for=192.0.2.1");
  EXPECT_EQ(written({.client = ip("192.0.2.1"), .client_port = 80}), "for=\"192.0.2.1:80\"");
  EXPECT_EQ(written({.client = ip("2001:db8::1")}), "for=\"[2001:db8::1]\"");
  EXPECT_EQ(written({.client = ip("2001:db8::1"), .client_port = 80}), "for=\"[2001:db8::1]:80\"");
  EXPECT_EQ(written({.client = ip("fe80::1%1")}), "for=\"[fe80::1]\"");
  EXPECT_EQ(written({}), "for=unknown");
  EXPECT_EQ(
      written({.client = ip("192.0.2.1"), .by = ip("2001:db8::2"), .host = "a.example", .proto = "https"}),
      "for=192.0.2.1;by=\"[2001:db8::2]\";host=a.example;proto=https");
  EXPECT_EQ(written({.client = ip("192.0.2.1"), .host = "a.example:8080"}),
            "for=192.0.2.1;host=\"a.example:8080\"");
  EXPECT_EQ(written({.client = ip("192.0.2.1"), .host = "a\"b\\c, d"}), R"(for=192.0.2.1;host="a\"b\\c, d")");
  EXPECT_EQ(written({.client = ip("192.0.2.1"), .host = "a\r\nb", .proto = "x y"}), "for=192.0.2.1");
}

TEST(Forwarded, IsAppendedToWhatThereWas) {
  EXPECT_EQ(written({.client = ip("192.0.2.1")}, "for=_x;proto=http"), "for=_x;proto=http, for=192.0.2.1");
}

TEST(Forwarded, IsReadAsItWasWritten) {
  for (std::string_view client : {"192.0.2.1", "2001:db8::1"}) {
    for (std::string_view host : {"a.example", "a.example:80", "[2001:db8::1]:80", "[::1]"}) {
      std::string list =
          written({.client = ip(client), .client_port = 81, .host = host, .proto = "https"}, "\"");
      std::string words = std::string(client) + " 81 https " + std::string(host);
      EXPECT_EQ(in_forwarded({list}), words) << list;
    }
  }
}

}  // namespace
}  // namespace lockgate::wire
