#include "stories/http_plays.h"
#include "stories/http_words.h"

namespace lockgate::stories {

// The client is 10.0.0.9.
std::vector<HttpPlay> plays_of_access() {
  return {
      {.title = "AccessOfRoutes",
       .client = {says(get("/closed/a")), whole(), says(get("/open")), whole()},
       .replies = {{"GET /open", {says(ok("hello"))}}},
       .reach = {get("/open")},
       .hears = {page(403, 1), ok("hello")},
       .lines = {"403 rejected", "200 finished"},
       .routes = "[{ path: /closed, access: { deny: 10.0.0.0/8 }, to: one }, { to: one }]"},
      {.title = "AccessOfRoutesIsNotThatOfTheSite",
       .client = {says(get("/open")), whole(), says(get("/x")), whole()},
       .replies = {{"GET /open", {says(ok("hello"))}}},
       .reach = {get("/open")},
       .hears = {ok("hello"), page(403, 2)},
       .lines = {"200 finished", "403 rejected"},
       .routes = "[{ path: /open, access: {}, to: one }, { to: one }]",
       .site = "access: { allow: 192.0.2.0/24 }, "},
      {.title = "AccessBeforeItIsToldThatNothingIsThere",
       .client = {says(get("/nothing")), whole(), says(get("/open")), whole()},
       .replies = {{"GET /open", {says(ok("hello"))}}},
       .reach = {get("/open")},
       .hears = {page(403, 1), ok("hello")},
       .lines = {"403 rejected", "200 finished"},
       .routes = "[{ path: /open, access: {}, to: one }]",
       .site = "access: { deny: 10.0.0.9 }, "},
  };
}

}  // namespace lockgate::stories
