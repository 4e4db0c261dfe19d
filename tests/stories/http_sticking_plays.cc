#include "proxy/sticky.h"
#include "stories/http_plays.h"
#include "stories/http_words.h"

namespace lockgate::stories {

// NOLINTBEGIN(readability-function-size): a table.

std::vector<HttpPlay> plays_of_sticking() {
  std::string own = fmt::format("GATE={:016x}", proxy::mark_of("own", "http://192.0.2.1:80"));
  std::string set = "Set-Cookie: " + own + "; Path=/; HttpOnly; SameSite=Lax\r\n";
  std::string theirs = "Set-Cookie: JSESSIONID=0A1B; Path=/\r\n";
  return {
      {.title = "OurCookieIsSetOnceAndGoesNoFurther",
       .client = {says(get("/a")), whole(), says(get("/b", "Cookie: x=1; " + own + "\r\n")), whole(),
                  says(get("/c", "Cookie: " + own + "\r\n")), whole()},
       .replies = {{"GET", {says(ok("one"))}}},
       .reach = {get("/a"), get("/b", "Cookie: x=1\r\n"), get("/c")},
       .hears = {ok("one", set), ok("one"), ok("one")},
       .lines = {"200 finished", "200 finished", "200 finished"},
       .routes = "[{ to: own }]"},
      {.title = "OurCookieOfAnotherEndpointIsSetAnew",
       .client = {says(get("/a", "Cookie: GATE=0123456789abcdef; x=1\r\n")), whole()},
       .replies = {{"GET", {says(ok("one"))}}},
       .reach = {get("/a", "Cookie: x=1\r\n")},
       .hears = {ok("one", set)},
       .lines = {"200 finished"},
       .routes = "[{ to: own }]"},
      {.title = "ASessionGoesWhereItsCookieSays",
       .client = {says(get("/a", "Cookie: JSESSIONID=0A1B.n1\r\n")), whole(),
                  says(get("/b;jsessionid=0A1B.n1")), whole()},
       .replies = {{"GET", {says(ok("one", theirs))}}},
       .reach = {get("/a", "Cookie: JSESSIONID=0A1B.n1\r\n"), get("/b;jsessionid=0A1B.n1")},
       .hears = {ok("one", theirs), ok("one", theirs)},
       .lines = {"200 finished", "200 finished"},
       .routes = "[{ to: session }]"},
      {.title = "ASessionOfADeadEndpointGoesElsewhere",
       .client = {says(get("/a", "Cookie: JSESSIONID=0A1B.n9\r\n")), whole()},
       .replies = {{"GET", {says(ok("one", theirs))}}},
       .reach = {get("/a", "Cookie: JSESSIONID=0A1B.n9\r\n")},
       .hears = {ok("one", theirs)},
       .lines = {"200 finished"},
       .routes = "[{ to: session }]"},
  };
}

// NOLINTEND(readability-function-size)

}  // namespace lockgate::stories
