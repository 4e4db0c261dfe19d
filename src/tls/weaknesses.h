// What is wrong, or soon will be, with an identity that can be used all the same: what
// `check` warns of. Pure functions; any thread.
#pragma once
#include <string>
#include <vector>

#include "tls/identity.h"

namespace lockgate::tls {

/// Whole days until it expires, rounded down; negative once it has.
std::int64_t days_left(const Identity& identity, WallTime now);
/// What clients may object to, or will soon, each in a sentence without the name of the file.
std::vector<std::string> weaknesses(const Identity& identity, WallTime now);

}  // namespace lockgate::tls
