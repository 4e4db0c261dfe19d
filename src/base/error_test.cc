#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <type_traits>

namespace lockgate {
namespace {

static_assert(std::is_trivially_copyable_v<Error>);

TEST(Error, HasAWordOfItsOwnForEachCodeAndSide) {
  std::set<std::string_view> codes;
  for (int i = 0; i < kErrcCount; ++i) codes.insert(name_of(static_cast<Errc>(i)));
  EXPECT_EQ(codes.size(), static_cast<std::size_t>(kErrcCount));
  EXPECT_FALSE(codes.contains(""));
  EXPECT_EQ(name_of(Errc::closed), "closed");
  EXPECT_EQ(name_of(Errc::timed_out), "timed_out");
  EXPECT_EQ(name_of(Errc::loops), "loops");
  EXPECT_EQ(name_of(Errc::io), "io");
  EXPECT_EQ(name_of(Side::here), "here");
  EXPECT_EQ(name_of(Side::client), "client");
  EXPECT_EQ(name_of(Side::upstream), "upstream");
  EXPECT_EQ(name_of(Side::parent), "parent");
}

TEST(Error, SaysWhatWasBeingDoneAndWhatTheSystemSaid) {
  EXPECT_EQ(words(system_error(ECONNREFUSED, "connecting")), "connecting: refused (Connection refused)");
  EXPECT_EQ(words(failure(Errc::timed_out, "reading the hello").error()), "reading the hello: timed_out");
  Error alert{.code = Errc::refused, .detail = {DetailKind::alert, 40}, .doing = "greeting"};
  EXPECT_EQ(words(alert), "greeting: refused (the peer's alert 40, handshake_failure)");
  Error expired{.code = Errc::untrusted, .detail = {DetailKind::certificate, 10}, .doing = "shaking hands"};
  EXPECT_EQ(words(expired), "shaking hands: untrusted (certificate has expired)");
}

TEST(Error, NamesAlertsAsTheRfcDoes) {
  EXPECT_EQ(name_of_alert(48), "unknown_ca");
  EXPECT_EQ(name_of_alert(112), "unrecognized_name");
  EXPECT_EQ(name_of_alert(255), "unknown");
}

TEST(Error, ClassifiesWhatTheSystemSays) {
  EXPECT_EQ(system_error(ECONNRESET, "").code, Errc::reset);
  EXPECT_EQ(system_error(EPIPE, "").code, Errc::reset);
  EXPECT_EQ(system_error(ETIMEDOUT, "").code, Errc::timed_out);
  EXPECT_EQ(system_error(EHOSTUNREACH, "").code, Errc::unreachable);
  EXPECT_EQ(system_error(ENOENT, "").code, Errc::unreachable);
  // What connecting to ::1 says where IPv6 is off. It must not look like a want of our own, after which no
  // other endpoint is tried.
  EXPECT_EQ(system_error(EADDRNOTAVAIL, "").code, Errc::unreachable);
  EXPECT_EQ(system_error(EMFILE, "").code, Errc::no_resources);
  EXPECT_EQ(system_error(EINVAL, "").code, Errc::io);
  EXPECT_EQ(system_error(EINVAL, "").detail, (Detail{DetailKind::system, EINVAL}));
}

TEST(Error, SaysWhatAParentAnswered) {
  auto of = [](DetailKind kind, std::int16_t number) {
    return words({.code = Errc::refused, .detail = {kind, number}, .doing = "asking"});
  };
  EXPECT_EQ(of(DetailKind::http_status, 407), "asking: refused (407 Proxy Authentication Required)");
  EXPECT_EQ(of(DetailKind::http_status, 499), "asking: refused (HTTP status 499)");
  EXPECT_EQ(of(DetailKind::socks, 4), "asking: refused (host unreachable)");
  EXPECT_EQ(of(DetailKind::socks, 9), "asking: refused (SOCKS reply 9)");
  EXPECT_EQ(of(DetailKind::socks, 255), "asking: refused (no way of authentication in common)");
  EXPECT_EQ(of(DetailKind::socks, 256), "asking: refused (user or password not accepted)");
}

TEST(Error, IsMovedToASideAndMarkedForRetryInACopy) {
  Error error{.code = Errc::reset};
  EXPECT_EQ(error.on(Side::upstream).side, Side::upstream);
  EXPECT_TRUE(error.retry().retryable);
  EXPECT_EQ(error.side, Side::here);
  EXPECT_FALSE(error.retryable);
}

}  // namespace
}  // namespace lockgate
