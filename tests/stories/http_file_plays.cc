#include <fcntl.h>
#include <sys/stat.h>

#include "stories/http_plays.h"
#include "stories/http_words.h"
#include "tls/made_folder.h"

namespace lockgate::stories {

using namespace std::chrono_literals;

namespace {

// The files that these plays are about, for as long as the program runs.
const tls::made::Folder& folder() {
  static const tls::made::Folder kFolder;
  static const bool kFilled = [] {
    kFolder.file("small.txt", "hello");
    kFolder.file("empty.txt", "");
    kFolder.file("large.txt", large_body());
    kFolder.file("page.txt", "ours $status");
    for (const char* name : {"small.txt", "empty.txt", "large.txt"}) {
      timespec then[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      ::utimensat(AT_FDCWD, kFolder.path(name).c_str(), then, 0);
    }
    return true;
  }();
  static_cast<void>(kFilled);
  return kFolder;
}

std::string files() {
  return "[{ path: /, files: \"" + folder().path() + "\", response_fields: { remove: ETag } }]";
}
std::string pages() { return "error_pages: { 4xx: \"" + folder().path("page.txt") + "\" },"; }

const std::string kThen = "Sun, 09 Sep 2001 01:46:40 GMT",
                  kText = "Content-Type: text/plain; charset=utf-8\r\n";
const std::string kFile = "Last-Modified: " + kThen + "\r\nAccept-Ranges: bytes\r\n" + kText;

std::string file(const std::string& text) { return dated("200 OK", kFile, text); }
std::string own(const std::string& status, const std::string& fields = "") {
  return dated(status, kText + "Cache-Control: no-store\r\n" + fields, "ours " + status.substr(0, 3));
}

}  // namespace

// NOLINTBEGIN(readability-function-size): tables.

std::vector<HttpPlay> plays_of_files() {
  std::string all = large_body();
  return {
      {.title = "SmallFiles",
       .client = {says(get("/small.txt") + get("/empty.txt") + get("/small.txt")), whole(), whole(), whole()},
       .hears = {file("hello"), file(""), file("hello")},
       .lines = {"200 finished", "200 finished", "200 finished"},
       .connections = 0,
       .routes = files()},
      {.title = "HeadOfAFile",
       .client = {says(ask("HEAD", "/large.txt")), whole(), says(ask("HEAD", "/none")), whole()},
       .hears = {"HTTP/1.1 200 OK\r\n" + kFile + "Date: today\r\n" + sized(all.size()) + "\r\n",
                 "HTTP/1.1 404 Not Found\r\n" + kText + "Cache-Control: no-store\r\nDate: today\r\n" +
                     sized(27) + "\r\n"},
       .lines = {"200 finished", "404 rejected"},
       .connections = 0,
       .routes = files(),
       .heads = true},
      {.title = "FileThatIsThereAlready",
       .client = {says(get("/small.txt", "If-Modified-Since: " + kThen + "\r\n") + get("/small.txt")),
                  whole(), whole()},
       .hears = {"HTTP/1.1 304 Not Modified\r\nLast-Modified: " + kThen + "\r\nDate: today\r\n\r\n",
                 file("hello")},
       .lines = {"304 finished", "200 finished"},
       .connections = 0,
       .routes = files()},
      {.title = "PartsOfAFile",
       .client = {says(get("/small.txt", "Range: bytes=1-3\r\n") + get("/small.txt", "Range: bytes=5-\r\n")),
                  whole(), whole()},
       .hears = {dated("206 Partial Content", kFile + "Content-Range: bytes 1-3/5\r\n", "ell"),
                 own("416 Range Not Satisfiable", "Content-Range: bytes */5\r\n")},
       .lines = {"206 finished", "416 rejected"},
       .connections = 0,
       .routes = files(),
       .site = pages()},
      {.title = "FileForABody",
       .client = {says(post("/small.txt", "name=value") + get("/small.txt")), whole(), whole()},
       .hears = {own("405 Method Not Allowed", "Allow: GET, HEAD\r\n"), file("hello")},
       .lines = {"405 rejected", "200 finished"},
       .connections = 0,
       .routes = files(),
       .site = pages(),
       .varies = true},
      {.title = "LargeFile",
       .client = {says(get("/large.txt")), waits(1s), whole(), says(get("/small.txt")), whole()},
       .hears = {file(all), file("hello")},
       .lines = {"200 finished", "200 finished"},
       .connections = 0,
       .routes = files(),
       .large = true},
      {.title = "DuringMaintenance",
       .client = {says(get("/small.txt") + get("/small.txt")), whole(), whole()},
       .hears = {dated("503 Service Unavailable", kText + "Cache-Control: no-store\r\nRetry-After: 300\r\n",
                       "503 Service Unavailable\nRequest 1-1.\n"),
                 dated("503 Service Unavailable", kText + "Cache-Control: no-store\r\nRetry-After: 300\r\n",
                       "503 Service Unavailable\nRequest 1-2.\n")},
       .lines = {"503 rejected", "503 rejected"},
       .connections = 0,
       .routes = files(),
       .site = "maintenance: { when: always },"},
      {.title = "PageInPlaceOfTheUpstreams",
       .client = {says(get("/a")), whole(), says(get("/b")), whole()},
       .replies = {{"GET /a", {says(answer("404 Not Found", sized(6) + "Allow: GET\r\n", "theirs"))}},
                   {"GET /b", {says(ok("two"))}}},
       .reach = {get("/a"), get("/b")},
       .hears = {own("404 Not Found", "Allow: GET\r\n"), ok("two")},
       .otherwise = {answer("404 Not Found", sized(6) + "Allow: GET\r\n", "theirs")},
       .lines = {"404 finished", "200 finished"},
       .routes = "[{ to: one, forward: { intercept_errors: on } }]",
       .site = pages(),
       .varies = true},
      {.title = "PageInPlaceOfOneThatNeverEnds",
       .client = {says(get("/a")), whole(), says(get("/b")), whole()},
       .replies = {{"GET /a", {says(answer("404 Not Found", sized(60), "theirs")), stays()}},
                   {"GET /b", {says(ok("two"))}}},
       .reach = {get("/a"), get("/b")},
       .hears = {own("404 Not Found"), ok("two")},
       .lines = {"404 finished", "200 finished"},
       .connections = 2,
       .routes = "[{ to: one, forward: { intercept_errors: on } }]",
       .site = pages()},
      {.title = "PageBeforeTheBodyIsUp",
       .client = {says(ask("POST", "/a", sized(100)) + "half"), whole()},
       .replies = {{"POST /a", {hears("half"), says(answer("413 Too Large", sized(0))), listens()}}},
       .reach = {ask("POST", "/a", sized(100)) + "half"},
       .hears = {answer("413 Content Too Large",
                        kText + "Cache-Control: no-store\r\nDate: today\r\n" + sized(8) + kClose,
                        "ours 413")},
       .lines = {"413 finished"},
       .routes = "[{ to: one, forward: { intercept_errors: on } }]",
       .site = pages()},
  };
}

// NOLINTEND(readability-function-size)

}  // namespace lockgate::stories
