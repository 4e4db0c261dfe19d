#include "wire/socks.h"

#include "base/address.h"
#include "base/check.h"
#include "base/cursor.h"
#include "base/name_pattern.h"

namespace lockgate::wire {
namespace {

constexpr auto kWriting = "asking the parent for a tunnel";
constexpr auto kReadingMethod = "reading the parent's choice of authentication";
constexpr auto kWritingLogin = "logging in at the parent";
constexpr auto kReadingLogin = "reading whether the parent lets us in";
constexpr auto kReadingReply = "reading the parent's answer";

constexpr std::uint8_t kVersion = 5, kLoginVersion = 1, kConnect = 1;
constexpr std::uint8_t kIpv4 = 1, kName = 3, kIpv6 = 4;
constexpr std::size_t kLongest = 255;  // of what has its length in one byte

void append(std::string& out, std::uint8_t number) { out += static_cast<char>(number); }
void append_counted(std::string& out, std::string_view text) {
  CHECK(text.size() <= kLongest);
  append(out, static_cast<std::uint8_t>(text.size()));
  out += text;
}

bool begins_with(Bytes seen, std::uint8_t version) {
  return seen.empty() || seen.front() == static_cast<std::byte>(version);
}

}  // namespace

std::string_view why_not_in_socks(std::string_view user, std::string_view password) {
  if (user.empty()) return "SOCKS5 has no empty user names";
  if (password.empty()) return "SOCKS5 has no empty passwords";
  if (user.size() > kLongest) return "the user name is longer than the 255 bytes that SOCKS5 has for it";
  if (password.size() > kLongest) return "the password is longer than the 255 bytes that SOCKS5 has for it";
  return "";
}

std::string write_socks_greeting(bool with_login) {
  std::string out;
  append(out, kVersion);
  append(out, with_login ? 2 : 1);
  append(out, kSocksOpen);
  if (with_login) append(out, kSocksLogin);
  return out;
}

std::optional<Result<SocksMethod>> parse_socks_method(Bytes seen) {
  if (!begins_with(seen, kVersion)) return failure(Errc::bad_message, kReadingMethod);
  if (seen.size() < 2) return {};
  return SocksMethod{.number = static_cast<std::uint8_t>(seen[1]), .size = 2};
}

Result<std::string> write_socks_login(std::string_view user, std::string_view password) {
  if (!why_not_in_socks(user, password).empty()) return failure(Errc::bad_message, kWritingLogin);
  std::string out;
  append(out, kLoginVersion);
  append_counted(out, user);
  append_counted(out, password);
  return out;
}

std::optional<Result<SocksLogin>> parse_socks_login(Bytes seen) {
  // Some servers answer with the version of SOCKS instead of that of the login, and mean the same.
  if (!begins_with(seen, kLoginVersion) && !begins_with(seen, kVersion))
    return failure(Errc::bad_message, kReadingLogin);
  if (seen.size() < 2) return {};
  return SocksLogin{.accepted = seen[1] == std::byte{0}, .size = 2};
}

Result<std::string> write_socks_connect(std::string_view host, std::uint16_t port) {
  std::string out;
  append(out, kVersion);
  append(out, kConnect);
  append(out, 0);
  auto ip = host.contains('%') || host.contains('[') ? std::optional<Ip>() : Ip::parse(host);
  if (ip) {
    append(out, ip->is_v4() ? kIpv4 : kIpv6);
    out += as_text(ip->bytes());
  } else {
    auto name = normalized_name(host);
    if (!name) return failure(Errc::bad_message, kWriting);
    append(out, kName);
    append_counted(out, *name);
  }
  append(out, static_cast<std::uint8_t>(port >> 8));
  append(out, static_cast<std::uint8_t>(port & 0xff));
  return out;
}

std::optional<Result<SocksReply>> parse_socks_reply(Bytes seen) {
  if (!begins_with(seen, kVersion)) return failure(Errc::bad_message, kReadingReply);
  if (seen.size() < 2) return {};
  auto code = static_cast<std::uint8_t>(seen[1]);
  if (code != 0) return SocksReply{.code = code};
  Cursor cursor(seen.subspan(2));
  cursor.u8();  // reserved
  if (cursor.size() == 0) return {};
  switch (cursor.u8()) {
    case kIpv4:
      cursor.take(4);
      break;
    case kIpv6:
      cursor.take(16);
      break;
    case kName:
      cursor.vector8();
      break;
    default:
      return failure(Errc::bad_message, kReadingReply);
  }
  cursor.u16();
  if (!cursor.ok()) return {};
  return SocksReply{.code = 0, .size = seen.size() - cursor.size()};
}

Errc meaning_of_socks_reply(std::uint8_t code) {
  switch (code) {
    case 3:
    case 4:
      return Errc::unreachable;
    case 6:
      return Errc::timed_out;
    default:
      return Errc::refused;
  }
}

}  // namespace lockgate::wire
