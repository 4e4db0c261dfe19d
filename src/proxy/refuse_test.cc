#include "proxy/refuse.h"

#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;
using config::RejectWith;
using namespace std::string_literals;

// A client that is refused.
class Refused {
 public:
  Refused(Dialect dialect, Errc why, RejectWith how = RejectWith::alert)
      : why_{.code = why, .doing = "testing"} {
    auto [near, far] = net::tcp_pair();
    client_ = std::move(*net::TcpStream::adopt(house_.reactor, std::move(near)));
    far_ = std::move(far);
    house_.settle();
    facts_.id = 0xabc;
    facts_.dialect = dialect;
    refusing_.emplace(refuse(*client_, house_.buffers, facts_, why_, how));
    refusing_->start();
    house_.settle();
  }

  bool over() const { return refusing_->finished(); }
  bool well() { return refusing_->outcome().has_value(); }
  net::Taken heard() { return net::take(far_); }
  Fd& far() { return far_; }
  void settle() { house_.settle(); }
  void pass(Duration time) { house_.pass(time); }
  void close() { client_.reset(); }

 private:
  MadeHouse house_;
  net::AnyStream client_;
  Fd far_;
  Facts facts_;
  Error why_;
  std::optional<loop::Task<void>> refusing_;
};

TEST(Refuse, TellsATlsClientByAnAlertWhoseNumberIsTheReason) {
  const std::pair<Errc, char> alerts[] = {
      {Errc::no_site, 112},   {Errc::rejected, 112},    {Errc::bad_message, 50}, {Errc::too_large, 50},
      {Errc::timed_out, 80},  {Errc::limited, 80},      {Errc::refused, 80},     {Errc::no_endpoint, 80},
      {Errc::unresolved, 80}, {Errc::shutting_down, 80}};
  for (auto [why, number] : alerts) {
    SCOPED_TRACE(name_of(why));
    Refused refused(Dialect::tls, why);
    auto heard = refused.heard();
    EXPECT_EQ(heard.text, "\x15\x03\x03\0\x02\x02"s + number);
    EXPECT_TRUE(heard.ended);
  }
}

TEST(Refuse, TellsAnHttpClientByAPage) {
  const std::pair<Errc, std::string> pages[] = {{Errc::no_site, "421 Misdirected Request"},
                                                {Errc::rejected, "403 Forbidden"},
                                                {Errc::bad_message, "400 Bad Request"},
                                                {Errc::too_large, "431 Request Header Fields Too Large"},
                                                {Errc::limited, "503 Service Unavailable"},
                                                {Errc::timed_out, "504 Gateway Timeout"},
                                                {Errc::refused, "502 Bad Gateway"},
                                                {Errc::no_endpoint, "502 Bad Gateway"},
                                                {Errc::shutting_down, "503 Service Unavailable"}};
  for (const auto& [why, status] : pages) {
    SCOPED_TRACE(status);
    Refused refused(Dialect::http, why);
    auto heard = refused.heard();
    EXPECT_TRUE(heard.ended);
    EXPECT_TRUE(heard.text.starts_with("HTTP/1.1 " + status + "\r\n")) << heard.text;
    auto body = heard.text.substr(heard.text.find("\r\n\r\n") + 4);
    EXPECT_TRUE(heard.text.contains("Content-Length: " + std::to_string(body.size()) + "\r\n"));
    EXPECT_TRUE(heard.text.contains("Connection: close\r\n"));
    EXPECT_TRUE(body.contains("Connection abc.")) << body;  // as the log names it
  }
}

TEST(Refuse, SaysNothingWhereNoLanguageIsKnown) {
  for (Dialect dialect : {Dialect::unknown, Dialect::other}) {
    Refused refused(dialect, Errc::no_site);
    EXPECT_TRUE(refused.over());
    refused.close();
    auto heard = refused.heard();
    EXPECT_EQ(heard.text, "");
    EXPECT_TRUE(heard.ended);
  }
}

TEST(Refuse, ResetsIfToldSo) {
  Refused refused(Dialect::tls, Errc::rejected, RejectWith::reset);
  EXPECT_TRUE(refused.over());
  refused.close();
  EXPECT_EQ(refused.heard().error, ECONNRESET);
}

TEST(Refuse, KeepsSilentUntilTheClientGivesUp) {
  Refused refused(Dialect::tls, Errc::rejected, RejectWith::silence);
  net::give(refused.far(), "anybody there?");
  refused.pass(29s);
  EXPECT_FALSE(refused.over());
  auto heard = refused.heard();
  EXPECT_EQ(heard.text, "");
  EXPECT_FALSE(heard.ended);
  net::end_writing(refused.far());
  refused.settle();
  EXPECT_TRUE(refused.over());
}

TEST(Refuse, KeepsSilentForAWhileOnly) {
  Refused refused(Dialect::tls, Errc::rejected, RejectWith::silence);
  refused.pass(31s);
  EXPECT_TRUE(refused.over());
  EXPECT_TRUE(refused.well());
}

TEST(Refuse, WaitsForTheClientToCloseSoThatTheWordsArrive) {
  Refused refused(Dialect::tls, Errc::no_site);
  EXPECT_FALSE(refused.over());
  net::give(refused.far(), "what it still says");
  refused.settle();
  EXPECT_FALSE(refused.over());
  net::end_writing(refused.far());
  refused.settle();
  EXPECT_TRUE(refused.over());
  refused.close();
  auto heard = refused.heard();
  EXPECT_EQ(heard.text.size(), 7u);
  EXPECT_EQ(heard.error, 0);
}

TEST(Refuse, WaitsAMomentOnly) {
  Refused refused(Dialect::tls, Errc::no_site);
  refused.pass(1900ms);
  EXPECT_FALSE(refused.over());
  refused.pass(200ms);
  EXPECT_TRUE(refused.over());
  EXPECT_TRUE(refused.well());
}

TEST(Refuse, ReadsNoMoreThanAMeasureOfWhatTheClientStillSends) {
  Refused refused(Dialect::http, Errc::no_site);
  std::string much(64 * 1024, 'x');
  std::size_t given = 0;
  for (int n = 0; n < 200 && !refused.over(); ++n) {
    given += net::give(refused.far(), much);
    refused.settle();
  }
  EXPECT_TRUE(refused.over());
  EXPECT_LE(given, 4u * 1024 * 1024);
}

TEST(Refuse, NeverFails) {
  Refused refused(Dialect::tls, Errc::no_site);
  net::reset(refused.far());
  refused.settle();
  EXPECT_TRUE(refused.over());
  EXPECT_TRUE(refused.well());
}

}  // namespace
}  // namespace lockgate::proxy
