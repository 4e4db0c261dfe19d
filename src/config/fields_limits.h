// The table of options of rates.
#pragma once
#include "config/field.h"
#include "config/limits.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<RateRule> = section(
    "rate",
    "How often, how many at once, or how fast: for each client, or by whatever tells them apart. All that "
    "apply "
    "hold together; each is a promise of the whole process. [How they count](access.md#limits).",
    Field{"name", &RateRule::name, "For logs and metrics; what it counts if not given."},
    Field{"of", &RateRule::of,
          "`requests`, `new_connections`, TLS `handshakes`, `connections` at once, or `bandwidth`."},
    Field{"by", &RateRule::by,
          "Who is counted apart: `client` (its address, of IPv6 the first 64 bits; the default), `user`, "
          "`site`, "
          "`listener`, "
          "`connection`, `everything` together, `field:X-Api-Key`, or a text with [variables](#variables); "
          "of a "
          "list, "
          "each combination."},
    Field{"rate", &RateRule::rate, "How many in which time, or how many bytes."},
    Field{"burst", &RateRule::burst,
          "How many may come at once; as many as `rate` has in its time if not given."},
    Field{"most", &RateRule::most, "Of `connections`, the most at once.", from_to(1, 100'000'000)},
    Field{"direction", &RateRule::direction,
          "Of `bandwidth`: `down` to the client, `up` from it, or `both` added up."},
    Field{
        "then", &RateRule::then,
        "What becomes of those too many: `refuse` says so (429 with Retry-After, an alert, a reset), `delay` "
        "lets a request wait "
        "for its turn, `close` says nothing."},
    Field{"longest_delay", &RateRule::longest_delay,
          "How long a request may wait before it is refused instead.", kSome},
    Field{"most_waiting", &RateRule::most_waiting, "How many requests may wait for this rule at once.",
          from_to(1, 1'000'000)},
    Field{"methods", &RateRule::methods, "Requests of these methods alone; `GET` stands for `HEAD`, too.",
          as(As::method)});

/// What the top level, listeners, sites and routes say of it.
inline constexpr std::string_view kRatesSentence =
    "How often, how many at once and how fast; beside what the levels above say.";

}  // namespace lockgate::config
