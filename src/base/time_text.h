// Times of day as logs write them, in UTC. Made once a second by each thread, for a busy
// log has many lines in each.
#pragma once
#include <string_view>

#include "base/clock.h"

namespace lockgate {

/// "2026-11-20T18:55:01.123Z" (RFC 3339); valid until the thread's next.
std::string_view time_text(WallTime time);

/// "20/Nov/2026:18:55:01 +0000", as in Apache's logs; valid until the thread's next.
std::string_view common_time_text(WallTime time);

}  // namespace lockgate
