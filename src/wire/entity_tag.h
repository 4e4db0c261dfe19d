// Entity tags in conditions: what a client already has (RFC 9110, 8.8.3 and 13.1).
//
// Ours are strong and stand in quotes. Pure; any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace lockgate::wire {

/// RFC 9110, 8.8.3.2.
enum class Comparison : std::uint8_t { strong, weak };

/// Whether `list`, the value of If-Match or If-None-Match, is "*" or has `tag`, which is strong. What stands
/// behind something that is no entity tag is not looked at.
bool lists_tag(std::string_view list, std::string_view tag, Comparison comparison);

/// Whether a value begins like an entity tag rather than like a date.
bool is_like_tag(std::string_view value);

}  // namespace lockgate::wire
