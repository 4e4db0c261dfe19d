// Whether a client already has what it asks for, and which part of it is missing: the
// conditions of a request, in the order in which they are looked at (RFC 9110, 13.2.2).
// Pure; any thread.
#pragma once
#include <string_view>

#include "base/clock.h"
#include "http/message.h"
#include "wire/byte_range.h"

namespace lockgate::proxy {

/// What can be told of a file that is there.
struct Validators {
  std::string_view tag;  // strong, with its quotes
  WallTime modified = 0;
  std::uint64_t size = 0;
};

enum class Condition : std::uint8_t {
  holds,         // it is answered as it would be without any
  not_modified,  // 304
  failed,        // 412
};

Condition condition_of(const http::Request& request, const Validators& validators, WallTime now);

/// What is sent of a file if the condition holds; only GET asks for parts (14.2).
wire::ByteRange part_of(const http::Request& request, const Validators& validators, WallTime now);

}  // namespace lockgate::proxy
