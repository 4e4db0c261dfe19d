#include "server/privileges.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <functional>
#include <iostream>

#include "base/fd.h"

namespace lockgate::server {
namespace {

using LogKind = config::LogTarget::Kind;

// Runs `body` in a process of its own, whose exit code it gives: 0 means that all went well.
int apart(const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool has(cap_value_t capability, cap_flag_t flag) {
  cap_t now = ::cap_get_proc();
  cap_flag_value_t value = CAP_CLEAR;
  ::cap_get_flag(now, capability, flag, &value);
  ::cap_free(now);
  return value == CAP_SET;
}

bool can_bind(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
  int on = 1;
  ::setsockopt(fd.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(0x7f0000fe);
  return ::bind(fd.number(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
}

class AsRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  }
};

using PrivilegesAsRoot = AsRoot;

TEST_F(PrivilegesAsRoot, BecomesTheUserAndKeepsOnlyTheRightToBindLowPorts) {
  int code = apart([] {
    auto became = become_user("nobody", {}, {});
    if (!became) return std::cerr << became.error() << "\n", 1;
    uid_t real, effective, saved;
    ::getresuid(&real, &effective, &saved);
    uid_t nobody = ::getpwnam("nobody")->pw_uid;
    if (real != nobody || effective != nobody || saved != nobody || ::getgid() == 0) return 2;
    if (::getgroups(0, nullptr) > 1) return 3;
    if (!can_bind(443)) return 4;
    for (cap_value_t c = 0; c < ::cap_max_bits(); ++c) {
      bool kept = c == CAP_NET_BIND_SERVICE;
      if (has(c, CAP_PERMITTED) != kept || has(c, CAP_EFFECTIVE) != kept || has(c, CAP_INHERITABLE)) return 5;
      if ((::cap_get_bound(c) == 1) != kept || ::cap_get_ambient(c) == 1) return 6;
    }
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 7;
    if (::setuid(0) == 0 || ::open("/etc/shadow", O_RDONLY) >= 0) return 8;
    return 0;
  });
  EXPECT_EQ(code, 0);
}

TEST_F(PrivilegesAsRoot, StayingRootKeepsRootsFilesAndNothingElse) {
  int code = apart([] {
    if (!become_user("", {}, {}) || ::geteuid() != 0) return 1;
    for (cap_value_t c = 0; c < ::cap_max_bits(); ++c) {
      bool kept = c == CAP_NET_BIND_SERVICE || c == CAP_DAC_OVERRIDE;
      if (has(c, CAP_PERMITTED) != kept || (::cap_get_bound(c) == 1) != kept) return 2;
    }
    return can_bind(443) ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
}

TEST_F(PrivilegesAsRoot, MakesDirectoriesAndLogsForTheUserOnlyWhereRootAloneWrites) {
  std::string pattern = "/var/lib/lockgate_test_XXXXXX";
  std::string root = ::mkdtemp(pattern.data());
  ::chmod(root.c_str(), 0755);
  std::filesystem::create_directory(root + "/open");
  ::chmod((root + "/open").c_str(), 0777);
  std::filesystem::create_directory_symlink(root, root + "/link");
  int code = apart([&root] {
    auto became = become_user("nobody", {root + "/run/control.sock", ""},
                              {{LogKind::file, root + "/access.log"},
                               {LogKind::file, root + "/open/stray.log"},
                               {LogKind::file, root + "/link/linked.log"},
                               {LogKind::standard_error, ""}});
    if (!became) return 1;
    if (::access((root + "/access.log").c_str(), W_OK) != 0 || ::access((root + "/run").c_str(), W_OK) != 0)
      return 2;
    return 0;
  });
  EXPECT_EQ(code, 0);
  EXPECT_FALSE(std::filesystem::exists(root + "/open/stray.log"));
  EXPECT_FALSE(std::filesystem::exists(root + "/linked.log"));
  struct stat log;
  EXPECT_EQ(::stat((root + "/access.log").c_str(), &log), 0);
  EXPECT_EQ(log.st_mode & 0777U, 0640U);
  std::filesystem::remove_all(root);
}

TEST_F(PrivilegesAsRoot, LeavesFilesThatAreThereToTheirOwner) {
  std::string pattern = "/var/lib/lockgate_test_XXXXXX";
  std::string root = ::mkdtemp(pattern.data());
  Fd there(::open((root + "/access.log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_EQ(
      apart([&root] { return become_user("nobody", {}, {{LogKind::file, root + "/access.log"}}) ? 0 : 1; }),
      0);
  struct stat log;
  EXPECT_EQ(::fstat(there.number(), &log), 0);
  EXPECT_EQ(log.st_uid, 0U);
  std::filesystem::remove_all(root);
}

TEST_F(PrivilegesAsRoot, OnlyRootCanBecomeAnotherButAnybodyMayStay) {
  int code = apart([] {
    uid_t nobody = ::getpwnam("nobody")->pw_uid;
    if (::setresuid(nobody, nobody, nobody) != 0) return 1;
    if (!become_user("nobody", {}, {}) || !become_user("", {}, {})) return 2;
    auto became = become_user("daemon", {}, {});
    if (became || !became.error().starts_with("cannot become the user \"daemon\": only root can")) return 3;
    return 0;
  });
  EXPECT_EQ(code, 0);
}

TEST(Privileges, AUserThatIsNotThereIsToldWithWhatToDo) {
  auto became = become_user("no-such-user", {}, {});
  ASSERT_FALSE(became);
  EXPECT_EQ(became.error(),
            "there is no user \"no-such-user\": make it with `useradd --system --no-create-home "
            "no-such-user`, or name "
            "another under `user`");
}

TEST(Privileges, RaisesTheDescriptorLimitAsFarAsItMay) {
  int code = apart([] {
    rlimit low{64, 256};
    ::setrlimit(RLIMIT_NOFILE, &low);
    // Without root's right to raise the hard limit.
    cap_t none = ::cap_init();
    ::cap_set_proc(none);
    ::cap_free(none);
    if (raise_descriptor_limit(10) != 64U || raise_descriptor_limit(200) != 200U) return 1;
    return raise_descriptor_limit(1000) == 256U ? 0 : 2;
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace lockgate::server
