#include "guard/user_files.h"

#include <fmt/core.h>

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

}  // namespace lockgate::guard
