#include "base/whole_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace lockgate {
namespace {

std::string made_file(const char* name, std::string_view text) {
  std::string path = testing::TempDir() + "whole_file_" + name;
  std::ofstream(path) << text;
  return path;
}

TEST(WholeFile, IsReadToItsEnd) {
  std::string text(200'000, 'x');
  auto read = read_whole_file(made_file("long", text), text.size(), "so much");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->text(), text);
}

TEST(WholeFile, IsRefusedIfItIsLargerThanItMayBe) {
  auto path = made_file("large", "12345");
  EXPECT_EQ(read_whole_file(path, 4, "4 bytes").error(), path + " is larger than 4 bytes");
  EXPECT_TRUE(read_whole_file(path, 5, "5 bytes"));
}

TEST(WholeFile, TellsWhatIsNoFile) {
  EXPECT_TRUE(read_whole_file("/no/such", 1, "").error().contains("see whether the name is right"));
  EXPECT_TRUE(read_whole_file("/tmp", 1, "").error().contains("is a folder"));
  EXPECT_TRUE(read_whole_file("/dev/zero", 1, "").error().contains("is not a regular file"));
}

TEST(WholeFile, HasAnotherStampWhenItHasChanged) {
  auto path = made_file("stamp", "1");
  auto before = stamp_of(path);
  EXPECT_EQ(stamp_of(path), before);
  made_file("stamp", "12");
  EXPECT_NE(stamp_of(path), before);
  EXPECT_EQ(stamp_of("/no/such"), FileStamp());
}

}  // namespace
}  // namespace lockgate
