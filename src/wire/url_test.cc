#include "wire/url.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate::wire {
namespace {

/// Its parts in their order, each in parentheses, '-' for what is not there; or "none".
std::string parts(std::string_view text) {
  auto url = parse_url(text);
  if (!url) return "none";
  auto in_parentheses = [](bool there, std::string_view part) {
    return there ? "(" + std::string(part) + ")" : "-";
  };
  std::string port = url->port ? std::to_string(*url->port) : "";
  return in_parentheses(!url->scheme.empty(), url->scheme) + in_parentheses(true, url->host) +
         in_parentheses(url->port.has_value(), port) + in_parentheses(!url->path.empty(), url->path) +
         in_parentheses(url->has_query, url->query) + in_parentheses(url->has_fragment, url->fragment);
}

std::string authority(std::string_view text) {
  auto parsed = parse_authority(text);
  if (!parsed) return "none";
  return std::string(parsed->host) + (parsed->port ? " " + std::to_string(*parsed->port) : "");
}

TEST(Url, IsReadIntoItsParts) {
  struct {
    std::string_view text, parts;
  } constexpr kCases[] = {
      {"http://a.example", "(http)(a.example)----"},
      {"http://a.example/", "(http)(a.example)-(/)--"},
      {"HTTPS://A.Example:8443/x/y?z#f", "(HTTPS)(A.Example)(8443)(/x/y)(z)(f)"},
      {"//a.example/x", "-(a.example)-(/x)--"},
      {"//a:1", "-(a)(1)---"},
      {"http://[2001:db8::1]:80/", "(http)([2001:db8::1])(80)(/)--"},
      {"http://192.0.2.1?q", "(http)(192.0.2.1)--(q)-"},
      {"http://a?", "(http)(a)--()-"},
      {"http://a#", "(http)(a)---()"},
      {"http://a#b?c", "(http)(a)---(b?c)"},
      {"http://a/?b?c", "(http)(a)-(/)(b?c)-"},
      {"http://a//b//", "(http)(a)-(//b//)--"},
      {"http://a:/", "(http)(a)-(/)--"},
      {"a+b-c.d://a", "(a+b-c.d)(a)----"},
      {"http://a/%41%2f;x=(1,2)'*!$&+@:~", "(http)(a)-(/%41%2f;x=(1,2)'*!$&+@:~)--"},
  };
  for (const auto& one : kCases) EXPECT_EQ(parts(one.text), one.parts) << one.text;
}

TEST(Url, IsNothingElse) {
  for (std::string_view text : {"",
                                "a",
                                "/",
                                "/a",
                                "//",
                                "///a",
                                "http:",
                                "http:/a",
                                "http://",
                                "http:///a",
                                "://a",
                                "1http://a",
                                "ht tp://a",
                                "h\xc3\xa9://a",
                                "http://u@a/",
                                "http://u:p@a/",
                                "http://a b/",
                                "http://a\\b/",
                                "http://a\\@b/",
                                "http://a:b/",
                                "http://a:65536/",
                                "http://a:000080/",
                                "http://a:-1/",
                                "http://a:+1/",
                                "http://a:1:2/",
                                "http://.a/",
                                "http://a..b/",
                                "http://a,b/",
                                "http://%61/",
                                "http://\xc3\xa9/",
                                "http://[/",
                                "http://[]/",
                                "http://[::1/",
                                "http://[::1]x/",
                                "http://[192.0.2.1]/",
                                "http://[fe80::1%25lo]/",
                                "http://[v1.a]/",
                                "http://::1/",
                                "http://a/ b",
                                "http://a/\t",
                                "http://a/\x7f",
                                "http://a/\xc3\xa9",
                                "http://a/%",
                                "http://a/%4",
                                "http://a/%4g",
                                "http://a/<b>",
                                "http://a/\\b",
                                "http://a/b#c#d",
                                "mailto:a@b",
                                "javascript:alert(1)"}) {
    EXPECT_EQ(parts(text), "none") << text;
  }
}

TEST(Url, CutAnywhereIsReadOrNot) {
  constexpr std::string_view kUrl = "https://[2001:db8::1]:8443/x%41?y#z";
  for (std::size_t size = 0; size <= kUrl.size(); ++size) {
    auto url = parse_url(kUrl.substr(0, size));
    if (url) EXPECT_EQ(url->host, "[2001:db8::1]");
    EXPECT_EQ(url.has_value(), size >= 21 && size != 29 && size != 30) << size;
  }
}

TEST(Authority, IsAHostAndPerhapsAPort) {
  EXPECT_EQ(authority("a.example"), "a.example");
  EXPECT_EQ(authority("a.example."), "a.example.");
  EXPECT_EQ(authority("A_b-1:0"), "A_b-1 0");
  EXPECT_EQ(authority("a:65535"), "a 65535");
  EXPECT_EQ(authority("[::1]:443"), "[::1] 443");
  EXPECT_EQ(authority("[::ffff:192.0.2.1]"), "[::ffff:192.0.2.1]");
  EXPECT_EQ(authority("unix:/run/x.sock"), "none");
  EXPECT_EQ(authority(""), "none");
  EXPECT_EQ(authority(":80"), "none");
  EXPECT_EQ(authority("a/"), "none");
  EXPECT_EQ(authority(std::string(255, 'a')), "none");
}

TEST(DefaultPort, IsKnownForFourSchemes) {
  EXPECT_EQ(default_port("http"), 80);
  EXPECT_EQ(default_port("HTTPS"), 443);
  EXPECT_EQ(default_port("ws"), 80);
  EXPECT_EQ(default_port("Wss"), 443);
  EXPECT_EQ(default_port("ftp"), std::nullopt);
  EXPECT_EQ(default_port(""), std::nullopt);
}

TEST(SameHost, ComparesNamesInAnyCaseAndAddressesByValue) {
  EXPECT_TRUE(same_host("A.example", "a.EXAMPLE"));
  EXPECT_TRUE(same_host("[2001:DB8::1]", "[2001:db8:0:0::1]"));
  EXPECT_FALSE(same_host("a.example", "b.example"));
  EXPECT_FALSE(same_host("a.example", "a.example.org"));
  EXPECT_FALSE(same_host("[::1]", "[::2]"));
  EXPECT_FALSE(same_host("[::1]", "::1"));
  EXPECT_FALSE(same_host("[x]", "[y]"));
}

}  // namespace
}  // namespace lockgate::wire
