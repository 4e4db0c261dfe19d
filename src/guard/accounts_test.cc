#include "guard/accounts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tls/made_folder.h"

namespace lockgate::guard {
namespace {

const std::string kHash = "abuq21xu6EMNI";

AccountRequest request_of(const std::string& name, const std::string& remark = "") {
  return {.name = name, .hash = kHash, .remark = remark, .from = *Ip::parse("192.0.2.1"), .asked = 7};
}

TEST(Accounts, KeepsWhoAsksFirst) {
  tls::made::Folder folder;
  std::string file = Accounts::file_of(folder.path(""), "staff");
  Accounts accounts;
  EXPECT_TRUE(accounts.waiting(file)->empty());
  EXPECT_TRUE(*accounts.add(file, request_of("ann", "first")));
  EXPECT_TRUE(*accounts.add(file, request_of("ann", "second")));
  EXPECT_TRUE(*accounts.add(file, request_of("bob")));
  auto waiting = Accounts().waiting(file);
  ASSERT_TRUE(waiting && waiting->size() == 2);
  EXPECT_EQ(waiting->front().remark, "first");
  EXPECT_EQ(waiting->front().from.text(), "192.0.2.1");
  EXPECT_EQ(waiting->back().name, "bob");
  EXPECT_TRUE(*accounts.take_off(file, "ann"));
  EXPECT_FALSE(*accounts.take_off(file, "ann"));
}

TEST(Accounts, TakesNoMoreThanItHasPlacesFor) {
  tls::made::Folder folder;
  std::string file = Accounts::file_of(folder.path(""), "staff");
  std::vector<AccountRequest> many;
  for (std::size_t i = 1; i < Accounts::kMostWaiting; ++i) many.push_back(request_of(std::to_string(i)));
  ::mkdir(folder.path("accounts").c_str(), 0700);
  folder.file("accounts/staff", account_file(many));
  Accounts accounts;
  EXPECT_TRUE(*accounts.add(file, request_of("last")));
  EXPECT_FALSE(*accounts.add(file, request_of("late")));
  EXPECT_FALSE(*accounts.add(file, request_of("last")));  // nobody learns that it waits
}

TEST(Accounts, ClientsHaveSomeTriesEach) {
  Accounts accounts;
  Instant now = Instant() + std::chrono::hours(1000);
  Ip first = *Ip::parse("2001:db8::1"), same = *Ip::parse("2001:db8::2"), other = *Ip::parse("192.0.2.1");
  for (std::uint64_t i = 0; i < Accounts::kTries.burst; ++i) EXPECT_TRUE(accounts.try_once(first, now).ok);
  EXPECT_FALSE(accounts.try_once(same, now).ok);
  EXPECT_TRUE(accounts.try_once(other, now).ok);
  EXPECT_TRUE(accounts.try_once(Ip(), now).ok);
  EXPECT_TRUE(accounts.try_once(first, now + Accounts::kTries.period).ok);
}

TEST(Accounts, NamesOfListsLeadNowhereElse) {
  EXPECT_EQ(Accounts::file_of("/s", "staff-1_A"), "/s/accounts/staff-1_A");
  EXPECT_EQ(Accounts::file_of("/s", "../x"), "/s/accounts/%2e%2e%2fx");
}

TEST(Accounts, FilesThatAreNoneAreToldAndLeftAlone) {
  for (const char* text :
       {"", "else\n", "lockgate accounts 1\nx\n", "lockgate accounts 1\n7\t-\tann\tplain\t\n",
        "lockgate accounts 1\n7\t-\tann\tabuq21xu6EMNI\t"})
    EXPECT_FALSE(read_account_file(text)) << text;
  EXPECT_TRUE(read_account_file("lockgate accounts 1\n7\t-\tann\tabuq21xu6EMNI\t\n"));
}

TEST(Accounts, NamesAreThoseThatCanSignIn) {
  for (const char* name : {"", "a:b", "#a", " a", "a ", "a\tb", "\xff", "\ufeffann", "ann\u200b", "a\u00a0n",
                           "\u202enna", "a\u2066n", "ann\ufe0f"})
    EXPECT_FALSE(is_user_name(name)) << name;
  EXPECT_TRUE(is_user_name("carl gustav"));
  EXPECT_TRUE(is_user_name("m\xc3\xbcller"));
}

TEST(Accounts, RemarksHideNothingFromWhoeverReadsThem) {
  for (const char* remark : {"a\nb", "from \u202eecila", "\u2066", "a\u2028b", "\ufeff"})
    EXPECT_FALSE(is_line_of_text(remark)) << remark;
  for (const char* remark : {"", "from the \"other\" office", "caf\u00e9 \u2013 \U0001f600"})
    EXPECT_TRUE(is_line_of_text(remark)) << remark;
}

}  // namespace
}  // namespace lockgate::guard
