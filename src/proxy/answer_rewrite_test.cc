#include "proxy/answer_rewrite.h"

#include <gtest/gtest.h>

#include <array>

namespace lockgate::proxy {
namespace {

constexpr std::string_view kSame = "(same)";

constexpr Mapping kPrefixed{.scheme = "http",
                            .authority = "backend.internal:8080",
                            .endpoint = "10.0.0.5:8080",
                            .prefix = "/app",
                            .public_scheme = "https",
                            .public_authority = "www.example.com",
                            .public_prefix = "/shop/"};

Mapping with_prefixes(std::string_view there, std::string_view here) {
  Mapping mapping = kPrefixed;
  mapping.prefix = there;
  mapping.public_prefix = here;
  return mapping;
}
/// Host was what the client sent, and the upstream has the scheme's port.
Mapping preserving_host(std::string_view prefix) {
  Mapping mapping = with_prefixes(prefix, "/shop");
  mapping.authority = mapping.public_authority;
  return mapping;
}

std::string location(std::string_view value, const Mapping& mapping = kPrefixed) {
  return rewritten_location(value, mapping).value_or(std::string(kSame));
}
std::string refresh(std::string_view value, const Mapping& mapping = kPrefixed) {
  return rewritten_refresh(value, mapping).value_or(std::string(kSame));
}
std::string link(std::string_view value, const Mapping& mapping = kPrefixed) {
  return rewritten_link(value, mapping).value_or(std::string(kSame));
}
std::string cookie(std::string_view value, const CookieWishes& wishes = {},
                   const Mapping& mapping = kPrefixed) {
  return rewritten_cookie(value, mapping, wishes).value_or(std::string(kSame));
}

struct Case {
  std::string_view value, rewritten;
};

TEST(Location, AtOurNameWithTheUpstreamsPortBecomesOurs) {
  Mapping mapping = kPrefixed;
  mapping.authority = mapping.public_authority;  // Host was passed on
  EXPECT_EQ(rewritten_location("http://www.example.com:8080/app/x", mapping),
            "https://www.example.com/shop/x");
  EXPECT_EQ(rewritten_location("http://www.example.com:8081/app/x", mapping), std::nullopt);
  EXPECT_EQ(rewritten_location("http://www.example.net:8080/app/x", mapping), std::nullopt);
}

TEST(Location, AtTheUpstreamBecomesOurs) {
  constexpr Case kCases[] = {
      {"http://backend.internal:8080/app/x", "https://www.example.com/shop/x"},
      {"http://backend.internal:8080/app/x?y=z#f", "https://www.example.com/shop/x?y=z#f"},
      {"HTTP://Backend.INTERNAL:8080/app/X", "https://www.example.com/shop/X"},
      {"http://backend.internal:08080/app/", "https://www.example.com/shop/"},
      {"http://backend.internal:8080/app", "https://www.example.com/shop"},
      {"http://backend.internal:8080/app?x", "https://www.example.com/shop?x"},
      {"http://10.0.0.5:8080/app/x", "https://www.example.com/shop/x"},
      {"http://backend.internal:8080/app#x", "https://www.example.com/shop#x"},
      {"http://10.0.0.5:8080/app/x", "https://www.example.com/shop/x"},
      {"https://backend.internal:8080/app/x", "https://www.example.com/shop/x"},
      {"//backend.internal:8080/app/x", "https://www.example.com/shop/x"},
      {"http://backend.internal:8080/app//x", "https://www.example.com/shop//x"},
      {"http://backend.internal:8080/app/a b/\xc3\xa9|\\", "https://www.example.com/shop/a b/\xc3\xa9|\\"},
      {"http://backend.internal:8080/app/?u=http://backend.internal:8080/app",
       "https://www.example.com/shop/?u=http://backend.internal:8080/app"},
  };
  for (const Case& one : kCases) EXPECT_EQ(location(one.value), one.rewritten) << one.value;
}

TEST(Location, ElsewhereStaysAsItIs) {
  for (std::string_view value : {"http://other.example/app/x",
                                 "http://backend.internal/app/x",
                                 "http://backend.internal:8081/app/x",
                                 "http://backend.internal.evil:8080/app/x",
                                 "http://xbackend.internal:8080/app/x",
                                 "http://backend.internal:8080@evil.example/app/x",
                                 "http://u@backend.internal:8080/app/x",
                                 "http://backend.internal:8080\\app/x",
                                 "http://backend.internal:8080/apple",
                                 "http://backend.internal:8080/application/x",
                                 "http://backend.internal:8080/APP/x",
                                 "http://backend.internal:8080/",
                                 "http://backend.internal:8080",
                                 "http://backend.internal:8080?x",
                                 "http://backend.internal:8080/x/app/",
                                 "ftp://backend.internal/app",
                                 "//other.example/app/x",
                                 "mailto:a@backend.internal",
                                 "urn:http://backend.internal:8080/app",
                                 "http:/app/x",
                                 "https://www.example.com/app/x",
                                 "https://www.example.com/shop/x"}) {
    EXPECT_EQ(location(value), kSame) << value;
  }
}

TEST(Location, ThatIsRelativeStaysAsItIs) {
  for (std::string_view value : {"", "x", "x/y", "./x", "../app/x", "?x", "#x", "app/x",
                                 "x//backend.internal/app", "?http://backend.internal:8080/app"}) {
    EXPECT_EQ(location(value), kSame) << value;
    EXPECT_EQ(location(value, with_prefixes("/", "/shop")), kSame) << value;
  }
}

TEST(Location, ThatIsAPathIsMappedAtTheEndOfASegment) {
  constexpr Case kCases[] = {
      {"/app/x?y#z", "/shop/x?y#z"}, {"/app", "/shop"},   {"/app/", "/shop/"}, {"/app?x", "/shop?x"},
      {"/app#x", "/shop#x"},         {"/apple", kSame},   {"/", kSame},        {"/x/app", kSame},
      {"/app//x", "/shop//x"},       {"/App/x", kSame},   {"/shop/x", kSame},  {"/app;x/y", kSame},
      {"/app%2Fx", kSame},           {"/?/app/x", kSame},
  };
  for (const Case& one : kCases) EXPECT_EQ(location(one.value), one.rewritten) << one.value;
}

TEST(Location, GetsAndLosesWholePrefixes) {
  Mapping longer = with_prefixes("/", "/shop"), shorter = with_prefixes("/app/", "");
  EXPECT_EQ(location("/", longer), "/shop/");
  EXPECT_EQ(location("/x", longer), "/shop/x");
  EXPECT_EQ(location("/x", with_prefixes("", "/shop/")), "/shop/x");
  EXPECT_EQ(location("http://backend.internal:8080", longer), "https://www.example.com/shop");
  EXPECT_EQ(location("http://backend.internal:8080?x", longer), "https://www.example.com/shop?x");
  EXPECT_EQ(location("/app", shorter), "/");
  EXPECT_EQ(location("/app?x", shorter), "/?x");
  EXPECT_EQ(location("/app/x", shorter), "/x");
  EXPECT_EQ(location("http://backend.internal:8080/app", shorter), "https://www.example.com/");
  EXPECT_EQ(location("http://backend.internal:8080/app#x", shorter), "https://www.example.com/#x");
}

TEST(Location, IsNeverMadeIntoOneOnAnotherHost) {
  Mapping shorter = with_prefixes("/app", "/");
  EXPECT_EQ(location("/app//evil.example/x", shorter), "https://www.example.com//evil.example/x");
  EXPECT_EQ(location("/app/\\evil.example/x", shorter), "https://www.example.com/\\evil.example/x");
  EXPECT_EQ(location("/app/", shorter), "/");
}

TEST(Location, WithTheSamePrefixesIsOursOnAnyPath) {
  for (std::string_view prefix : {"", "/", "/app"}) {
    Mapping mapping = with_prefixes(prefix, prefix);
    EXPECT_EQ(location("http://backend.internal:8080/login", mapping), "https://www.example.com/login");
    EXPECT_EQ(location("http://backend.internal:8080", mapping), "https://www.example.com");
    EXPECT_EQ(location("/login", mapping), kSame);
    EXPECT_EQ(location("/app/x", mapping), kSame);
    EXPECT_EQ(location("//other.example/", mapping), kSame);
  }
}

TEST(Location, HasThePortOfItsSchemeWhereNoneIsWritten) {
  Mapping mapping = with_prefixes("/", "/");
  mapping.authority = "backend.internal";
  EXPECT_EQ(location("http://backend.internal:80/x", mapping), "https://www.example.com/x");
  EXPECT_EQ(location("http://backend.internal:/x", mapping), "https://www.example.com/x");
  EXPECT_EQ(location("//backend.internal/x", mapping), "https://www.example.com/x");
  EXPECT_EQ(location("https://backend.internal/x", mapping), kSame);
  EXPECT_EQ(location("http://backend.internal:443/x", mapping), kSame);
  mapping.scheme = "https";
  mapping.authority = "backend.internal:443";
  EXPECT_EQ(location("https://backend.internal/x", mapping), "https://www.example.com/x");
  EXPECT_EQ(location("http://backend.internal/x", mapping), kSame);
}

TEST(Location, IsOursWhereHostWasOurs) {
  Mapping mapping = preserving_host("/app");
  EXPECT_EQ(location("http://www.example.com/app/x", mapping), "https://www.example.com/shop/x");
  EXPECT_EQ(location("https://www.example.com/app/x", mapping), "https://www.example.com/shop/x");
  EXPECT_EQ(location("https://WWW.example.com:443/app/x", mapping), "https://www.example.com/shop/x");
  EXPECT_EQ(location("http://10.0.0.5:8080/app/x", mapping), "https://www.example.com/shop/x");
  EXPECT_EQ(location("http://www.example.com:8081/app/x", mapping), kSame);
  mapping = preserving_host("/shop");
  EXPECT_EQ(location("http://www.example.com/login", mapping), "https://www.example.com/login");
  EXPECT_EQ(location("https://www.example.com/login", mapping), kSame);
}

TEST(Location, MayBeAtAnIpv6AddressAndNeverAtAUnixSocket) {
  Mapping mapping = kPrefixed;
  mapping.endpoint = "[2001:db8::5]:80";
  EXPECT_EQ(location("http://[2001:DB8:0::5]/app/x", mapping), "https://www.example.com/shop/x");
  EXPECT_EQ(location("http://[2001:db8::6]/app/x", mapping), kSame);
  mapping.endpoint = "unix:/run/app.sock";
  EXPECT_EQ(location("unix:/run/app.sock", mapping), kSame);
  EXPECT_EQ(location("/app/x", mapping), "/shop/x");
}

TEST(Location, IsReplacedAsTheOperatorSaysFirst) {
  constexpr std::array<Replacement, 6> kReplacements{{
      {"http://login.internal:81/auth/", "/login"},
      {"https://cdn.internal", "https://cdn.example.com/static/"},
      {"/app/admin", "https://admin.example.com"},
      {"/old/", "/new"},
      {"http://backend.internal:8080/raw", "/cooked"},
      {"/app/admin/never", "/x"},
  }};
  Mapping mapping = kPrefixed;
  mapping.replacements = kReplacements;
  constexpr Case kCases[] = {
      {"http://login.internal:81/auth/x?y", "https://www.example.com/login/x?y"},
      {"http://LOGIN.internal:81/auth", "https://www.example.com/login"},
      {"http://login.internal:81/authors", kSame},
      {"http://login.internal/auth/x", kSame},
      {"https://cdn.internal:443/a.css", "https://cdn.example.com/static/a.css"},
      {"https://cdn.internal", "https://cdn.example.com/static"},
      {"//cdn.internal/a.css", "https://cdn.example.com/static/a.css"},
      {"/app/admin/never/x", "https://admin.example.com/never/x"},
      {"/app/admin", "https://admin.example.com/"},
      {"http://10.0.0.5:8080/app/admin/x", "https://admin.example.com/x"},
      {"http://other.example/app/admin/x", kSame},
      {"/old/x", "/new/x"},
      {"http://backend.internal:8080/old/x", "https://www.example.com/new/x"},
      {"http://backend.internal:8080/raw/x", "https://www.example.com/cooked/x"},
      {"/raw/x", "/cooked/x"},
      {"/app/x", "/shop/x"},
      {"/oldest", kSame},
  };
  for (const Case& one : kCases) EXPECT_EQ(location(one.value, mapping), one.rewritten) << one.value;
}

TEST(Location, IsNotReplacedBySomethingThatIsNoUrl) {
  constexpr std::array<Replacement, 5> kReplacements{{{"backend.internal", "/x"},
                                                      {"/app", "x"},
                                                      {"", "/y"},
                                                      {"http://", "/z"},
                                                      {"//cdn.internal", "//cdn.example.com"}}};
  Mapping mapping = kPrefixed;
  mapping.replacements = kReplacements;
  EXPECT_EQ(location("/app/x", mapping), "/shop/x");
  EXPECT_EQ(location("/x", mapping), kSame);
  EXPECT_EQ(location("http://cdn.internal/x", mapping), "https://cdn.example.com/x");
}

TEST(Refresh, HasItsUrlRewritten) {
  constexpr Case kCases[] = {
      {"5; url=http://backend.internal:8080/app/x", "5; url=https://www.example.com/shop/x"},
      {"5;URL=/app/x", "5;URL=/shop/x"},
      {"0 ; Url = \"/app/x\" ", "0 ; Url = \"/shop/x\" "},
      {"5; url='/app/x'; rest", "5; url='/shop/x'; rest"},
      {"5; url=\"/app/x", "5; url=\"/shop/x"},
      {"5, url=/app/x", "5, url=/shop/x"},
      {"5 url=/app/x", "5 url=/shop/x"},
      {"5; /app/x", "5; /shop/x"},
      {"5; '/app/x'", "5; '/shop/x'"},
      {"1.5; url=/app/x", "1.5; url=/shop/x"},
      {"5; url=/app/x;y", "5; url=/shop/x;y"},
      {"5", kSame},
      {"5;", kSame},
      {"5; url", kSame},
      {"5; url=", kSame},
      {"5; url=\"", kSame},
      {"5; url=x", kSame},
      {"5; url=http://other.example/app", kSame},
      {"url=/app/x", kSame},
      {"/app/x", kSame},
      {"5x; url=/app/x", kSame},
      {"", kSame},
  };
  for (const Case& one : kCases) EXPECT_EQ(refresh(one.value), one.rewritten) << one.value;
}

TEST(Link, HasEachTargetRewritten) {
  constexpr Case kCases[] = {
      {"</app/x>; rel=next", "</shop/x>; rel=next"},
      {"<http://backend.internal:8080/app/2>; rel=\"next\", </app/1>;rel=prev,<other>",
       "<https://www.example.com/shop/2>; rel=\"next\", </shop/1>;rel=prev,<other>"},
      {"<http://other.example/>; rel=x , </app>", "<http://other.example/>; rel=x , </shop>"},
      {"<x>; title=\"a, </app/b>, \\\", </app/c>\", </app/d>",
       "<x>; title=\"a, </app/b>, \\\", </app/c>\", </shop/d>"},
      {" , ,</app/x>", " , ,</shop/x>"},
      {"</app/a,b>", "</shop/a,b>"},
      {"</app/x>,", "</shop/x>,"},
      {"<x>; anchor=\"/app/y\"", kSame},
      {"</app/x", kSame},
      {"/app/x", kSame},
      {"x, </app/x>", kSame},
      {"<>", kSame},
      {"", kSame},
      {"</app/x>, y, </app/z>", "</shop/x>, y, </app/z>"},
      {"<x>; title=\"never ends, </app/y>", kSame},
  };
  for (const Case& one : kCases) EXPECT_EQ(link(one.value), one.rewritten) << one.value;
}

TEST(Cookie, LosesADomainThatIsTheUpstreams) {
  constexpr Case kCases[] = {
      {"a=b; Domain=backend.internal", "a=b"},
      {"a=b; domain=.BACKEND.internal; HttpOnly", "a=b; HttpOnly"},
      {"a=b;DOMAIN = backend.internal ;HttpOnly", "a=b;HttpOnly"},
      {"a=b; Domain=10.0.0.5; Path=/", "a=b; Path=/"},
      {"a=b; Domain=backend.internal; Domain=backend.internal", "a=b"},
      {"a=b; Domain=internal", kSame},
      {"a=b; Domain=x.backend.internal", kSame},
      {"a=b; Domain=backend.internal.example", kSame},
      {"a=b; Domain=www.example.com", kSame},
      {"a=b; Domain=", kSame},
      {"a=b; Domain", kSame},
      {"a=b; XDomain=backend.internal", kSame},
      {"Domain=backend.internal", kSame},
      {"a=Domain=backend.internal", kSame},
  };
  for (const Case& one : kCases) EXPECT_EQ(cookie(one.value), one.rewritten) << one.value;
  EXPECT_EQ(cookie("a=b; Domain=www.example.com", {}, preserving_host("/app")), kSame);
}

TEST(Cookie, HasDomainsAsTheOperatorSays) {
  constexpr std::array<Replacement, 4> kDomains{{{"internal", "example.com"},
                                                 {".old.internal", ""},
                                                 {"backend.internal", "shop.example.com"},
                                                 {"same.example", "same.example"}}};
  CookieWishes wishes{.domains = kDomains};
  EXPECT_EQ(cookie("a=b; Domain=internal; Secure", wishes), "a=b; Domain=example.com; Secure");
  EXPECT_EQ(cookie("a=b; domain= .Internal ;x", wishes), "a=b; domain= example.com ;x");
  EXPECT_EQ(cookie("a=b; Domain=old.internal", wishes), "a=b");
  EXPECT_EQ(cookie("a=b; Domain=backend.internal", wishes), "a=b; Domain=shop.example.com");
  EXPECT_EQ(cookie("a=b; Domain=same.example", wishes), kSame);
  EXPECT_EQ(cookie("a=b; Domain=10.0.0.5", wishes), "a=b");
}

TEST(Cookie, HasItsPathMappedAtTheEndOfASegment) {
  constexpr Case kCases[] = {
      {"a=b; Path=/app", "a=b; Path=/shop"},
      {"a=b; path=/app/; HttpOnly", "a=b; path=/shop/; HttpOnly"},
      {"a=b;PATH= /app/x ;HttpOnly", "a=b;PATH= /shop/x ;HttpOnly"},
      {"a=b; Path=/app/app", "a=b; Path=/shop/app"},
      {"a=b; Path=/apple", kSame},
      {"a=b; Path=/App", kSame},
      {"a=b; Path=/", kSame},
      {"a=b; Path=", kSame},
      {"a=b; Path", kSame},
      {"a=b; Path=app", kSame},
      {"a=b; Path=\"/app\"", kSame},
      {"Path=/app", kSame},
      {"a=/app; Max-Age=5", kSame},
      {"a=b; Path=/app; Path=/app/x", "a=b; Path=/shop; Path=/shop/x"},
      {"a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/app; Odd=\"x\"",
       "a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/shop; Odd=\"x\""},
      {"a=b; Domain=backend.internal; Path=/app", "a=b; Path=/shop"},
      {"a=b; Path=/app;", "a=b; Path=/shop;"},
      {"", kSame},
      {";", kSame},
      {"a=b; ;; =; ", kSame},
  };
  for (const Case& one : kCases) EXPECT_EQ(cookie(one.value), one.rewritten) << one.value;
}

TEST(Cookie, OfAllOfTheUpstreamIsOfAllOfThePrefix) {
  EXPECT_EQ(cookie("a=b; Path=/", {}, with_prefixes("/", "/shop/")), "a=b; Path=/shop");
  EXPECT_EQ(cookie("a=b; Path=/x", {}, with_prefixes("/", "/shop/")), "a=b; Path=/shop/x");
  EXPECT_EQ(cookie("a=b; Path=/app", {}, with_prefixes("/app", "/")), "a=b; Path=/");
  EXPECT_EQ(cookie("a=b; Path=/app/x", {}, with_prefixes("/app", "/")), "a=b; Path=/x");
  EXPECT_EQ(cookie("a=b; Path=/", {}, with_prefixes("/", "")), kSame);
  EXPECT_EQ(cookie("a=b; Path=/app/x", {}, with_prefixes("/app", "/app/")), kSame);
}

TEST(Cookie, HasPathsAsTheOperatorSays) {
  constexpr std::array<Replacement, 3> kPaths{
      {{"/app/sub", "/elsewhere"}, {"/api/", "/"}, {"/app/sub/x", "/never"}}};
  CookieWishes wishes{.paths = kPaths};
  EXPECT_EQ(cookie("a=b; Path=/app/sub/x", wishes), "a=b; Path=/elsewhere/x");
  EXPECT_EQ(cookie("a=b; Path=/api", wishes), "a=b; Path=/");
  EXPECT_EQ(cookie("a=b; Path=/app/x", wishes), "a=b; Path=/shop/x");
  EXPECT_EQ(cookie("a=b; Path=/apis", wishes), kSame);
}

TEST(Cookie, GetsSecureAndSameSiteOnRequest) {
  CookieWishes secure{.secure = true}, lax{.same_site = SameSite::lax},
      both{.secure = true, .same_site = SameSite::none};
  EXPECT_EQ(cookie("a=b", secure), "a=b; Secure");
  EXPECT_EQ(cookie("a=b; Path=/app", secure), "a=b; Path=/shop; Secure");
  EXPECT_EQ(cookie("a=b; SECURE; HttpOnly", secure), kSame);
  EXPECT_EQ(cookie("Secure=Secure", secure), "Secure=Secure; Secure");
  EXPECT_EQ(cookie("a=b", lax), "a=b; SameSite=Lax");
  EXPECT_EQ(cookie("a=b; samesite=lax", lax), kSame);
  EXPECT_EQ(cookie("a=b;SameSite=None;Secure", lax), "a=b; SameSite=Lax;Secure");
  EXPECT_EQ(cookie("a=b; SameSite", {.same_site = SameSite::strict}), "a=b; SameSite=Strict");
  EXPECT_EQ(cookie("a=b", both), "a=b; Secure; SameSite=None");
  Mapping plain = kPrefixed;
  plain.public_scheme = "http";
  EXPECT_EQ(cookie("a=b", secure, plain), kSame);
  EXPECT_EQ(cookie("a=b; Secure", {}, plain), kSame);
}

// draft-ietf-httpbis-rfc6265bis, 4.1.3.
TEST(Cookie, WithAPrefixInItsNameKeepsWhatThePrefixWants) {
  Mapping mapping = with_prefixes("/", "/shop");
  constexpr std::array<Replacement, 1> kPaths{{{"/", "/x"}}};
  constexpr std::array<Replacement, 1> kDomains{{{"a.example", "b.example"}}};
  CookieWishes wishes{.domains = kDomains, .paths = kPaths, .secure = true, .same_site = SameSite::lax};
  EXPECT_EQ(cookie("__Host-a=b; Path=/; Secure", {}, mapping), kSame);
  EXPECT_EQ(cookie("__host-a=b; Secure; path=/", {}, mapping), kSame);
  EXPECT_EQ(cookie("__Host-a=b; Path=/; Domain=a.example", wishes, mapping),
            "__Host-a=b; Path=/; Domain=a.example; Secure; SameSite=Lax");
  EXPECT_EQ(cookie("__Secure-a=b; Secure; Path=/; Domain=backend.internal", {}, mapping),
            "__Secure-a=b; Secure; Path=/shop");
  EXPECT_EQ(cookie("__Hosta=b; Path=/", {}, mapping), "__Hosta=b; Path=/shop");
}

TEST(AnswerRewrite, OfAnythingCutAnywhereGivesAnOutcome) {
  constexpr std::string_view kText =
      "5; url=\"http://backend.internal:8080/app/x\", </app/y>; a=\"\\\"\"; Domain=.backend.internal; "
      "Path=/app;";
  for (std::size_t begin = 0; begin <= kText.size(); ++begin) {
    for (std::size_t size = 0; size <= kText.size() - begin; ++size) {
      std::string_view text = kText.substr(begin, size);
      (void)rewritten_location(text, kPrefixed);
      (void)rewritten_refresh(text, kPrefixed);
      (void)rewritten_link(text, kPrefixed);
      (void)rewritten_cookie(text, kPrefixed, {.secure = true, .same_site = SameSite::lax});
    }
  }
}

}  // namespace
}  // namespace lockgate::proxy
