#include "base/password_hash.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <map>

namespace lockgate {
namespace {

using Scheme = PasswordScheme;

// "secret", as htpasswd, mkpasswd and slappasswd have hashed it.
const std::map<std::string, Scheme> kOfSecret = {
    {"$2y$04$Z5QkscZJplyifAB0bBSEOeOKAPsJvXaHfHYPlUQ4GZ8pHSDasxvnq", Scheme::bcrypt},
    {"$2a$04$Z5QkscZJplyifAB0bBSEOeOKAPsJvXaHfHYPlUQ4GZ8pHSDasxvnq", Scheme::bcrypt},
    {"$2b$04$Z5QkscZJplyifAB0bBSEOeOKAPsJvXaHfHYPlUQ4GZ8pHSDasxvnq", Scheme::bcrypt},
    {"$y$j75$g.CPDMqHBooMhQpi6VsgO1$2RAevL3knjLgaQ5gGq.WyHpV3UgnEnKKrDhEWJtUiR/", Scheme::yescrypt},
    {"$gy$j75$up/im6Kfq/ipNexF5vAio/$dtuufblB3iCvwzJWARQzlDpjCU74Oz11LD9OyI7IB59", Scheme::gost_yescrypt},
    {"$6$28lkcn/"
     "70tWxmrjU$OEXsdYRH68TOHFywmBiTkbkw3aW2q6KKhQFKj0FoicsS1yhUsoqCJ3SUTNa72XXmHoSrcFJVx6jTZ7hnKgYn/0",
     Scheme::sha512},
    {"$5$7MFh35s23oBiJuoG$nTGkJ9//YZU9FMde7E80I.eLEvkKIHmT.DoCynX6GNB", Scheme::sha256},
    {"$apr1$/4DbU1bs$4KaT8jqawOHAqWDu6dHHJ1", Scheme::apr1},
    {"$1$Cb6sba06$fGWOR.Ch9cPM5aJFtaNCv/", Scheme::md5},
    {"{SSHA}64NHIAE0LIDpkJ7ArEqFh+ujys8MjeDy", Scheme::ssha},
    {"{SSHA512}au2NqQiE5sN0HUDF+H1nh+NkuWBnPwLrj5NtNYnTr6qi8IiE1Zyrv6+yT9Njiz6G2qtScy06YF2TeqwunjyhH0TImFrmb+"
     "fc",
     Scheme::ssha512},
    {"{SSHA256}pLXLJwHMrCxXpuigV5CJeeiU3x2zZFzFFanGu83WlsmurQr2MEp8rg==", Scheme::ssha256},
    {"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", Scheme::sha},
    {"6MFdfFge6ORoQ", Scheme::des},
};

std::string trouble(std::string_view hash) {
  auto scheme = scheme_of(hash);
  return scheme ? "none" : scheme.error();
}

bool matches(std::string_view password, std::string_view hash) {
  return verify_password(password, hash) == PasswordMatch::yes;
}

TEST(PasswordHash, OfEachSchemeMatchesItsPasswordAndNoOther) {
  for (const auto& [hash, scheme] : kOfSecret) {
    EXPECT_EQ(scheme_of(hash), scheme) << hash;
    EXPECT_TRUE(matches("secret", hash)) << hash;
    EXPECT_FALSE(matches("Secret", hash)) << hash;
    EXPECT_FALSE(matches("", hash)) << hash;
  }
}

TEST(PasswordHash, OfDesLooksAtEightCharactersAsItAlwaysHas) {
  constexpr std::string_view kOfLongsecret = "1OQGYFvGvFAHs";
  EXPECT_TRUE(matches("longsecret", kOfLongsecret));
  EXPECT_TRUE(matches("longsecr", kOfLongsecret));
  EXPECT_FALSE(matches("longsec", kOfLongsecret));
}

TEST(PasswordHash, MatchesNoPasswordThatIsTooLongOrHasANul) {
  std::string long_one(kLongestPassword, 'x');
  auto hash = make_password_hash(Scheme::sha256, 1000, long_one);
  ASSERT_TRUE(hash) << hash.error();
  EXPECT_TRUE(matches(long_one, *hash));
  EXPECT_FALSE(matches(long_one + 'x', *hash));
  for (const auto& [of_secret, scheme] : kOfSecret) {
    EXPECT_FALSE(matches(std::string_view("secret\0", 7), of_secret));
    EXPECT_FALSE(matches(std::string_view("secret\0x", 8), of_secret));
  }
}

// What this process has by now, and 64 MiB more: a quarter of what the check below wants.
void limit_memory() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlim_t most = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + (64U << 20);
  rlimit limit{most, most};
  if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(77);
}

TEST(PasswordHash, ThatFindsNoMemoryIsNeitherMatchedNorNot) {
  auto in_need = [] {
    limit_memory();
    ::_exit(static_cast<int>(verify_password("secret", "$y$jDT$salt$" + std::string(43, 'a'))));
  };
  EXPECT_EXIT(in_need(), testing::ExitedWithCode(static_cast<int>(PasswordMatch::unknown)), "");
}

TEST(PasswordHash, ThatIsDamagedIsToldWithoutIt) {
  for (const auto& [hash, scheme] : kOfSecret) {
    for (std::size_t size = 0; size < hash.size(); ++size) {
      if (size == 13 && scheme == Scheme::des) continue;
      auto told = trouble(std::string_view(hash).substr(0, size));
      // A braced salt may be shorter.
      if (told == "none") EXPECT_TRUE(hash.starts_with("{SSHA")) << hash;
      if (size > 12) EXPECT_FALSE(told.contains(hash.substr(0, size)));
    }
  }
  EXPECT_TRUE(trouble("$6$sa*t$" + std::string(86, 'a')).contains("sha512 that is damaged"));
  EXPECT_TRUE(trouble("$2y$04$" + std::string(53, ' ')).contains("bcrypt that is damaged"));
  EXPECT_TRUE(trouble("$2y$0x$" + std::string(53, 'a')).contains("bcrypt that is damaged"));
  EXPECT_TRUE(trouble("$2y$03$" + std::string(53, 'a')).contains("bcrypt that is damaged"));
}

// Whoever can write to the file cannot stop this process with one line.
TEST(PasswordHash, ThatWouldTakeTooLongIsRefused) {
  EXPECT_TRUE(trouble("$2y$18$" + std::string(53, 'a')).contains("bcrypt that costs too much"));
  EXPECT_TRUE(
      trouble("$6$rounds=1000001$salt$" + std::string(86, 'a')).contains("sha512 that costs too much"));
  EXPECT_TRUE(trouble("$5$rounds=99999999999$s$" + std::string(43, 'a')).contains("damaged"));
  EXPECT_TRUE(trouble("$y$jET$salt$" + std::string(43, 'a')).contains("yescrypt that costs too much"));
  EXPECT_TRUE(trouble("$y$j9U$salt$" + std::string(43, 'a')).contains("yescrypt that costs too much"));
  EXPECT_TRUE(trouble("$y$j9T/$salt$" + std::string(43, 'a')).contains("yescrypt that costs too much"));
}

TEST(PasswordHash, ThatIsNoneIsRefusedInWords) {
  EXPECT_EQ(trouble(""), "has no hash of a password");
  EXPECT_TRUE(trouble("secret").contains("is it a password in clear?"));
  EXPECT_TRUE(trouble("{PLAIN}secret").contains("a password in clear, which is never taken"));
  EXPECT_TRUE(trouble("{cleartext}secret").contains("a password in clear, which is never taken"));
  EXPECT_TRUE(trouble("$argon2id$v=19$m=65536$c2FsdA$aGFzaA").contains("argon2, which is not known here"));
}

TEST(PasswordHash, ThatIsMadeMatchesAndHasASaltOfItsOwn) {
  const std::pair<Scheme, std::optional<unsigned>> kMade[] = {
      {Scheme::bcrypt, 4},    {Scheme::yescrypt, 1},  {Scheme::gost_yescrypt, 1},
      {Scheme::sha512, 1000}, {Scheme::sha256, 1000}, {Scheme::apr1, {}},
      {Scheme::ssha, {}},     {Scheme::ssha256, {}},  {Scheme::ssha512, {}}};
  for (auto [scheme, cost] : kMade) {
    auto one = make_password_hash(scheme, cost, "pass wörd"),
         other = make_password_hash(scheme, cost, "pass wörd");
    ASSERT_TRUE(one && other) << name_of(scheme);
    EXPECT_EQ(scheme_of(*one), scheme) << *one;
    EXPECT_NE(*one, *other);
    EXPECT_TRUE(matches("pass wörd", *one)) << *one;
    EXPECT_FALSE(matches("pass word", *one));
  }
}

TEST(PasswordHash, IsMadeAtUsualCostsThatCanBeChecked) {
  for (Scheme scheme : {Scheme::bcrypt, Scheme::yescrypt, Scheme::sha512}) {
    auto hash = make_password_hash(scheme, {}, "x");
    ASSERT_TRUE(hash) << hash.error();
    EXPECT_EQ(scheme_of(*hash), scheme);
  }
  auto dearest = make_password_hash(Scheme::yescrypt, 9, "x");
  ASSERT_TRUE(dearest);
  EXPECT_EQ(scheme_of(*dearest), Scheme::yescrypt) << *dearest;
}

TEST(PasswordHash, IsNotMadeOfWhatCannotBeChecked) {
  auto error = [](Scheme scheme, std::optional<unsigned> cost, std::string_view password) {
    return make_password_hash(scheme, cost, password).error();
  };
  EXPECT_EQ(error(Scheme::des, {}, "x"), "des is too weak to be made anew; use bcrypt");
  EXPECT_EQ(error(Scheme::bcrypt, 3, "x"), "the cost of bcrypt is 4 to 17");
  EXPECT_EQ(error(Scheme::apr1, 3, "x"), "apr1 has no cost to choose");
  EXPECT_TRUE(error(Scheme::bcrypt, 4, std::string(73, 'x')).contains("the first 72 bytes"));
  EXPECT_TRUE(
      error(Scheme::sha512, {}, std::string(kLongestPassword + 1, 'x')).contains("at most 511 bytes"));
  EXPECT_TRUE(error(Scheme::sha512, {}, std::string_view("a\0b", 3)).contains("NUL"));
}

TEST(PasswordHash, HasASchemeWithAName) {
  for (const auto& [hash, scheme] : kOfSecret) EXPECT_EQ(scheme_named(name_of(scheme)), scheme);
  EXPECT_FALSE(scheme_named("argon2"));
  EXPECT_TRUE(is_weak(Scheme::des));
  EXPECT_TRUE(is_weak(Scheme::sha));
  EXPECT_FALSE(is_weak(Scheme::ssha));
}

}  // namespace
}  // namespace lockgate
