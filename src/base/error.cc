#include "base/error.h"

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace lockgate {
namespace {

constexpr std::array<std::string_view, kErrcCount> kCodeNames = {
    "closed",      "reset",        "timed_out",     "refused",  "unreachable", "unresolved",
    "bad_message", "too_large",    "no_site",       "rejected", "limited",     "no_endpoint",
    "loops",       "no_resources", "shutting_down", "io"};
constexpr std::array<std::string_view, 4> kSideNames = {"here", "client", "upstream", "parent"};

// By the status numbers of c-ares, from ARES_SUCCESS to ARES_EDESTRUCTION, as its ares.h has them.
constexpr std::array<std::string_view, 17> kResolverWords = {
    "no error",
    "no such record",
    "the name server did not understand",
    "the name server failed",
    "no such name",
    "the name server cannot do this",
    "the name server refused",
    "malformed query",
    "malformed name",
    "unsupported family of addresses",
    "malformed answer",
    "no name server gave an answer",
    "no name server answered in time",
    "end of file",
    "a file could not be read",
    "out of memory",
    "the resolver has ended",
};

Errc code_of(int number) {
  switch (number) {
    case ECONNRESET:
    case EPIPE:
      return Errc::reset;
    case ETIMEDOUT:
      return Errc::timed_out;
    case ECONNREFUSED:
      return Errc::refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case ENOENT:
      return Errc::unreachable;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN:
      return Errc::no_resources;
    default:
      return Errc::io;
  }
}

std::string resolver_words(std::int16_t status) {
  auto index = static_cast<std::size_t>(status);
  if (index < kResolverWords.size()) return std::string(kResolverWords[index]);
  return fmt::format("resolver status {}", status);
}

std::string detail_words(Detail detail) {
  switch (detail.kind) {
    case DetailKind::none:
      return "";
    case DetailKind::system: {
      std::array<char, 128> room{};
      return strerror_r(detail.number, room.data(), room.size());
    }
    case DetailKind::alert:
      return fmt::format("TLS alert {}", detail.number);
    case DetailKind::resolver:
      return resolver_words(detail.number);
  }
  return "";
}

}  // namespace

Error system_error(int number, const char* doing) {
  return {.code = code_of(number),
          .detail = {DetailKind::system, static_cast<std::int16_t>(number)},
          .doing = doing};
}

std::string_view name_of(Errc code) { return kCodeNames[static_cast<std::size_t>(code)]; }
std::string_view name_of(Side side) { return kSideNames[static_cast<std::size_t>(side)]; }

std::string words(const Error& error) {
  std::string detail = detail_words(error.detail);
  if (error.code == Errc::io && !detail.empty()) return fmt::format("{}: {}", error.doing, detail);
  if (detail.empty()) return fmt::format("{}: {}", error.doing, name_of(error.code));
  return fmt::format("{}: {} ({})", error.doing, name_of(error.code), detail);
}

}  // namespace lockgate
