#include "server/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/password_hash.h"
#include "tls/encryption.h"
#include "tls/self_signed.h"

namespace lockgate::server {
namespace {

// The wait status of a process that enters the sandbox and then does `body`.
int confined(const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) {
    auto entered = enter_sandbox();
    if (!entered) {
      std::cerr << entered.error() << "\n";
      ::_exit(99);
    }
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

bool is_refused(long outcome) { return outcome < 0 && errno == ENOSYS; }

// The number of the step that failed in such a process; 0 if all went well.
int failed_step(const std::function<int()>& body) {
  int status = confined(body);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Sandbox, ExecutesNothing) {
  int failed = failed_step([] {
    char program[] = "/bin/true";
    char* arguments[] = {program, nullptr};
    char* environment[] = {nullptr};
    if (!is_refused(::execve(program, arguments, environment))) return 1;
    pid_t spawned;
    if (::posix_spawn(&spawned, program, nullptr, nullptr, arguments, environment) == 0) return 2;
    return 0;
  });
  EXPECT_EQ(failed, 0);
}

TEST(Sandbox, RefusesWhatOnlyAnIntruderWouldDo) {
  int failed = failed_step([] {
    if (!is_refused(::mount("none", "/mnt", "tmpfs", 0, nullptr))) return 1;
    if (!is_refused(::setuid(0))) return 2;
    if (!is_refused(::syscall(SYS_init_module, nullptr, 0, ""))) return 3;
    if (!is_refused(::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0))) return 4;
    if (!is_refused(::syscall(SYS_bpf, 0, nullptr, 0))) return 5;
    if (!is_refused(::chroot("/"))) return 6;
    if (!is_refused(::syscall(SYS_io_uring_setup, 1, nullptr))) return 7;
    if (!is_refused(::socket(AF_PACKET, SOCK_RAW, 0))) return 8;
    if (!is_refused(::socket(AF_NETLINK, SOCK_RAW, 9))) return 9;
    if (::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
      return 10;
    return 0;
  });
  EXPECT_EQ(failed, 0);
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
TEST(Sandbox, MakesAndTracesNoProcess) {
  int failed = failed_step([] {
    if (!is_refused(::fork())) return 1;
    if (!is_refused(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr))) return 2;
    if (!is_refused(::kill(::getppid(), 0))) return 3;
    return 0;
  });
  EXPECT_EQ(failed, 0);
}
#endif

TEST(Sandbox, LetsConnectionsThrough) {
  int failed = failed_step([] {
    Fd listening(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    int on = 1;
    ::setsockopt(listening.number(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listening.number(), address, size) != 0 || ::listen(listening.number(), 8) != 0) return 1;
    ::getsockname(listening.number(), address, &size);
    Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(client.number(), address, size) != 0) return 2;
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC)), wake(::eventfd(0, EFD_NONBLOCK));
    epoll_event event{.events = EPOLLIN, .data = {}};
    if (::epoll_ctl(epoll.number(), EPOLL_CTL_ADD, listening.number(), &event) != 0) return 3;
    if (::epoll_wait(epoll.number(), &event, 1, 1000) != 1) return 4;
    Fd server(::accept4(listening.number(), nullptr, nullptr, SOCK_NONBLOCK));
    if (!server || ::send(client.number(), "x", 1, MSG_NOSIGNAL) != 1) return 5;
    int pipe[2];
    if (::pipe2(pipe, O_NONBLOCK) != 0) return 6;
    if (::splice(server.number(), nullptr, pipe[1], nullptr, 1, 0) != 1) return 7;
    Fd unix_socket(::socket(AF_UNIX, SOCK_DGRAM, 0)), v6(::socket(AF_INET6, SOCK_STREAM, 0));
    return unix_socket ? 0 : 8;
  });
  EXPECT_EQ(failed, 0);
}

TEST(Sandbox, LetsPasswordsBeChecked) {
  std::vector<std::string> hashes;
  for (auto scheme : {PasswordScheme::bcrypt, PasswordScheme::yescrypt, PasswordScheme::gost_yescrypt,
                      PasswordScheme::sha512, PasswordScheme::apr1, PasswordScheme::ssha})
    hashes.push_back(make_password_hash(scheme, {}, "secret").value());
  int failed = failed_step([&hashes] {
    int step = 1;
    for (const std::string& hash : hashes) {
      if (verify_password("secret", hash) != PasswordMatch::yes) return step;
      if (verify_password("guess", hash) != PasswordMatch::no) return step;
      ++step;
    }
    return 0;
  });
  EXPECT_EQ(failed, 0);
}

TEST(Sandbox, LetsAReloadReadFilesAndTheLogsBeWritten) {
  std::string directory = ::testing::TempDir() + "sandbox";
  std::filesystem::create_directories(directory);
  int failed = failed_step([&directory] {
    std::ofstream(directory + "/log", std::ios::app) << "a line\n";
    std::ifstream in(directory + "/log");
    std::string line;
    if (!std::getline(in, line) || line != "a line") return 1;
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) files += entry.is_regular_file();
    if (files != 1) return 2;
    std::ifstream hosts("/etc/hosts");
    if (!hosts) return 3;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return 4;
    ::freeifaddrs(list);
    return ::unlink((directory + "/log").c_str()) == 0 ? 0 : 5;
  });
  EXPECT_EQ(failed, 0);
  std::filesystem::remove_all(directory);
}

TEST(Sandbox, LetsAReloadMakeAndOpenCertificates) {
  std::string directory = ::testing::TempDir() + "sandbox-certificates";
  std::filesystem::remove_all(directory);
  tls::load_old_ciphers();
  int failed = failed_step([&directory] {
    WallTime now = SystemClock().wall();
    auto made = tls::kept_self_signed(directory, "www", {"www.example.test"}, now);
    if (!made) std::cerr << made.error() << "\n";
    auto kept = tls::kept_self_signed(directory, "www", {"www.example.test"}, now);
    if (!made || !kept || (*made)[0]->fingerprint != (*kept)[0]->fingerprint) return 1;
    auto old = tls::read_pkcs12(LOCKGATE_SOURCE_DIR "/src/tls/testdata/rc2.p12", "secret");
    if (!old) std::cerr << old.error() << "\n";
    return old ? 0 : 2;
  });
  EXPECT_EQ(failed, 0);
  std::filesystem::remove_all(directory);
}

TEST(Sandbox, LetsThreadsRunAndMemoryGrow) {
  int failed = failed_step([] {
    std::atomic<int> sum = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&sum] {
        std::vector<int> many(1'000'000, 1);
        sum += many[999'999];
      });
    }
    for (auto& thread : threads) thread.join();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
    return sum == 8 ? 0 : 2;
  });
  EXPECT_EQ(failed, 0);
}

TEST(Sandbox, ConfinesThreadsThatRunAlready) {
  pid_t child = ::fork();
  if (child == 0) {
    std::atomic<int> stage = 0;
    std::thread before([&stage] {
      stage = 1;
      while (stage != 2) std::this_thread::yield();
      stage = is_refused(::chroot("/")) ? 3 : 4;
    });
    while (stage != 1) std::this_thread::yield();
    if (!enter_sandbox()) ::_exit(99);
    stage = 2;
    before.join();
    ::_exit(stage == 3 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Sandbox, LetsAbortAbort) {
  int status = confined([] {
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

}  // namespace
}  // namespace lockgate::server
