#include "tls/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tls/made_folder.h"
#include "tls/told.h"

namespace lockgate::tls {
namespace {

namespace fs = std::filesystem;

TEST(Files, AreReadWhole) {
  made::Folder folder;
  auto read = read_file(folder.file("a", std::string("a\0b", 3)));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->text(), std::string_view("a\0b", 3));
}

TEST(Files, NewOnesNeverReplaceWhatIsThere) {
  made::Folder folder;
  auto there = folder.file("there", "old");
  auto written = write_new_file(there, "new", Readers::owner);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), there + " is there already and is left as it is");
  EXPECT_EQ(made::content_of(there), "old");
  fs::create_symlink(folder.path("elsewhere"), folder.path("link"));
  EXPECT_FALSE(write_new_file(folder.path("link"), "new", Readers::owner));
  EXPECT_FALSE(fs::exists(folder.path("elsewhere")));
}

TEST(Files, ForTheirOwnerAreReadByNobodyElse) {
  made::Folder folder;
  mode_t before = ::umask(0);
  ASSERT_TRUE(write_new_file(folder.path("new"), "x", Readers::owner));
  ASSERT_TRUE(replace_file(folder.file("replaced", "old"), "x", Readers::owner));
  ASSERT_TRUE(write_new_file(folder.path("open"), "x", Readers::everybody));
  ::umask(before);
  for (const char* name : {"new", "replaced"}) {
    EXPECT_EQ(made::content_of(folder.path(name)), "x");
    EXPECT_EQ(fs::status(folder.path(name)).permissions(), fs::perms(0600));
  }
  EXPECT_EQ(fs::status(folder.path("open")).permissions(), fs::perms(0644));
}

TEST(Files, OnlyRegularOnesAreReplaced) {
  made::Folder folder;
  auto target = folder.file("target", "old");
  fs::create_symlink(target, folder.path("link"));
  auto replaced = replace_file(folder.path("link"), "new", Readers::owner);
  ASSERT_FALSE(replaced);
  EXPECT_TRUE(tells(replaced.error(), "is not a regular file"));
  EXPECT_EQ(made::content_of(target), "old");
}

TEST(Files, NothingIsLeftBehindWhereWritingFails) {
  made::Folder folder;
  auto written = replace_file(folder.path("none/a"), "x", Readers::owner);
  ASSERT_FALSE(written);
  EXPECT_TRUE(tells(written.error(), "make the folder first"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Files, FolderThatNobodyMayWriteToIsTold) {
  auto written = replace_file("/sys/lockgate.pem", "x", Readers::owner);  // not even root
  ASSERT_FALSE(written);
  EXPECT_TRUE(tells(written.error(), "give the user that Lockgate runs as the right to write to the folder"));
}

TEST(Secret, IsWipedWhereItIsCutOff) {
  Secret secret(std::string_view("password"));
  const char* memory = secret.text().data();
  secret.cut(4);
  EXPECT_EQ(secret.text(), "pass");
  EXPECT_EQ(std::string_view(memory + 4, 4), std::string_view("\0\0\0\0", 4));
  Secret other = std::move(secret);
  EXPECT_EQ(other.text().data(), memory) << "moving leaves no second copy";
}

}  // namespace
}  // namespace lockgate::tls
