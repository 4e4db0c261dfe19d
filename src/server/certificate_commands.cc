#include "server/certificate_commands.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "server/commands.h"
#include "tls/describe.h"
#include "tls/files.h"

namespace lockgate::server {
namespace {

using Outcome = std::expected<void, std::string>;
using tls::Readers;

constexpr std::size_t kLongestPassword = 1024;

void say(const std::string& sentence) { std::cerr << sentence << "\n"; }

tls::KeyKind kind_of(const std::string& key_type) {
  return key_type == "rsa" ? tls::KeyKind::rsa : tls::KeyKind::ecdsa;
}

// Without a path, to stdout.
Outcome put(const char* what, const std::string& path, std::string_view text, Readers readers, bool force) {
  if (path.empty()) {
    std::cout << text;
    return {};
  }
  auto written = force ? tls::replace_file(path, text, readers) : tls::write_new_file(path, text, readers);
  if (written) say(fmt::format("{}: {}", what, path));
  return written;
}

// Before anything is written: there would be no use in half of it.
Outcome look_for_room(const MakeFlags& flags) {
  for (const auto& path : {flags.key_out, flags.out}) {
    if (!flags.force && !path.empty() && ::access(path.c_str(), F_OK) == 0) {
      return std::unexpected(
          fmt::format("{} is there already and is left as it is; with --force it is replaced", path));
    }
  }
  return {};
}

// The key first, so that no certificate is left without one.
Outcome deliver(const tls::Made& made, const MakeFlags& flags, const char* what) {
  if (auto room = look_for_room(flags); !room) return room;
  if (flags.key_out.empty()) {
    say(flags.out.empty() ? "The private key is in the output, too: keep it to yourself."
                          : "The private key is in the same file: keep it to yourself.");
    return put(what, flags.out, in_one(made).text(), Readers::owner, flags.force);
  }
  auto key = put("private key", flags.key_out, made.key.text(), Readers::owner, flags.force);
  return key ? put(what, flags.out, made.document, Readers::everybody, flags.force) : key;
}

int finish(const std::expected<tls::Made, std::string>& made, const MakeFlags& flags, const char* what) {
  if (!made) return fail(made.error(), kBadConfig);
  if (!flags.out.empty() && flags.out == flags.key_out)
    return fail("--out and --key-out are the same file", kBadConfig);
  auto delivered = deliver(*made, flags, what);
  return delivered ? kSuccess : fail(delivered.error());
}

// The first line. Not only of regular files: a password may well come through a pipe.
std::expected<Secret, std::string> read_password(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Secret password(kLongestPassword + 2);  // and the end of the line
  std::size_t size = 0;
  while (size < kLongestPassword + 2) {
    auto room = password.room().subspan(size);
    ssize_t read = ::read(file.number(), room.data(), room.size());
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) {
      return std::unexpected(
          fmt::format("the password cannot be read from {}: {}", path, std::strerror(errno)));
    }
    if (read == 0) break;
    size += static_cast<std::size_t>(read);
  }
  std::size_t end = std::min(password.text().find('\n'), size);
  if (end > 0 && password.text()[end - 1] == '\r') --end;
  if (end > kLongestPassword) {
    return std::unexpected(fmt::format("the first line of {} is no password: it is longer than {} bytes",
                                       path, kLongestPassword));
  }
  password.cut(end);
  return password;
}

}  // namespace

int self_signed_command(const MakeFlags& flags) {
  auto made = tls::self_signed(flags.names, kind_of(flags.key_type), SystemClock().wall(), flags.days);
  return finish(made, flags, "certificate");
}

int request_command(const MakeFlags& flags) {
  if (!flags.out.empty() && flags.key_out.empty()) {
    return fail("the private key must not go where the request goes: give --key-out, too", kBadConfig);
  }
  return finish(tls::certificate_request(flags.names, kind_of(flags.key_type)), flags, "request");
}

int inspect_command(const InspectFlags& flags) {
  Secret password;
  if (!flags.password_file.empty()) {
    auto read = read_password(flags.password_file);
    if (!read) return fail(read.error());
    password = std::move(*read);
  }
  auto seen = tls::inspect({flags.file, flags.key}, password.text(), SystemClock().wall());
  if (!seen) return fail(seen.error());
  std::cout << (flags.json ? seen->dump(2) + "\n" : tls::in_words(*seen));
  return kSuccess;
}

}  // namespace lockgate::server
