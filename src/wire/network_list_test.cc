#include "wire/network_list.h"

#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

std::string read(std::string_view text, const NetworkListLimits& limits = {}) {
  auto networks = read_network_list(text, limits);
  if (!networks) return std::to_string(networks.error().line) + ": " + networks.error().why;
  std::string all;
  for (const Network& network : *networks) all += (all.empty() ? "" : " ") + network.text();
  return all;
}

TEST(NetworkList, ReadsTheFormsInWhichListsArePublished) {
  EXPECT_EQ(read("; Spamhaus DROP List\n1.10.16.0/20 ; SBL256894\n2.56.0.0/14 ; SBL1\n"),
            "1.10.16.0/20 2.56.0.0/14");
  EXPECT_EQ(read("# FireHOL\n#\n5.188.10.0/23\n10.0.0.1\n"), "5.188.10.0/23 10.0.0.1/32");
  EXPECT_EQ(read("2001:db8::/32 # six\r\n\r\n  2001:db9::1\t\r\n"), "2001:db8::/32 2001:db9::1/128");
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "192.0.2.1"),
            "192.0.2.1/32");
  EXPECT_EQ(read(""), "");
}

TEST(NetworkList, MasksBitsBehindAPrefix) {
  EXPECT_EQ(read("192.0.2.77/24\n2001:db8::1/32\n1.2.3.4/0\nffff::/0"),
            "192.0.2.0/24 2001:db8::/32 0.0.0.0/0 ::/0");
}

TEST(NetworkList, TakesMappedAddressesForThoseOfIPv4) {
  EXPECT_EQ(read("::ffff:192.0.2.1\n::ffff:192.0.2.0/120"), "192.0.2.1/32 192.0.2.0/24");
  EXPECT_EQ(read("::ffff:192.0.2.0/90"), "1: `::ffff:192.0.2.0/90` is no network, address or range");
}

TEST(NetworkList, MakesNetworksOfRanges) {
  EXPECT_EQ(read("10.0.0.1 - 10.0.0.9"), "10.0.0.1/32 10.0.0.2/31 10.0.0.4/30 10.0.0.8/31");
  EXPECT_EQ(read("10.0.0.0-10.0.0.255 # all"), "10.0.0.0/24");
  EXPECT_EQ(read("0.0.0.0-255.255.255.255"), "0.0.0.0/0");
  EXPECT_EQ(read("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "::/0");
  EXPECT_EQ(read("255.255.255.255 - 255.255.255.255"), "255.255.255.255/32");
  EXPECT_EQ(read("2001:db8::fffe - 2001:db8::1:0"), "2001:db8::fffe/127 2001:db8::1:0/128");
}

TEST(NetworkList, TellsTheLineThatCannotBeRead) {
  EXPECT_EQ(read("192.0.2.1\n\n<html>\n"), "3: `<html>` is no network, address or range");
  for (const char* line :
       {"192.0.2.256", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2", "a.example",
        "2001:db8::/129", "10.0.0.9 - 10.0.0.1", "10.0.0.1 - ::1", "10.0.0.1 -", "- 10.0.0.1",
        "10.0.0.1 10.0.0.2", "[::1]", "fe80::1%1", "192.0.2.0/4294967320"})
    EXPECT_FALSE(read_network_list(line)) << line;
}

TEST(NetworkList, QuotesALongLineShort) { EXPECT_LT(read(std::string(100'000, 'x')).size(), 120U); }

TEST(NetworkList, IsBoundedInBytesLinesAndNetworks) {
  EXPECT_EQ(read("10.0.0.1\n", {.bytes = 8}), "0: it has more than 8 bytes");
  EXPECT_EQ(read("\n\n\n", {.lines = 2}), "3: it has more than 2 lines");
  EXPECT_EQ(read("10.0.0.1-10.0.0.9\n", {.networks = 3}), "1: it has more than 3 networks");
}

}  // namespace
}  // namespace lockgate::wire
