#include "wire/http_target.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace lockgate::wire {
namespace {

constexpr PathPolicy kReject{}, kRaw{OddPath::raw, OddPath::raw}, kDecode{OddPath::decode, OddPath::decode},
    kRawSlashes{OddPath::raw, OddPath::decode}, kRawDots{OddPath::decode, OddPath::raw};
constexpr std::array kPolicies = {kReject, kRaw, kDecode, kRawSlashes, kRawDots};

/// The path, then '?' and the query if there is one; or the error's words without "reading a ".
std::string outcome(std::string_view target, const PathPolicy& policy = {}) {
  constexpr std::string_view kReading = "reading a ";
  std::string room;
  auto read = read_target(target, policy, room);
  if (read) return std::string(read->path) + (read->has_query ? "?" + std::string(read->query) : "");
  EXPECT_EQ(read.error().code, Errc::bad_message);
  EXPECT_EQ(read.error().detail, (Detail{DetailKind::http_status, 400}));
  std::string_view doing = read.error().doing;
  EXPECT_TRUE(doing.starts_with(kReading)) << doing;
  return std::string(doing.substr(kReading.size()));
}

TEST(HttpTarget, OfEachFormIsRead) {
  struct {
    std::string_view target, read;
  } constexpr kCases[] = {
      {"/", "/"},
      {"/a/b?c=d", "/a/b?c=d"},
      {"/?", "/?"},
      {"/a?b?c", "/a?b?c"},
      {"*", "*"},
      {"http://a.example/x?y", "/x?y"},
      {"HTTPS://a.example:8443/x", "/x"},
      {"http://a.example", "/"},
      {"http://a.example?y/z", "/?y/z"},
      {"http://[::1]:80/%41", "/A"},
      {"//a.example/x", "//a.example/x"},
      {"/http://a/b", "/http://a/b"},
      {"", "target without a path"},
      {"*a", "target without a path"},
      {"?a", "target without a path"},
      {"a", "target without a path"},
      {"a/b", "target without a path"},
      {"a:443", "target without a path"},
      {"http:/a", "target without a path"},
      {"a/b://c/d", "target without a path"},
      {"://a/b", "target without a path"},
  };
  for (const auto& one : kCases) EXPECT_EQ(outcome(one.target), one.read) << one.target;
}

TEST(HttpTarget, IsAViewOfWhatWasSentUnlessItChanges) {
  for (std::string_view target : {"/", "/a/b.c?d=%zz", "/a%20b/%C3%A9", "//a//b/", "/.well-known/x", "/...",
                                  "/a..b/..c/d..", "http://a.example/x", "/%252F%252e"}) {
    std::string room = "untouched";
    auto read = read_target(target, {}, room);
    ASSERT_TRUE(read) << target;
    EXPECT_EQ(room, "untouched") << target;
    EXPECT_EQ(read->path.data(), target.data() + target.find(read->path)) << target;
  }
  std::string room = "used before";
  auto read = read_target("/%61?b", {}, room);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->path.data(), room.data());
  EXPECT_EQ(read->path, "/a");
}

TEST(HttpTarget, HasEncodingsInOneForm) {
  struct {
    std::string_view target, read;
  } constexpr kCases[] = {
      {"/%41%7a%30%2D%5f%7E", "/Az0-_~"},
      {"/%c3%a9%20%3a", "/%C3%A9%20%3A"},
      {"/a%2eb", "/a.b"},
      {"/%2ehidden", "/.hidden"},
      {"/%2E%2e%2e", "/..."},
      {"/%252F", "/%252F"},
      {"/%252e%252e/x", "/%252e%252e/x"},
      {"/%25%32%46", "/%252F"},
      {"/%25%32%65%25%32%65/x", "/%252e%252e/x"},
      {"/%25%2541", "/%25%2541"},
      {"/a;b=%3b", "/a;b=%3B"},
      {"/%0d%0a", "/%0D%0A"},
      {"/%7f%ff", "/%7F%FF"},
      {"/%c0%ae%c0%ae/", "/%C0%AE%C0%AE/"},
      {"/a|b\"<>^`{}[]", "/a|b\"<>^`{}[]"},
      {"/x?%2f%2e%zz%41%00", "/x?%2f%2e%zz%41%00"},
  };
  for (const auto& one : kCases) {
    for (const PathPolicy& policy : kPolicies) EXPECT_EQ(outcome(one.target, policy), one.read) << one.target;
  }
}

