// The words of the enumerations, the same in the configuration, log fields and metrics.
//
// A word's place in its table is the value of the enumerator. Any thread.
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "config/config.h"

namespace lockgate::config {

using namespace std::string_view_literals;

template <class Enum>
inline constexpr std::array<std::string_view, 0> kWords{};
template <>
inline constexpr std::array kWords<LogLevel>{"error"sv, "warning"sv, "info"sv, "debug"sv};
template <>
inline constexpr std::array kWords<LogFormat>{"text"sv, "json"sv};
template <>
inline constexpr std::array kWords<LineForm::Kind>{"text"sv, "json"sv, "common"sv, "combined"sv};
template <>
inline constexpr std::array kWords<WhenFull>{"refuse"sv, "queue"sv};
template <>
inline constexpr std::array kWords<RateOf>{"requests"sv, "new_connections"sv, "handshakes"sv, "connections"sv,
                                           "bandwidth"sv};
template <>
inline constexpr std::array kWords<RateThen>{"refuse"sv, "delay"sv, "close"sv};
template <>
inline constexpr std::array kWords<RateDirection>{"down"sv, "up"sv, "both"sv};
template <>
inline constexpr std::array kWords<Balance>{"round_robin"sv, "least_connections"sv, "random_two"sv,
                                            "consistent_hash"sv};
template <>
inline constexpr std::array kWords<PlainHttp>{"absolute"sv, "connect"sv};
template <>
inline constexpr std::array kWords<HashKey>{"client"sv, "name"sv};
template <>
inline constexpr std::array kWords<Verdict>{"pass"sv, "terminate"sv, "plain"sv, "reject"sv};
template <>
inline constexpr std::array kWords<RejectWith>{"alert"sv, "reset"sv, "silence"sv};
template <>
inline constexpr std::array kWords<SendProxyProtocol>{"off"sv, "v1"sv, "v2"sv};

template <>
inline constexpr std::array kWords<PathPolicy>{"reject"sv, "raw"sv, "decode"sv};
template <>
inline constexpr std::array kWords<Via>{"off"sv, "on"sv, "full"sv, "block"sv};
template <>
inline constexpr std::array kWords<RequestId>{"never"sv, "trusted"sv, "any"sv};
template <>
inline constexpr std::array kWords<SecurityFields>{"off"sv, "basic"sv, "strict"sv};
template <>
inline constexpr std::array kWords<HttpVersion>{"1.1"sv, "1.0"sv};

template <>
inline constexpr std::array kWords<Authorization>{"drop"sv, "keep"sv};
template <>
inline constexpr std::array kWords<TimeZone>{"local"sv, "UTC"sv};
template <>
inline constexpr std::array kWords<BanEvent>{"failed_sign_in"sv, "status"sv,      "failed_handshake"sv,
                                             "unknown_name"sv,   "bad_request"sv, "rate_exceeded"sv,
                                             "rejected"sv,       "trap"sv};
template <>
inline constexpr std::array kWords<NftablesFamily>{"inet"sv, "ip"sv, "ip6"sv};

template <>
inline constexpr std::array kWords<TlsVersion>{"auto"sv, "1.0"sv, "1.1"sv, "1.2"sv, "1.3"sv};
template <>
inline constexpr std::array kWords<TlsProfile>{"modern"sv, "intermediate"sv, "legacy"sv};
template <>
inline constexpr std::array kWords<AskCertificate>{"none"sv, "optional"sv, "required"sv};
template <>
inline constexpr std::array kWords<Verify>{"full"sv, "chain"sv, "off"sv};

/// An enumeration that has words.
template <class T>
concept Worded = !kWords<T>.empty();

template <Worded Enum>
constexpr std::string_view word_of(Enum value) {
  return kWords<Enum>[static_cast<std::size_t>(value)];
}

/// The enumerator of a word; none if the word is not in its table.
template <Worded Enum>
constexpr std::optional<Enum> from_word(std::string_view word) {
  for (std::size_t i = 0; i < kWords<Enum>.size(); ++i) {
    if (kWords<Enum>[i] == word) return static_cast<Enum>(i);
  }
  return {};
}

}  // namespace lockgate::config
