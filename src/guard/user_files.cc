#include "guard/user_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/fd.h"
#include "base/whole_file.h"

namespace lockgate::guard {

using std::unexpected;

namespace {

constexpr std::string_view kLargest = "64 MiB";

template <class File>
std::expected<File, std::string> read_as(const std::string& path, std::size_t largest) {
  auto text = read_whole_file(path, largest, kLargest);
  if (!text) return unexpected(text.error());
  auto file = File::read(text->text());
  if (file) return std::move(*file);
  const wire::FileMistake& mistake = file.error();
  return unexpected(mistake.line == 0 ? fmt::format("{} {}", path, mistake.what)
                                      : fmt::format("{}:{}: the line {}", path, mistake.line, mistake.what));
}

}  // namespace

std::expected<std::shared_ptr<const Users>, std::string> read_users(const std::string& file,
                                                                    const std::string& groups) {
  auto users = read_as<wire::UserFile>(file, wire::kLargestUserFile);
  if (!users) return unexpected(users.error());
  if (groups.empty()) return std::make_shared<const Users>(std::move(*users));
  auto members = read_as<wire::GroupFile>(groups, wire::kLargestGroupFile);
  if (!members) return unexpected(members.error());
  return std::make_shared<const Users>(std::move(*users), std::move(*members));
}

// With a single write to the end of the file itself, for a new one in its place would be another's; whoever
// reads meanwhile looks again. A line that was cut off is taken back.
std::expected<void, NotAdded> add_user(const std::string& file, const std::string& name,
                                       const std::string& hash) {
  auto text = read_whole_file(file, wire::kLargestUserFile, kLargest);
  if (!text) return unexpected(NotAdded{text.error()});
  auto users = read_users(file, "");
  if (!users) return unexpected(NotAdded{users.error()});
  if (auto known = (*users)->hash_of(name)) {
    if (*known == hash) return {};
    return unexpected(NotAdded{fmt::format("{} has a user {} already, with another password", file, name)});
  }
  bool ended = text->text().empty() || text->text().ends_with('\n');
  std::string line = fmt::format("{}{}:{}\n", ended ? "" : "\n", name, hash);
  auto cannot = [&] {
    return unexpected(NotAdded{fmt::format("{} cannot be written by the service's user: {}", file,
                                           std::generic_category().message(errno)),
                               true});
  };
  Fd fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  struct stat before{};
  if (!fd || ::fstat(fd.number(), &before) != 0) return cannot();
  ssize_t written = ::write(fd.number(), line.data(), line.size());
  bool whole = written == static_cast<ssize_t>(line.size());
  if (whole && ::fsync(fd.number()) == 0) return {};  // before the request is taken off
  if (!whole && written >= 0) errno = ENOSPC;
  auto failed = cannot();
  if (written > 0) (void)::ftruncate(fd.number(), before.st_size);
  return failed;
}

}  // namespace lockgate::guard
