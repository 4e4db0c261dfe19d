#include "wire/file_name.h"

#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

using namespace std::string_view_literals;

std::string of(std::string_view path) {
  std::string room;
  auto name = read_file_name(path, room);
  return name ? std::string(*name) : std::to_string(name.error().detail.number);
}

TEST(FileName, IsThePathWithoutItsFirstSlash) {
  EXPECT_EQ(of("/a.html"), "a.html");
  EXPECT_EQ(of("a.html"), "a.html");
  EXPECT_EQ(of("/a/b/c.tar.gz"), "a/b/c.tar.gz");
  EXPECT_EQ(of("///a//b"), "a//b");
  EXPECT_EQ(of("/a/"), "a/");
  EXPECT_EQ(of("/"), "");
  EXPECT_EQ(of(""), "");
}

TEST(FileName, IsDecodedOnce) {
  EXPECT_EQ(of("/a%20b%5B1%5d"), "a b[1]");
  EXPECT_EQ(of("/%252e%252e/a%252Fb"), "%2e%2e/a%2Fb");
  EXPECT_EQ(of("/gr%C3%BCn"), "gr\xc3\xbcn");
  EXPECT_EQ(of("/100%25"), "100%");
}

TEST(FileName, HasNoSlashOrNulInDisguise) {
  for (auto path : {"/a%2Fb"sv, "/%2f"sv, "/..%2f..%2fetc/passwd"sv, "/a%00.html"sv, "/a\0b"sv, "/%"sv,
                    "/%2"sv, "/%zz"sv, "/a%2"sv, "/%2e%2e%2fa"sv}) {
    EXPECT_EQ(of(path), "400") << path;
  }
}

TEST(FileName, DoesNotBeginWithADot) {
  for (const char* path : {"/.git", "/.git/config", "/a/.htaccess", "/..", "/a/../b", "/./a", "/a/.", "/a/..",
                           "/%2e%2e/a", "/.%2E/a", "/.well-known2", "/...", "/.WELL-KNOWN/x"}) {
    EXPECT_EQ(of(path), "404") << path;
  }
  EXPECT_EQ(of("/.well-known/acme-challenge/x"), ".well-known/acme-challenge/x");
  EXPECT_EQ(of("/.well-known/.secret"), "404");
  EXPECT_EQ(of("/a.b/c..d/e."), "a.b/c..d/e.");
}

}  // namespace
}  // namespace lockgate::wire