TEST(HttpTarget, ThatIsBrokenIsRefusedByEveryPolicy) {
  using namespace std::string_literals;
  const std::pair<std::string, std::string_view> kCases[] = {
      {"/%", "path with a broken percent-encoding"},
      {"/%4", "path with a broken percent-encoding"},
      {"/%zz", "path with a broken percent-encoding"},
      {"/%4g", "path with a broken percent-encoding"},
      {"/%g4", "path with a broken percent-encoding"},
      {"/%%34%31", "path with a broken percent-encoding"},
      {"/%u002e", "path with a broken percent-encoding"},
      {"/%2/x", "path with a broken percent-encoding"},
      {"/%2?f", "path with a broken percent-encoding"},
      {"/a/%-1", "path with a broken percent-encoding"},
      {"/%00", "path with %00"},
      {"/a%00.png", "path with %00"},
      {"/..%00/x", "path with %00"},
      {"/a b", "path with a character that has to be encoded"},
      {"/a\tb", "path with a character that has to be encoded"},
      {"/a\x7f", "path with a character that has to be encoded"},
      {"/caf\xc3\xa9", "path with a character that has to be encoded"},
      {"/a#b", "path with a character that has to be encoded"},
      {"/a\r\nb", "path with a character that has to be encoded"},
      {"/a\0b"s, "path with a character that has to be encoded"},
  };
  for (const auto& [target, words] : kCases) {
    for (const PathPolicy& policy : kPolicies) EXPECT_EQ(outcome(target, policy), words) << target;
  }
}

TEST(HttpTarget, WithAnEncodedSlashIsRefusedRawOrDecoded) {
  struct {
    std::string_view target, rejected, raw, decoded;
  } constexpr kCases[] = {
      {"/a%2Fb", "path with an encoded slash", "/a%2Fb", "/a/b"},
      {"/a%2fb", "path with an encoded slash", "/a%2Fb", "/a/b"},
      {"/a%5Cb", "path with an encoded slash", "/a%5Cb", "/a/b"},
      {"/a\\b", "path with a backslash", "/a\\b", "/a/b"},
      {"/%2f", "path with an encoded slash", "/%2F", "//"},
      {"/%2f%5c\\", "path with an encoded slash", "/%2F%5C\\", "////"},
      {"/a%2F", "path with an encoded slash", "/a%2F", "/a/"},
      {"/%61%2F%62", "path with an encoded slash", "/a%2Fb", "/a/b"},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(outcome(one.target, kReject), one.rejected) << one.target;
    EXPECT_EQ(outcome(one.target, kRaw), one.raw) << one.target;
    EXPECT_EQ(outcome(one.target, kRawSlashes), one.raw) << one.target;
    EXPECT_EQ(outcome(one.target, kDecode), one.decoded) << one.target;
    EXPECT_EQ(outcome(one.target, kRawDots), one.decoded) << one.target;
  }
}

TEST(HttpTarget, WithADotSegmentIsRefusedRawOrResolved) {
  constexpr std::string_view kAbove = "path that climbs above the root";
  struct {
    std::string_view target, raw, resolved;
  } const kCases[] = {
      {"/.", "/.", "/"},
      {"/./", "/./", "/"},
      {"/a/.", "/a/.", "/a/"},
      {"/a/./b", "/a/./b", "/a/b"},
      {"/a/..", "/a/..", "/"},
      {"/a/../", "/a/../", "/"},
      {"/a/../b", "/a/../b", "/b"},
      {"/a/b/../../c", "/a/b/../../c", "/c"},
      {"/a/b/c/./../../g", "/a/b/c/./../../g", "/a/g"},
      {"/a/%2e%2E/b", "/a/%2E%2E/b", "/b"},
      {"/a/.%2e/b", "/a/.%2E/b", "/b"},
      {"/a/%2e./b", "/a/%2E./b", "/b"},
      {"/a/%2e/b", "/a/%2E/b", "/a/b"},
      {"/a//../b", "/a//../b", "/a/b"},
      {"//..", "//..", "/"},
      {"/a/..//b", "/a/..//b", "//b"},
      {"/a;x/../b", "/a;x/../b", "/b"},
      {"/%61/../%62", "/a/../b", "/b"},
      {"/a/../b?c/../d", "/a/../b?c/../d", "/b?c/../d"},
      {"http://a.example/b/..", "/b/..", "/"},
      {"/..", "/..", kAbove},
      {"/../a", "/../a", kAbove},
      {"/%2e%2e/a", "/%2E%2E/a", kAbove},
      {"/a/../../b", "/a/../../b", kAbove},
      {"/a/../../../b", "/a/../../../b", kAbove},
      {"/./..", "/./..", kAbove},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(outcome(one.target, kReject), "path with a dot segment") << one.target;
    EXPECT_EQ(outcome(one.target, kRaw), one.raw) << one.target;
    EXPECT_EQ(outcome(one.target, kRawDots), one.raw) << one.target;
    EXPECT_EQ(outcome(one.target, kDecode), one.resolved) << one.target;
    EXPECT_EQ(outcome(one.target, kRawSlashes), one.resolved) << one.target;
  }
}

