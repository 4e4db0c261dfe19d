#include "server/sandbox.h"

#include <asm/termbits.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <type_traits>

#include "base/owned.h"

namespace lockgate::server {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LOCKGATE_SANITIZED 1
#endif
#endif

// Some calls exist on some machines only (arm64 has no `open`); libseccomp gives those a negative number that
// no call has, so listing them is harmless.
constexpr int kNetwork[] = {
    SCMP_SYS(accept),      SCMP_SYS(accept4),    SCMP_SYS(bind),    SCMP_SYS(connect),  SCMP_SYS(getpeername),
    SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(listen),  SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmsg),     SCMP_SYS(sendmmsg),   SCMP_SYS(sendmsg), SCMP_SYS(sendto),   SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),    SCMP_SYS(socketpair), SCMP_SYS(splice),  SCMP_SYS(pipe2),
};
constexpr int kWaiting[] = {
    SCMP_SYS(epoll_create1),   SCMP_SYS(epoll_ctl),       SCMP_SYS(epoll_pwait),  SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_wait),      SCMP_SYS(eventfd2),        SCMP_SYS(poll),         SCMP_SYS(ppoll),
    SCMP_SYS(pselect6),        SCMP_SYS(select),          SCMP_SYS(signalfd4),    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(nanosleep),    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_gettime),   SCMP_SYS(clock_getres),    SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(restart_syscall),
};
// A reload reads files and directories; logs and the control socket are made and removed.
constexpr int kFiles[] = {
    SCMP_SYS(access),     SCMP_SYS(chmod),     SCMP_SYS(close),      SCMP_SYS(close_range),
    SCMP_SYS(dup),        SCMP_SYS(dup2),      SCMP_SYS(dup3),       SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(fadvise64), SCMP_SYS(fchmod),     SCMP_SYS(fchmodat),
    SCMP_SYS(fcntl),      SCMP_SYS(fdatasync), SCMP_SYS(fstat),      SCMP_SYS(fstatfs),
    SCMP_SYS(fsync),      SCMP_SYS(ftruncate), SCMP_SYS(getcwd),     SCMP_SYS(getdents64),
    SCMP_SYS(lseek),      SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(open),
    SCMP_SYS(openat),     SCMP_SYS(openat2),   SCMP_SYS(pread64),    SCMP_SYS(preadv),
    SCMP_SYS(pwrite64),   SCMP_SYS(pwritev),   SCMP_SYS(read),       SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(readv),     SCMP_SYS(stat),       SCMP_SYS(statfs),
    SCMP_SYS(statx),      SCMP_SYS(umask),     SCMP_SYS(unlink),     SCMP_SYS(unlinkat),
    SCMP_SYS(write),      SCMP_SYS(writev),    SCMP_SYS(mkdir),      SCMP_SYS(mkdirat),
    SCMP_SYS(rename),     SCMP_SYS(renameat),  SCMP_SYS(renameat2),  SCMP_SYS(memfd_create),
};
constexpr int kMemoryAndThreads[] = {
    SCMP_SYS(brk),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(getcpu),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
};
#ifdef LOCKGATE_SANITIZED
// The leak checker stops and traces its own threads at the end.
constexpr int kSanitizer[] = {SCMP_SYS(clone), SCMP_SYS(personality), SCMP_SYS(prctl), SCMP_SYS(ptrace),
                              SCMP_SYS(wait4), SCMP_SYS(kill),        SCMP_SYS(tgkill)};
#endif

// The filter under construction; it remembers the first rule that was refused.
class Filter {
 public:
  Filter() : filter_(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS))) {
    note(filter_ ? 0 : -ENOMEM);
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));  // a search tree, not a list
  }

  void allow(std::span<const int> calls) {
    for (int call : calls) note(::seccomp_rule_add(filter_.get(), SCMP_ACT_ALLOW, call, 0));
  }
  /// Only if all of the arguments compare so.
  template <class... Comparisons>
  void allow_if(int call, Comparisons... all) {
    note(::seccomp_rule_add(filter_.get(), SCMP_ACT_ALLOW, call, sizeof...(all), all...));
  }
  /// 0, or a negative errno value.
  int load() { return error_ != 0 ? error_ : ::seccomp_load(filter_.get()); }

 private:
  void note(int outcome) {
    if (error_ == 0) error_ = outcome;
  }

  Owned<std::remove_pointer_t<scmp_filter_ctx>, ::seccomp_release> filter_;
  int error_ = 0;
};

scmp_arg_cmp argument(unsigned number, scmp_compare comparison, scmp_datum_t a, scmp_datum_t b = 0) {
  return {number, comparison, a, b};
}

void allow_some_arguments(Filter& filter) {
  // Threads, but no processes. clone3 is not on the list, for its flags cannot be seen here; the C library
  // falls back to clone.
  filter.allow_if(SCMP_SYS(clone), argument(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  constexpr scmp_datum_t kFamilies[] = {AF_UNIX, AF_INET, AF_INET6};
  for (scmp_datum_t family : kFamilies) {
    filter.allow_if(SCMP_SYS(socket), argument(0, SCMP_CMP_EQ, family));
  }
  // The machine's own addresses.
  filter.allow_if(SCMP_SYS(socket), argument(0, SCMP_CMP_EQ, AF_NETLINK),
                  argument(2, SCMP_CMP_EQ, NETLINK_ROUTE));
  for (int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    filter.allow_if(call, argument(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  }
  constexpr scmp_datum_t kRequests[] = {FIONREAD, FIONBIO, TCGETS, TIOCOUTQ, SIOCGIFINDEX, SIOCGIFNAME};
  for (scmp_datum_t request : kRequests) {
    filter.allow_if(SCMP_SYS(ioctl), argument(1, SCMP_CMP_EQ, request));
  }
  filter.allow_if(SCMP_SYS(prctl), argument(0, SCMP_CMP_EQ, PR_SET_NAME));
  filter.allow_if(SCMP_SYS(prlimit64), argument(0, SCMP_CMP_EQ, 0));
  filter.allow_if(SCMP_SYS(tgkill),
                  argument(0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));  // abort()
}

}  // namespace

std::expected<void, std::string> enter_sandbox(bool with_packet_filter) {
  Filter filter;
  filter.allow(kNetwork);
  filter.allow(kWaiting);
  filter.allow(kFiles);
  filter.allow(kMemoryAndThreads);
  allow_some_arguments(filter);
  if (with_packet_filter)  // whose library opens its socket anew when the kernel had too much to say
    filter.allow_if(SCMP_SYS(socket), argument(0, SCMP_CMP_EQ, AF_NETLINK),
                    argument(2, SCMP_CMP_EQ, NETLINK_NETFILTER));
#ifdef LOCKGATE_SANITIZED
  filter.allow(kSanitizer);
#endif
  int error = filter.load();
  if (error == 0) return {};
  return std::unexpected(
      fmt::format("the sandbox (seccomp) cannot be entered: {}; the kernel or the container does "
                  "not allow filters",
                  std::generic_category().message(-error)));
}

}  // namespace lockgate::server
