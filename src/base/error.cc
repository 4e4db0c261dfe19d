#include "base/error.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lockgate {
namespace {

constexpr std::array<std::string_view, kErrcCount> kCodeNames = {
    "closed",      "reset",     "timed_out",    "refused",       "unreachable", "unresolved", "bad_message",
    "too_large",   "handshake", "untrusted",    "no_site",       "rejected",    "limited",    "banned",
    "no_endpoint", "loops",     "no_resources", "shutting_down", "io"};
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

struct Alert {
  std::uint8_t number;
  std::string_view name;
};
// RFC 8446, 6, and those of RFC 5246, 7.2, that it has given up.
constexpr Alert kAlerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
};

struct NumberWords {
  std::int16_t number;
  std::string_view words;
};

// What proxies answer (RFC 9110, 15).
constexpr std::array<NumberWords, 14> kStatusWords{{{302, "Found"},
                                                    {400, "Bad Request"},
                                                    {401, "Unauthorized"},
                                                    {403, "Forbidden"},
                                                    {404, "Not Found"},
                                                    {405, "Method Not Allowed"},
                                                    {407, "Proxy Authentication Required"},
                                                    {408, "Request Timeout"},
                                                    {429, "Too Many Requests"},
                                                    {500, "Internal Server Error"},
                                                    {501, "Not Implemented"},
                                                    {502, "Bad Gateway"},
                                                    {503, "Service Unavailable"},
                                                    {504, "Gateway Timeout"}}};

// RFC 1928, 6 and 3; the last one is beyond its numbers, for RFC 1929 has none.
constexpr std::array<NumberWords, 10> kSocksWords{{{1, "general failure"},
                                                   {2, "not allowed by its rules"},
                                                   {3, "network unreachable"},
                                                   {4, "host unreachable"},
                                                   {5, "connection refused"},
                                                   {6, "TTL expired"},
                                                   {7, "command not supported"},
                                                   {8, "type of address not supported"},
                                                   {255, "no way of authentication in common"},
                                                   {256, "user or password not accepted"}}};

template <std::size_t Count>
std::string_view words_of(std::int16_t number, const std::array<NumberWords, Count>& table) {
  auto found = std::ranges::find(table, number, &NumberWords::number);
  return found == table.end() ? "" : found->words;
}

std::string status_words(std::int16_t status) {
  std::string_view known = words_of(status, kStatusWords);
  return known.empty() ? fmt::format("HTTP status {}", status) : fmt::format("{} {}", status, known);
}

std::string socks_words(std::int16_t code) {
  std::string_view known = words_of(code, kSocksWords);
  return known.empty() ? fmt::format("SOCKS reply {}", code) : std::string(known);
}

std::string tls_words(std::int16_t reason) {
  const char* text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
  return text ? text : fmt::format("TLS library reason {}", reason);
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
      return fmt::format("the peer's alert {}, {}", detail.number,
                         name_of_alert(static_cast<std::uint8_t>(detail.number)));
    case DetailKind::tls:
      return tls_words(detail.number);
    case DetailKind::certificate:
      return X509_verify_cert_error_string(detail.number);
    case DetailKind::resolver:
      return resolver_words(detail.number);
    case DetailKind::http_status:
      return status_words(detail.number);
    case DetailKind::socks:
      return socks_words(detail.number);
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
std::string_view name_of_alert(std::uint8_t number) {
  const auto* found = std::ranges::find(kAlerts, number, &Alert::number);
  return found == std::end(kAlerts) ? "unknown" : found->name;
}
std::string_view name_of(Side side) { return kSideNames[static_cast<std::size_t>(side)]; }

std::string words(const Error& error) {
  std::string detail = detail_words(error.detail);
  if (error.code == Errc::io && !detail.empty()) return fmt::format("{}: {}", error.doing, detail);
  if (detail.empty()) return fmt::format("{}: {}", error.doing, name_of(error.code));
  return fmt::format("{}: {} ({})", error.doing, name_of(error.code), detail);
}

}  // namespace lockgate
