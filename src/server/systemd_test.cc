#include "server/systemd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace lockgate::server {
namespace {

using namespace std::chrono_literals;

// What systemd would be: the end at which notifications arrive.
class Manager {
 public:
  explicit Manager(const std::string& name)
      : name_(name), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name.data(), name.size());
    if (name[0] == '@') at.sun_path[0] = '\0';
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (name[0] != '@') ::unlink(name.c_str());
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<sockaddr*>(&at), size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    if (name_[0] != '@') ::unlink(name_.c_str());
  }
  std::string heard() {
    std::array<char, 512> room;
    ssize_t size = ::recv(socket_.number(), room.data(), room.size(), MSG_DONTWAIT);
    return size < 0 ? "(nothing)" : std::string(room.data(), static_cast<std::size_t>(size));
  }

 private:
  std::string name_;
  Fd socket_;
};

Fd listening(int type = SOCK_STREAM) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd.number(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  if (type == SOCK_STREAM) EXPECT_EQ(::listen(fd.number(), 1), 0);
  return fd;
}

// Runs `body` in a process of its own, which has `passed` as descriptors 3, 4, ...; its exit code.
int in_service(const std::vector<int>& passed, const std::string& names, const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) {
    std::vector<int> high;
    for (int fd : passed) high.push_back(::fcntl(fd, F_DUPFD, 200));
    int next = 3;
    for (int fd : high) ::dup2(fd, next++);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(passed.size()).c_str(), 1);
    if (!names.empty()) ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ServiceNotifier, TellsTheManagerAtAPathOrAnAbstractName) {
  for (const std::string& name :
       {::testing::TempDir() + "notify", "@lockgate-test-" + std::to_string(::getpid())}) {
    Manager manager(name);
    ServiceNotifier notifier = ServiceNotifier::from_environment();
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
    EXPECT_TRUE(notifier.ready("2 listeners\nREADY=0"));
    EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=2 listeners READY=0");
    EXPECT_TRUE(notifier.reloading({5'000'000}));
    EXPECT_EQ(manager.heard(), "RELOADING=1\nMONOTONIC_USEC=5000\nSTATUS=reloading");
    EXPECT_TRUE(notifier.status("7 connections"));
    EXPECT_EQ(manager.heard(), "STATUS=7 connections");
    EXPECT_TRUE(notifier.alive());
    EXPECT_EQ(manager.heard(), "WATCHDOG=1");
    EXPECT_TRUE(notifier.stopping("draining"));
    EXPECT_EQ(manager.heard(), "STOPPING=1\nSTATUS=draining");
  }
}

TEST(ServiceNotifier, SaysNothingWhereNobodyListens) {
  ::unsetenv("NOTIFY_SOCKET");
  ServiceNotifier notifier = ServiceNotifier::from_environment();
  EXPECT_TRUE(notifier.ready(""));
  EXPECT_EQ(notifier.watchdog_interval(), 0s);
}

TEST(ServiceNotifier, GivesAnErrorAndDoesNotWaitWhenTheManagerIsGoneOrBusy) {
  std::string name = ::testing::TempDir() + "notify";
  ::setenv("NOTIFY_SOCKET", (name + "-gone").c_str(), 1);
  auto gone = ServiceNotifier::from_environment().ready("");
  ASSERT_FALSE(gone);
  EXPECT_EQ(words(gone.error()),
            "telling systemd how the service is: unreachable (No such file or directory)");
  Manager manager(name);
  ServiceNotifier notifier = ServiceNotifier::from_environment();
  Result<void> last;
  for (int i = 0; i < 100'000 && last; ++i) last = notifier.alive();
  EXPECT_FALSE(last);
}

TEST(ServiceNotifier, KeepsTheWatchdogQuietTwiceAsOftenAsItAsks) {
  Manager manager(::testing::TempDir() + "notify");
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(ServiceNotifier::from_environment().watchdog_interval(), 15s);
  Manager again(::testing::TempDir() + "notify");
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceNotifier::from_environment().watchdog_interval(), 0s);
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
}

TEST(ActivatedSockets, AreTakenByName) {
  Fd a = listening(), b = listening(), c = listening();
  int code = in_service({a.number(), b.number(), c.number()}, "tls:tls:plain", [] {
    auto sockets = take_activated_sockets();
    if (!sockets || sockets->size() != 2) return 1;
    if ((*sockets)["tls"].size() != 2 || (*sockets)["tls"][1].number() != 4) return 2;
    if ((*sockets)["plain"].size() != 1 || (*sockets)["plain"][0].number() != 5) return 3;
    if (::fcntl(5, F_GETFD) != FD_CLOEXEC || (::fcntl(5, F_GETFL) & O_NONBLOCK) == 0) return 4;
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
      if (std::getenv(name)) return 5;
    }
    return 0;
  });
  EXPECT_EQ(code, 0);
}

TEST(ActivatedSockets, AreCalledUnknownWithoutAName) {
  Fd a = listening();
  EXPECT_EQ(in_service({a.number()}, "",
                       [] {
                         auto sockets = take_activated_sockets();
                         return sockets && (*sockets)["unknown"].size() == 1 ? 0 : 1;
                       }),
            0);
}

TEST(ActivatedSockets, MustBeStreamSocketsThatListen) {
  Fd datagram = listening(SOCK_DGRAM), file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  Fd connected_or_not(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (int fd : {datagram.number(), file.number(), connected_or_not.number()}) {
    EXPECT_EQ(in_service({fd}, "tls",
                         [] {
                           auto sockets = take_activated_sockets();
                           return !sockets &&
                                          sockets.error().starts_with("the socket \"tls\" passed by systemd")
                                      ? 0
                                      : 1;
                         }),
              0);
  }
}

TEST(ActivatedSockets, OfAnotherProcessAreLeftAlone) {
  Fd a = listening();
  EXPECT_EQ(in_service({a.number()}, "tls",
                       [] {
                         ::setenv("LISTEN_PID", "1", 1);
                         auto sockets = take_activated_sockets();
                         return sockets && sockets->empty() && !std::getenv("LISTEN_FDS") &&
                                        ::fcntl(3, F_GETFD) == 0
                                    ? 0
                                    : 1;
                       }),
            0);
}

TEST(ActivatedSockets, AreNoneWithoutSystemd) {
  auto sockets = take_activated_sockets();
  ASSERT_TRUE(sockets);
  EXPECT_TRUE(sockets->empty());
}

}  // namespace
}  // namespace lockgate::server
