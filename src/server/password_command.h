// The command about passwords: it makes lines of files of users, and tries passwords out.
// Exit codes as in commands.h. A password is never an argument, which everybody could read.
#pragma once
#include <optional>
#include <string>

namespace lockgate::server {

struct PasswordFlags {
  std::string name;
  std::string scheme = "bcrypt";
  std::optional<unsigned> cost;  // none: the scheme's usual one
  std::string verify;            // a file whose user is tried out; empty: a line is made
};
/// Asks on the terminal, without an echo, or reads the first line of standard input.
int password_command(const PasswordFlags& flags);

}  // namespace lockgate::server
