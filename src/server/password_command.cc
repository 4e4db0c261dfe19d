#include "server/password_command.h"

#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <expected>
#include <iostream>

#include "base/password_hash.h"
#include "base/secret.h"
#include "guard/account_request.h"
#include "guard/user_files.h"
#include "server/commands.h"

namespace lockgate::server {
namespace {

using std::unexpected;

constexpr char kInterrupt = 3;  // Ctrl-C

// A terminal that shows nothing of what is typed, while this lives. Ctrl-C ends the line instead of the
// program, which would leave the terminal as it is now.
class Quiet {
 public:
  Quiet() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    quiet.c_cc[VEOL] = kInterrupt;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  Quiet(Quiet&&) = delete;
  ~Quiet() {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::cerr << "\n";
  }

 private:
  termios before_{};
};

// Without its end. What comes behind it is left alone.
std::expected<Secret, std::string> read_line() {
  Secret line(kLongestPassword + 2);
  std::size_t size = 0;
  for (;;) {
    if (size == kLongestPassword + 2)
      return unexpected(fmt::format("a password has at most {} bytes", kLongestPassword));
    auto room = line.room().subspan(size, 1);
    ssize_t read = ::read(STDIN_FILENO, room.data(), 1);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return unexpected("standard input cannot be read");
    if (read == 0 && size == 0) return unexpected("there is no password in standard input");
    if (read == 0 || line.text()[size] == '\n') break;
    if (line.text()[size] == kInterrupt) return unexpected("nothing was done");
    ++size;
  }
  if (size > 0 && line.text()[size - 1] == '\r') --size;
  line.cut(size);
  if (size == 0) return unexpected("an empty password lets everybody in; give another");
  return line;
}

std::expected<Secret, std::string> ask(const char* prompt) {
  std::cerr << prompt << std::flush;
  Quiet quiet;
  return read_line();
}

std::expected<Secret, std::string> ask_twice() {
  auto first = ask("Password: ");
  if (!first) return first;
  auto second = ask("The same again: ");
  if (!second) return second;
  if (first->text() != second->text()) return unexpected("the two passwords are not the same");
  return first;
}

std::expected<Secret, std::string> new_password() {
  return ::isatty(STDIN_FILENO) ? ask_twice() : read_line();
}

int try_out(const PasswordFlags& flags) {
  auto users = guard::read_users(flags.verify, "");
  if (!users) return fail(users.error(), kBadConfig);
  auto password = ::isatty(STDIN_FILENO) ? ask("Password: ") : read_line();
  if (!password) return fail(password.error());
  auto hash = (*users)->hash_of(flags.name);
  if (!hash) return fail(fmt::format("{} has no user {}", flags.verify, flags.name));
  PasswordMatch match = verify_password(password->text(), *hash);
  if (match == PasswordMatch::unknown)
    return fail("the C library cannot check the password; is there too little memory for the hash?");
  if (match == PasswordMatch::no) return fail("the password is wrong");
  std::cout << "the password is right\n";
  return kSuccess;
}

int make_line(const PasswordFlags& flags) {
  if (!guard::is_user_name(flags.name)) {
    return fail(
        "a name has 1 to 255 bytes of UTF-8, no colon, no # in front, no space at its ends and nothing "
        "invisible",
        kBadConfig);
  }
  auto scheme = scheme_named(flags.scheme);
  if (!scheme) {
    return fail(fmt::format("there is no scheme \"{}\"; use bcrypt, yescrypt, sha512, sha256, ssha or apr1",
                            flags.scheme),
                kBadConfig);
  }
  auto password = new_password();
  if (!password) return fail(password.error());
  auto hash = make_password_hash(*scheme, flags.cost, password->text());
  if (!hash) return fail(hash.error(), kBadConfig);
  std::cout << flags.name << ":" << *hash << "\n";
  return kSuccess;
}

}  // namespace

int password_command(const PasswordFlags& flags) {
  return flags.verify.empty() ? make_line(flags) : try_out(flags);
}

}  // namespace lockgate::server
