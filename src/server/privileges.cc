#include "server/privileges.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/fd.h"
#include "base/owned.h"

namespace lockgate::server {
namespace {

using Outcome = std::expected<void, std::string>;
using Capabilities = std::vector<cap_value_t>;

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

std::string reason(int error) { return std::generic_category().message(error); }

template <class... Args>
std::unexpected<std::string> refusal(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(fmt::format(format, std::forward<Args>(args)...));
}

std::expected<User, std::string> find_user(const std::string& name) {
  std::vector<char> room(16 * 1024);
  passwd entry{}, *found = nullptr;
  int error = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (error != 0) return refusal("the user \"{}\" cannot be looked up: {}", name, reason(error));
  if (!found) {
    return refusal(
        "there is no user \"{0}\": make it with `useradd --system --no-create-home {0}`, or name another "
        "under `user`",
        name);
  }
  return User{name, entry.pw_uid, entry.pw_gid};
}

// A directory into which only root can write, with no symbolic link on the way: what is made there by root
// cannot be led astray by anybody else.
Fd open_roots_directory(const std::string& path) {
  open_how how{};
  how.flags = O_DIRECTORY | O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  Fd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
  struct stat status;
  if (!fd || ::fstat(fd.number(), &status) != 0) return {};
  bool only_root_writes = status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  return only_root_writes ? std::move(fd) : Fd();
}

struct SplitPath {
  std::string directory, name;
};
SplitPath split(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// What cannot be made here is no error yet: the user may have the right to make it, and else is told on
// opening.
void make_directory(const std::string& path, const User& user) {
  constexpr mode_t kMode = 0755;
  auto [parent, name] = split(path);
  Fd directory = open_roots_directory(parent);
  if (!directory || ::mkdirat(directory.number(), name.c_str(), kMode) != 0) return;
  (void)::fchownat(directory.number(), name.c_str(), user.uid, user.gid, AT_SYMLINK_NOFOLLOW);
}

void make_file(const config::LogTarget& log, const User& user) {
  const mode_t mode = log.secret ? 0600 : 0640;
  auto [parent, name] = split(log.path);
  Fd directory = open_roots_directory(parent);
  if (!directory) return;
  Fd file(
      ::openat(directory.number(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (file) (void)::fchown(file.number(), user.uid, user.gid);
}

// Privileges belong to threads, so they are settled while there is one.
bool is_only_thread() {
  struct stat tasks;
  return ::stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink == 3;
}

Outcome change_user(const User& user) {
  if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0) {
    return refusal(
        "cannot become the user \"{}\": {}; in a container this needs the capabilities SETUID and SETGID, or "
        "start as "
        "that user",
        user.name, reason(errno));
  }
  CHECK(::setresuid(-1U, 0, -1U) != 0);  // there is no way back
  return {};
}

// Gives up all but `kept`, as far as they are there, also for whatever might be executed.
Outcome keep_only(const Capabilities& kept) {
  Owned<std::remove_pointer_t<cap_t>, ::cap_free> now(::cap_get_proc()), next(::cap_init());
  if (!now || !next) return refusal("cannot read the capabilities of this process: {}", reason(errno));
  for (cap_value_t capability : kept) {
    cap_flag_value_t held = CAP_CLEAR;
    ::cap_get_flag(now.get(), capability, CAP_PERMITTED, &held);
    ::cap_set_flag(next.get(), CAP_PERMITTED, 1, &capability, held);
    ::cap_set_flag(next.get(), CAP_EFFECTIVE, 1, &capability, held);
  }
  ::cap_reset_ambient();
  if (::cap_set_proc(next.get()) != 0) return refusal("cannot give up capabilities: {}", reason(errno));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return refusal("cannot give up gaining privileges (no_new_privs): {}", reason(errno));
  }
  return {};
}

// Needs CAP_SETPCAP. Without it there is nothing to lose: no_new_privs alone keeps the process from gaining
// any.
void shrink_bounding_set(const Capabilities& kept) {
  for (cap_value_t capability = 0; capability < ::cap_max_bits(); ++capability) {
    if (std::ranges::find(kept, capability) == kept.end()) ::cap_drop_bound(capability);
  }
}

}  // namespace

std::uint64_t raise_descriptor_limit(std::uint64_t needed) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return limit.rlim_cur;
  rlimit raised{needed, std::max<rlim_t>(needed, limit.rlim_max)};  // only root may raise the hard limit
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return needed;
  raised = {std::min<rlim_t>(needed, limit.rlim_max), limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &raised);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::expected<void, std::string> become_user(const std::string& user, const std::vector<std::string>& sockets,
                                             const std::vector<config::LogTarget>& logs,
                                             bool keep_network_admin) {
  CHECK(is_only_thread());
  bool is_root = ::geteuid() == 0;
  std::optional<User> next;
  if (!user.empty()) {
    auto found = find_user(user);
    if (!found) return std::unexpected(found.error());
    if (found->uid != ::geteuid()) next = *found;
  }
  if (next && !is_root) {
    return refusal(
        "cannot become the user \"{}\": only root can; start as root, start as that user, or leave `user` "
        "out",
        user);
  }
  Capabilities kept = {CAP_NET_BIND_SERVICE};
  if (keep_network_admin) kept.push_back(CAP_NET_ADMIN);
  if (is_root && !next) kept.push_back(CAP_DAC_OVERRIDE);
  shrink_bounding_set(kept);
  if (next) {
    for (const std::string& socket : sockets) {
      if (!socket.empty()) make_directory(split(socket).directory, *next);
    }
    for (const config::LogTarget& log : logs) {
      if (log.kind == config::LogTarget::Kind::file) make_file(log, *next);
    }
    ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (auto changed = change_user(*next); !changed) return changed;
    ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    // As the kernel has it after such a change: others of that user cannot look into this process's memory,
    // which holds what its clients say.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  return keep_only(kept);
}

}  // namespace lockgate::server
