#include "base/digest.h"
#include "stories/http_plays.h"
#include "stories/http_words.h"
#include "tls/made_folder.h"

namespace lockgate::stories {

using namespace std::chrono_literals;

namespace {

// Who can sign in, for as long as the program runs: "ann:right" and "bob:right", in the cheapest of all
// forms.
const tls::made::Folder& folder() {
  static const tls::made::Folder kFolder;
  static const bool kFilled = [] {
    const char* hash = "abuq21xu6EMNI";
    kFolder.file("users", std::string("ann:") + hash + "\nbob:" + hash + "\n");
    kFolder.file("groups", "staff: ann\n");
    kFolder.file("password", "shared\n");
    return true;
  }();
  static_cast<void>(kFilled);
  return kFolder;
}

std::string users() {
  return "users: { all: { file: \"" + folder().path("users") + "\", groups: \"" + folder().path("groups") +
         "\" } }\n";
}
const std::string kSignIn = "sign_in: { users: all, realm: Staff },";

std::string basic(const std::string& credentials) {
  return "Authorization: Basic " + base64(as_bytes(credentials)) + "\r\n";
}
const std::string kAnn = basic("ann:right"), kBob = basic("bob:right"), kWrong = basic("ann:wrong");
std::string user(const std::string& name) { return "X-Remote-User: " + name + "\r\n"; }

const std::string kForm = "Content-Type: application/x-www-form-urlencoded\r\n";
const std::string kText = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n",
                  kChallenge = "WWW-Authenticate: Basic realm=\"Staff\", charset=\"UTF-8\"\r\n";
std::string asked(int number, bool closes = false) {
  std::string text = "401 Unauthorized\nRequest 1-" + std::to_string(number) + ".\n";
  return "HTTP/1.1 401 Unauthorized\r\n" + kText + kChallenge + "Date: today\r\n" + sized(text.size()) +
         (closes ? kClose : "") + "\r\n" + text;
}

}  // namespace

// NOLINTBEGIN(readability-function-size): tables.

std::vector<HttpPlay> plays_of_signing_in() {
  return {
      {.title = "SignsInOnceAsked",
       .client = {says(get("/a")), whole(), says(get("/a", kAnn)), whole(), says(get("/b", kAnn)), whole()},
       .replies = {{"GET /a", {says(ok("one"))}}, {"GET /b", {says(ok("two"))}}},
       .reach = {get("/a", user("ann")), get("/b", user("ann"))},
       .hears = {asked(1), ok("one"), ok("two")},
       .lines = {"401 rejected", "200 finished", "200 finished"},
       .top = users(),
       .site = kSignIn},
      {.title = "RateByUserRefusesWhatNoOtherRateCounts",
       .client = {says(get("/a", kAnn) + get("/b", kAnn) + get("/c", kAnn) + get("/d", kBob)), whole(),
                  whole(), whole(), whole()},
       .replies = {{"GET /a", {says(ok("one"))}}, {"GET /d", {says(ok("four"))}}},
       .reach = {get("/a", user("ann")), get("/d", user("bob"))},
       .hears = {ok("one"), too_many(3600, 2), too_many(3600, 3), ok("four")},
       .lines = {"200 finished", "429 limited", "429 limited", "200 finished"},
       .top = users(),
       .site = kSignIn + "rates: [{ name: all, rate: 3/h }, { name: each, by: user, rate: 1/h }],"},
      {.title = "RateByATextThatTellsTheUser",
       .client = {says(get("/a", kAnn) + get("/b", kBob) + get("/c", kBob)), whole(), whole(), whole()},
       .replies = {{"GET /a", {says(ok("one"))}}, {"GET /b", {says(ok("two"))}}},
       .reach = {get("/a", user("ann")), get("/b", user("bob"))},
       .hears = {ok("one"), ok("two"), too_many(3600, 3)},
       .lines = {"200 finished", "200 finished", "429 limited"},
       .top = users(),
       .site = kSignIn + "rates: [{ by: \"$user at $host\", rate: 1/h }],"},
      {.title = "PipelinedWithAndWithoutPasswords",
       .client = {says(get("/a", kAnn) + get("/b") + get("/c", kWrong) + get("/d", kBob)), whole(), whole(),
                  whole(), whole()},
       .replies = {{"GET /a", {says(ok("one"))}}, {"GET /d", {says(ok("four"))}}},
       .reach = {get("/a", user("ann")), get("/d", user("bob"))},
       .hears = {ok("one"), asked(2), asked(3), ok("four")},
       .lines = {"200 finished", "401 rejected", "401 rejected", "200 finished"},
       .top = users(),
       .site = kSignIn},
      {.title = "BodyThatIsNotAskedFor",
       .client = {says(ask("POST", "/a", sized(5) + kExpect)), hears("401"), whole()},
       .hears = {asked(1, true)},
       .lines = {"401 rejected"},
       .connections = 0,
       .top = users(),
       .site = kSignIn},
      {.title = "BodyOfOneWhoMay",
       .client = {says(ask("POST", "/a", kAnn + sized(5) + kExpect)), hears("100 Continue"), says("hello"),
                  whole()},
       .replies = {{"POST /a", {says(kContinue), whole(), says(ok("done"))}}},
       .reach = {ask("POST", "/a", user("ann") + sized(5) + kExpect) + "hello"},
       .hears = {kContinue, ok("done")},
       .lines = {"200 finished"},
       .top = users(),
       .site = kSignIn},
      {.title = "FormThatIsNone",
       .client = {says(ask("POST", "/sign-up", kForm + sized(3)) + "a=%" +
                       ask("POST", "/sign-up", kForm + sized(9000) + kExpect)),
                  whole(), whole()},
       .hears = {page(400, 1), page(413, 2, true)},
       .lines = {"400 rejected", "413 too_large"},
       .connections = 0,
       .routes = "[{ path: /sign-up, sign_up: all }]",
       .top = users()},
      {.title = "BodyThatComesUnasked",
       .client = {says(post("/a", "hello") + get("/b", kAnn)), whole(), whole()},
       .replies = {{"GET /b", {says(ok("two"))}}},
       .reach = {get("/b", user("ann"))},
       .hears = {asked(1), ok("two")},
       .lines = {"401 rejected", "200 finished"},
       .top = users(),
       .site = kSignIn,
       .varies = true},
      {.title = "NobodyIsWhoTheySayThemselves",
       .client = {says(get("/a", user("root") + "x_remote_user: root\r\nX.Remote~User: root\r\n" + kBob)),
                  whole(),
                  says(get("/open", user("root") + "X_REMOTE-USER: root\r\n" + "Client-Cert: :AA==:\r\n")),
                  whole()},
       .replies = {{"GET /", {says(ok("one"))}}},
       .reach = {get("/a", user("bob")), get("/open")},
       .hears = {ok("one"), ok("one")},
       .lines = {"200 finished", "200 finished"},
       .routes = "[{ path: /open, sign_in: off, to: one }, { to: one }]",
       .top = users(),
       .site = kSignIn},
      {.title = "NobodyIsWhoTrailersSay",
       .client = {says(ask("POST", "/a", kAnn + kChunked) + chunk("hello") + "0\r\n" + user("root") +
                       "x_remote_user: root\r\nX-Sum: 5\r\nClient-Cert: :AA==:\r\nX-Tenant: b\r\n\r\n"),
                  whole()},
       .replies = {{"POST /a", {whole(), says(ok("done"))}}},
       .reach = {ask("POST", "/a", user("ann") + "X-Tenant: a\r\n" + kChunked) + chunk("hello") +
                 "0\r\nX-Sum: 5\r\n\r\n"},
       .hears = {ok("done")},
       .lines = {"200 finished"},
       .routes = "[{ to: one, request_fields: { set: { X-Tenant: a } } }]",
       .top = users(),
       .site = kSignIn},
      {.title = "GroupsAndThoseWhoAreInNone",
       .client = {says(get("/a", kAnn) + get("/a", kBob) + get("/none", kAnn)), whole(), whole(), whole()},
       .replies = {{"GET /a", {says(ok("one"))}}},
       .reach = {get("/a", user("ann"))},
       .hears = {ok("one"), page(403, 2), page(403, 3)},
       .lines = {"200 finished", "403 rejected", "403 rejected"},
       .routes = "[{ path: /none, require: nobody, to: one }, { require: { group: staff }, to: one }]",
       .top = users(),
       .site = kSignIn},
      {.title = "CredentialsThatGoOnOrAreReplaced",
       .client = {says(get("/keep", kAnn) + get("/fake", kAnn)), whole(), whole()},
       .replies = {{"GET /", {says(ok("one"))}}},
       .reach = {get("/keep", kAnn + user("ann")), get("/fake", user("ann") + basic("ann:shared"))},
       .hears = {ok("one"), ok("one")},
       .lines = {"200 finished", "200 finished"},
       .routes = "[{ path: /keep, sign_in: { authorization: keep }, to: one }, { path: /fake, to: one, "
                 "sign_in: { basic_password_file: \"" +
                 folder().path("password") + "\" } }]",
       .top = users(),
       .site = kSignIn},
      {.title = "PathsForWhichNobodySignsIn",
       .client = {says(get("/.well-known/acme-challenge/x") + get("/.well-known/acme-challenge/%2e%2e/a") +
                       ask("OPTIONS", "/a", "Origin: http://b\r\nAccess-Control-Request-Method: PUT\r\n") +
                       ask("OPTIONS", "/a", "Origin: http://b\r\n")),
                  whole(), whole(), whole(), whole()},
       .replies = {{"GET /", {says(ok("one"))}}, {"OPTIONS ", {says(ok("two"))}}},
       .reach = {get("/.well-known/acme-challenge/x"),
                 ask("OPTIONS", "/a", "Origin: http://b\r\nAccess-Control-Request-Method: PUT\r\n")},
       .hears = {ok("one"), asked(2), ok("two"), asked(4)},
       .lines = {"200 finished", "401 rejected", "200 finished", "401 rejected"},
       .top = users(),
       .site = "sign_in: { users: all, realm: Staff, exempt: /.well-known/acme-challenge/, exempt_preflight: "
               "yes },"},
      {.title = "LeavesWhileThePasswordIsChecked",
       .client = {says(get("/a", kAnn)), leaves()},
       .replies = {{"GET /a", {says(ok("one"))}}},
       .reach = {get("/a", user("ann"))},
       .hears = {ok("one")},
       .lines = {"none reset"},
       .top = users(),
       .site = kSignIn,
       .varies = true},
  };
}

// NOLINTEND(readability-function-size)

}  // namespace lockgate::stories