TEST(HttpTarget, WithSlashesBehindSlashesIsRefusedRawOrHasThemMerged) {
  constexpr PathPolicy kRefused{OddPath::decode, OddPath::decode, OddPath::reject},
      kMerged{OddPath::decode, OddPath::decode, OddPath::decode},
      kMergedBesideRaw{OddPath::raw, OddPath::decode, OddPath::decode};
  struct {
    std::string_view target, merged, beside_raw;
  } const kCases[] = {
      {"//", "/", "/"},
      {"//a", "/a", "/a"},
      {"/a//b", "/a/b", "/a/b"},
      {"/a///b//", "/a/b/", "/a/b/"},
      {"/a/%2F/b", "/a/b", "/a/%2F/b"},
      {"/a%2F/b", "/a/b", "/a%2F/b"},
      {"/a/..//b", "/b", "/b"},
      {"/a//../b", "/b", "/b"},
      {"/a/.//b", "/a/b", "/a/b"},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(outcome(one.target, kRefused), "path with a slash behind a slash") << one.target;
    EXPECT_EQ(outcome(one.target, kMerged), one.merged) << one.target;
    EXPECT_EQ(outcome(one.target, kMergedBesideRaw), one.beside_raw) << one.target;
  }
  EXPECT_EQ(outcome("/a/b/", kRefused), "/a/b/");
  EXPECT_EQ(outcome("/", kRefused), "/");
}

TEST(HttpTarget, HasEncodedSlashesDecodedBeforeDotSegmentsAreLookedFor) {
  constexpr PathPolicy kDecodedOnly{OddPath::decode, OddPath::reject};
  EXPECT_EQ(outcome("/a%2F..%2fb", kDecode), "/b");
  EXPECT_EQ(outcome("/a/..%5cb", kDecode), "/b");
  EXPECT_EQ(outcome("/a\\..\\b", kDecode), "/b");
  EXPECT_EQ(outcome("/..%2fb", kDecode), "path that climbs above the root");
  EXPECT_EQ(outcome("/a%2f%2e%2e%2f%2e%2e%2fb", kDecode), "path that climbs above the root");
  EXPECT_EQ(outcome("/a%2F..%2fb", kDecodedOnly), "path with a dot segment");
}

TEST(HttpTarget, HasNoDotSegmentBesideASlashThatStaysRaw) {
  constexpr PathPolicy kNoDots{OddPath::raw, OddPath::reject};
  for (std::string_view target : {"/a/..%2fb", "/a%2f..", "/a%5c../b", "/a/.\\b", "/a\\%2e%2e%5Cb"}) {
    EXPECT_EQ(outcome(target, kRawSlashes), "path with a dot segment beside an encoded slash") << target;
    EXPECT_EQ(outcome(target, kNoDots), "path with a dot segment") << target;
  }
  EXPECT_EQ(outcome("/a/..%2fb", kRaw), "/a/..%2Fb");
  EXPECT_EQ(outcome("/a%2fb/../c", kRawSlashes), "/c");
}

TEST(HttpTarget, HasNoDotSegmentWithParametersUnlessRaw) {
  struct {
    std::string_view target, raw;
  } constexpr kCases[] = {
      {"/a/..;/b", "/a/..;/b"},         {"/a/..;x=y/b", "/a/..;x=y/b"},   {"/a/.;/b", "/a/.;/b"},
      {"/a/..%3bx/b", "/a/..%3Bx/b"},   {"/a/%2e%2e;/b", "/a/%2E%2E;/b"}, {"/a/.%2E%3B%61", "/a/.%2E%3Ba"},
      {"/..;/manager", "/..;/manager"},
  };
  for (const auto& one : kCases) {
    for (const PathPolicy& policy : {kReject, kDecode, kRawSlashes}) {
      EXPECT_EQ(outcome(one.target, policy), "path with a dot segment that has parameters") << one.target;
    }
    EXPECT_EQ(outcome(one.target, kRaw), one.raw) << one.target;
    EXPECT_EQ(outcome(one.target, kRawDots), one.raw) << one.target;
  }
  EXPECT_EQ(outcome("/a/...;x"), "/a/...;x");
  EXPECT_EQ(outcome("/a/;..;x"), "/a/;..;x");
}

TEST(HttpTarget, ReadAgainIsTheSameWhereverItIsCut) {
  constexpr std::string_view kTarget = "http://a.example/%61/%2e%2E/b%2fc/./%c3%a9\\d/..;e/%252e?f#g";
  for (std::size_t size = 0; size <= kTarget.size(); ++size) {
    for (const PathPolicy& policy : kPolicies) {
      std::string room, again_room;
      auto read = read_target(kTarget.substr(0, size), policy, room);
      if (!read) continue;
      auto again = read_target(read->path, policy, again_room);
      ASSERT_TRUE(again) << size;
      EXPECT_EQ(again->path, read->path);
    }
  }
}

}  // namespace
}  // namespace lockgate::wire
