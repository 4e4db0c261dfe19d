#include "stories/http_plays.h"
#include "stories/http_words.h"

namespace lockgate::stories {

using namespace std::chrono_literals;

std::string too_many(int seconds, int number) {
  return dated("429 Too Many Requests",
               "Content-Type: text/plain; charset=utf-8\r\n" +
                   fmt::format("Cache-Control: no-store\r\nRetry-After: {}\r\n", seconds),
               fmt::format("429 Too Many Requests\nRequest 1-{}.\n", number));
}

// NOLINTBEGIN(readability-function-size): a table.

std::vector<HttpPlay> plays_of_rates() {
  std::string asks_upgrade = get("/ws", kUpgrade), switched = answer("101 Switching Protocols", kUpgrade);
  std::string said(300, 's'), told(400, 't'), all = large_body();
  return {
      {.title = "RateRefuses",
       .client = {says(get("/a") + get("/b")), whole(), whole()},
       .replies = {{"GET", {says(ok("one"))}}},
       .reach = {get("/a")},
       .hears = {ok("one"), too_many(3600, 2)},
       .lines = {"200 finished", "429 limited"},
       .site = "rates: [{ by: connection, rate: 1/h }],"},
      {.title = "RateOfOneRouteLeavesOthersAlone",
       .client = {says(get("/login") + get("/login") + ask("DELETE", "/login") + get("/a")), whole(), whole(),
                  whole(), whole()},
       .replies = {{"GET", {says(ok("one"))}}, {"DELETE", {says(ok("gone"))}}},
       .reach = {get("/login"), ask("DELETE", "/login"), get("/a")},
       .hears = {ok("one"), too_many(3600, 2), ok("gone"), ok("one")},
       .lines = {"200 finished", "429 limited", "200 finished", "200 finished"},
       .routes = "[{ path: /login, to: one, rates: [{ rate: 1/h, methods: [GET] }] }, { to: one }]"},
      {.title = "RateRefusesABodyUnread",
       .client = {says(get("/a") + ask("POST", "/b", sized(100'000) + kExpect)), whole(), whole()},
       .replies = {{"GET", {says(ok("one"))}}},
       .reach = {get("/a")},
       .hears = {ok("one"), too_many(3600, 2)},
       .lines = {"200 finished", "429 limited"},
       .site = "rates: [{ by: everything, rate: 1/h }],",
       .varies = true},
      {.title = "RateLetsWaitForTheirTurn",
       .client = {says(get("/a") + get("/b") + get("/c")), whole(), whole(), whole()},
       .replies = {{"GET /a", {says(ok("one"))}},
                   {"GET /b", {says(ok("two"))}},
                   {"GET /c", {says(ok("three"))}}},
       .reach = {get("/a"), get("/b"), get("/c")},
       .hears = {ok("one"), ok("two"), ok("three")},
       .lines = {"200 finished", "200 finished", "200 finished"},
       .site = "rates: [{ by: [connection, $path, \"field:X-None\"], rate: 1/s },"
               "        { by: [connection, site], rate: 1/2s, then: delay }],"},
      {.title = "RateClosesSilently",
       .client = {says(get("/a")), whole(), says(get("/b")), listens()},
       .replies = {{"GET", {says(ok("one"))}}},
       .reach = {get("/a")},
       .hears = {ok("one")},
       .lines = {"200 finished", "none limited"},
       .site = "rates: [{ by: [user], rate: 1/h, then: close }],",
       .broken = true},
      {.title = "ConnectionsOfASite",
       .client = {says(get("/a")), whole(), says(asks_upgrade), hears("101"), says(said), hears(told)},
       .replies = {{"GET /a", {says(ok("one"))}},
                   {"GET /ws", {says(switched), hears(said), says(told), listens()}}},
       .reach = {get("/a"), asks_upgrade + said},
       .hears = {ok("one"), switched + told},
       .lines = {"200 finished", "101 finished"},
       .site = "rates: [{ of: connections, by: client, most: 1 }],",
       .varies = true,
       .stray = 1},
      {.title = "BandwidthOfAConversation",
       .client = {says(get("/a")), whole(), says(post("/b", said)), whole()},
       .replies = {{"GET /a", {says(ok(told))}}, {"POST /b", {whole(), says(ok("done"))}}},
       .reach = {get("/a"), post("/b", said)},
       .hears = {ok(told), ok("done")},
       .lines = {"200 finished", "200 finished"},
       .site = "rates: [{ of: bandwidth, by: connection, rate: 2KB/s, burst: 1KB, direction: both }],"},
      {.title = "BandwidthOfATunnel",
       .client = {says(asks_upgrade), hears("\r\n\r\n"), says(said), hears(told)},
       .replies = {{"GET /ws", {says(switched), hears(said), says(told), listens()}}},
       .reach = {asks_upgrade + said},
       .hears = {switched + told},
       .lines = {"101 finished"},
       .site = "rates: [{ of: bandwidth, by: connection, rate: 2KB/s, burst: 1KB, direction: up },"
               "        { of: bandwidth, by: site, rate: 3KB/s, burst: 1KB }],",
       .varies = true,
       .stray = 1},
      {.title = "LargeWithinABandwidth",
       .client = {says(get("/a")), whole()},
       .replies = {{"GET /a", {says(ok(all))}}},
       .reach = {get("/a")},
       .hears = {ok(all)},
       .lines = {"200 finished"},
       .site = "rates: [{ of: bandwidth, by: connection, rate: 500KB/s, burst: 64KB, direction: both }],",
       .large = true},
  };
}

// NOLINTEND(readability-function-size)

}  // namespace lockgate::stories
