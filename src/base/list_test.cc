#include "base/list.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace lockgate {
namespace {

struct Item : ListNode {
  explicit Item(char c) : name(c) {}
  char name;
};

std::string names(List<Item>& list) {
  std::string names;
  for (Item* item = list.front(); item; item = list.after(*item)) names.push_back(item->name);
  return names;
}

class Lists : public testing::Test {
 protected:
  Item a_{'a'}, b_{'b'}, c_{'c'};
  List<Item> list_, other_;
};

TEST_F(Lists, KeepTheOrderOfComing) {
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.front(), nullptr);
  EXPECT_EQ(list_.pop_front(), nullptr);
  for (Item* item : {&a_, &b_, &c_}) list_.push_back(*item);
  EXPECT_EQ(names(list_), "abc");
  EXPECT_EQ(list_.pop_front(), &a_);
  EXPECT_FALSE(a_.linked());
  EXPECT_EQ(names(list_), "bc");
}

TEST_F(Lists, LetANodeLeaveFromAnywhere) {
  for (Item* item : {&a_, &b_, &c_}) list_.push_back(*item);
  b_.unlink();
  b_.unlink();
  EXPECT_EQ(names(list_), "ac");
  c_.unlink();
  a_.unlink();
  EXPECT_TRUE(list_.empty());
}

TEST_F(Lists, LoseANodeThatIsDestroyed) {
  std::optional<Item> brief('x');
  list_.push_back(a_);
  list_.push_back(*brief);
  list_.push_back(b_);
  brief.reset();
  EXPECT_EQ(names(list_), "ab");
}

TEST_F(Lists, HandANodeOverWhenItIsPushedElsewhere) {
  list_.push_back(a_);
  list_.push_back(b_);
  other_.push_back(a_);
  EXPECT_EQ(names(list_), "b");
  EXPECT_EQ(names(other_), "a");
  list_.push_back(b_);  // to its own end
  EXPECT_EQ(names(list_), "b");
}

TEST_F(Lists, TakeAllOfAnotherBehindTheirOwn) {
  list_.push_back(a_);
  other_.push_back(b_);
  other_.push_back(c_);
  list_.take_all(other_);
  EXPECT_EQ(names(list_), "abc");
  EXPECT_TRUE(other_.empty());
  list_.take_all(other_);
  EXPECT_EQ(names(list_), "abc");
  other_.take_all(list_);
  EXPECT_EQ(names(other_), "abc");
  EXPECT_TRUE(list_.empty());
}

TEST_F(Lists, UnlinkTheirNodesWhenTheyAreDestroyed) {
  {
    List<Item> brief;
    brief.push_back(a_);
    brief.push_back(b_);
  }
  EXPECT_FALSE(a_.linked());
  EXPECT_FALSE(b_.linked());
}

}  // namespace
}  // namespace lockgate
