#include "proxy/folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>

#include "proxy/page.h"
#include "tls/made_folder.h"

namespace lockgate::proxy {
namespace {

namespace fs = std::filesystem;

class Folders : public testing::Test {
 protected:
  Folders() {
    fs::create_directory(made_.path("www"));
    fs::create_directory(made_.path("www/sub"));
    made_.file("secret", "secret");
    made_.file("www/a.txt", "hello");
    made_.file("www/sub/b.txt", "");
    auto opened = Folder::open(made_.path("www"));
    EXPECT_TRUE(opened);
    folder_ = *opened;
  }
  void link(const std::string& to, const std::string& name) { fs::create_symlink(to, made_.path(name)); }
  /// "file", "folder", or the status that a client would see.
  std::string found(const std::string& name) const {
    auto file = folder_->find(name);
    if (!file) return std::to_string(status_of(file.error()));
    return file->is_folder ? "folder" : "file";
  }

  tls::made::Folder made_;
  std::shared_ptr<const Folder> folder_;
};

TEST_F(Folders, FindWhatIsInThem) {
  EXPECT_EQ(found("a.txt"), "file");
  EXPECT_EQ(found("sub/b.txt"), "file");
  EXPECT_EQ(found("sub"), "folder");
  EXPECT_EQ(found("."), "folder");
  EXPECT_EQ(folder_->find("a.txt")->size, 5u);
  struct stat told{};
  ASSERT_EQ(::stat(made_.path("www/a.txt").c_str(), &told), 0);
  EXPECT_EQ(folder_->find("a.txt")->inode, told.st_ino);
  EXPECT_EQ(folder_->find("a.txt")->modified % 1'000'000'000, told.st_mtim.tv_nsec);
}

TEST_F(Folders, DoNotFindWhatIsNotThere) {
  EXPECT_EQ(found("b.txt"), "404");
  EXPECT_EQ(found("a.txt/"), "404");
  EXPECT_EQ(found("a.txt/b"), "404");
  EXPECT_EQ(found(std::string(300, 'a')), "404");
  EXPECT_EQ(found(std::string(5000, 'a')), "404");
}

TEST_F(Folders, LeadNowhereElse) {
  link("../secret", "www/out");
  link(made_.path("secret"), "www/far_out");
  link(made_.path("www/a.txt"), "www/absolute");
  link("sub/b.txt", "www/within");
  link("../a.txt", "www/sub/up_and_within");
  link("..", "www/parent");
  link("loop", "www/loop");
  for (const char* name : {"../secret", "/etc/passwd", "sub/../../secret", "out", "far_out", "absolute",
                           "parent/secret", "parent", "loop"}) {
    EXPECT_EQ(found(name), "404") << name;
  }
  EXPECT_EQ(found("within"), "file");
  EXPECT_EQ(found("sub/up_and_within"), "file");
}

TEST_F(Folders, HaveFilesOnly) {
  ASSERT_EQ(::mkfifo(made_.path("www/fifo").c_str(), 0600), 0);
  int listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  made_.path("www/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(found("fifo"), "404");
  EXPECT_EQ(found("socket"), "404");
  ::close(listening);
}

TEST_F(Folders, HaveFilesOfAnyTime) {
  auto last_changed = [&](std::int64_t second) {
    timespec times[2] = {{second, 0}, {second, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, made_.path("www/a.txt").c_str(), times, 0), 0);
    return folder_->find("a.txt")->modified;
  };
  constexpr std::int64_t kYear2300 = 10'413'792'000;
  EXPECT_GT(last_changed(kYear2300), 0) << "and not before 1970";
  EXPECT_EQ(last_changed(1'000'000'000), 1'000'000'000'000'000'000);
}

TEST_F(Folders, StayTheSameWhenTheyAreMoved) {
  fs::rename(made_.path("www"), made_.path("old"));
  EXPECT_EQ(found("a.txt"), "file");
}

TEST_F(Folders, ThatAreNotThereAreToldInWords) {
  auto none = Folder::open(made_.path("nowhere"));
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().contains(made_.path("nowhere"))) << none.error();
  EXPECT_FALSE(Folder::open(made_.path("secret")));
}

TEST_F(Folders, SayWhatMayNotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  fs::permissions(made_.path("www/a.txt"), fs::perms::none);
  EXPECT_EQ(found("a.txt"), "403");
}

}  // namespace
}  // namespace lockgate::proxy
