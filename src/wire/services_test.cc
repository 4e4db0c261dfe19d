#include "wire/services.h"

#include <gtest/gtest.h>

#include "wire/made_answer.h"

namespace lockgate::wire {
namespace {

using std::chrono::seconds;

const std::string kQuery = made::query("_https._tcp.example", made::kSrv);

Result<Services> parsed(const std::string& message) { return parse_services(as_bytes(message)); }
Result<Services> parsed(std::vector<made::Record> records) {
  return parsed(made::message(kQuery, {.records = std::move(records)}));
}
std::string one_service() {
  return made::message(kQuery, {.records = {made::srv(60, 1, 5, 443, made::labels("a.example"))}});
}

TEST(Services, AreReadByPriorityWithTheShortestTtl) {
  auto answer = parsed({made::srv(300, 20, 0, 8443, made::labels("Late.Example")),
                        made::srv(60, 10, 3, 443, made::labels("one.example")),
                        made::srv(600, 10, 7, 443, made::labels("two.example"))});
  ASSERT_TRUE(answer);
  std::vector<Service> expected = {
      {"one.example", 443, 10, 3}, {"two.example", 443, 10, 7}, {"late.example", 8443, 20, 0}};
  EXPECT_EQ(answer->services, expected);
  EXPECT_EQ(answer->ttl, seconds(60));
}

TEST(Services, CountTheTtlOfAliasesAndOfNothingElse) {
  made::Record alias{made::pointer(12), made::kCname, 30, made::labels("_https._tcp.other.example")};
  made::Record address{made::pointer(12), made::kA, 5, "\x01\x02\x03\x04"};
  auto answer = parsed({alias, address, made::srv(60, 1, 1, 443, made::labels("a.example"))});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->services.size(), 1U);
  EXPECT_EQ(answer->ttl, seconds(30));
}

TEST(Services, MayNameTheirTargetByAPointer) {
  auto compressed = made::srv(60, 1, 5, 443, "\x03www" + made::pointer(12));
  auto answer = parsed({compressed, compressed});
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->services.size(), 2U);
  EXPECT_EQ(answer->services[0].name, "www._https._tcp.example");
  EXPECT_EQ(answer->services[0], answer->services[1]);
}

TEST(Services, LeaveOutTargetsThatAreNoHost) {
  auto answer = parsed({made::srv(60, 1, 5, 443, made::labels("")),
                        made::srv(60, 1, 5, 443, made::labels("with space.example")),
                        made::srv(60, 1, 5, 443, made::labels(std::string("nul\0.example", 12)))});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->services.empty());
}

TEST(Services, TakeATtlThatIsTooLargeForZero) {
  auto answer = parsed({made::srv(0x80000000, 1, 5, 443, made::labels("a.example"))});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ttl, seconds(0));
}

TEST(Services, AreNotReadFromAMessageCutAnywhere) {
  auto whole = one_service();
  ASSERT_TRUE(parsed(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto answer = parsed(whole.substr(0, size));
    ASSERT_FALSE(answer) << size;
    EXPECT_EQ(answer.error().code, Errc::bad_message);
  }
}

TEST(Services, RefuseNamesThatBreakTheirFormat) {
  constexpr unsigned kTarget = 12 + 21 + 4 + 2 + 10 + 6;  // where the first record's target stands
  std::string long_label = std::string(1, '\x40') + std::string(64, 'a') + '\0';
  std::string long_name = made::labels(std::string(63, 'a') + '.' + std::string(63, 'b') + '.' +
                                       std::string(63, 'c') + '.' + std::string(63, 'd'));
  for (const auto& target : {made::pointer(kTarget), "\x01x" + made::pointer(kTarget), made::pointer(0x3fff),
                             long_label, long_name, std::string("\x03x.y\0", 5), std::string("\x80")}) {
    EXPECT_FALSE(parsed({made::srv(60, 1, 5, 443, target)})) << testing::PrintToString(target);
  }
}

TEST(Services, RefuseARecordWhoseSizeIsNotItsContents) {
  EXPECT_FALSE(parsed({made::srv(60, 1, 5, 443, made::labels("a.example") + "x")}));
  auto record = made::srv(60, 1, 5, 443, "");
  record.content.resize(4);
  EXPECT_FALSE(parsed({record, made::srv(60, 1, 5, 443, made::labels("a.example"))}));
}

// Pointers, each to the one before it, and then a name that would have to follow them all. An answer can hold
// thousands of such names.
TEST(Services, AreNotSlowedByChainsOfPointers) {
  std::string chain = made::query("x", made::kSrv);
  chain.replace(4, 4, made::two_bytes(1) + made::two_bytes(2));
  std::string pointers = made::pointer(12);
  while (pointers.size() < 8000) {
    pointers += made::pointer(12 + 7 + 12 + static_cast<unsigned>(pointers.size()) - 2);
  }
  made::Record holder{made::pointer(12), made::kA, 1, pointers};
  chain += made::bytes_of(holder) + made::bytes_of({made::pointer(12 + 7 + 12 + 7998), made::kA, 1, ""});
  EXPECT_FALSE(parsed(chain));
}

}  // namespace
}  // namespace lockgate::wire
