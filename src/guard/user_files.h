// The files of one entry of `users`, read from the disk. Any thread.
#pragma once
#include <expected>
#include <memory>
#include <string>

#include "guard/users.h"

namespace lockgate::guard {

/// `groups` may be empty: there are none. What cannot be used is told in a sentence with file and line, and
/// nothing secret in it.
std::expected<std::shared_ptr<const Users>, std::string> read_users(const std::string& file,
                                                                    const std::string& groups);

/// Why a user could not be added, in a sentence without its full stop.
struct NotAdded {
  std::string sentence;
  bool may_be_added_by_hand = false;
};
/// Adds a line to a file of users, which keeps its mode and its owner. One that is there with this very hash
/// is good, too.
std::expected<void, NotAdded> add_user(const std::string& file, const std::string& name,
                                       const std::string& hash);

}  // namespace lockgate::guard
