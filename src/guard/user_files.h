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

}  // namespace lockgate::guard
