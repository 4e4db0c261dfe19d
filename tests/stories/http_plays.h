// The plays of HTTP: what clients ask over one connection, what the upstreams do about
// it, what either side hears, and what the log says afterwards.
//
// A play is data; http_story_test.cc gives it on the stage of http_stage.h, in pieces
// of every size and with everything that may go wrong.
#pragma once
#include <ostream>
#include <string>
#include <vector>

#include "base/clock.h"

namespace lockgate::stories {

/// One thing that a client or an upstream does.
struct Step {
  enum class Act : std::uint8_t {
    says,
    hears,    // waits until it has heard this, behind what it has waited for before
    whole,    // waits until it has heard all of the request, or of one answer more
    listens,  // until the other side ends
    waits,    // for so long
    ends,     // its side
    leaves,   // at once, and the other side reads a reset
    stays,    // says nothing more, and waits for the end of the connection
    reload,   // the configuration changes to Play::reload
  };
  Act act;
  std::string text = "";
  Duration time{};
};

inline Step says(std::string text) { return {Step::Act::says, std::move(text)}; }
inline Step hears(std::string text) { return {Step::Act::hears, std::move(text)}; }
inline Step waits(Duration time) { return {Step::Act::waits, "", time}; }
inline Step listens() { return {Step::Act::listens}; }
inline Step whole() { return {Step::Act::whole}; }
inline Step ends() { return {Step::Act::ends}; }
inline Step leaves() { return {Step::Act::leaves}; }
inline Step stays() { return {Step::Act::stays}; }
inline Step reload() { return {Step::Act::reload}; }

/// What an upstream does once it has heard the head of a request that begins like this.
struct Reply {
  std::string asked;
  std::vector<Step> steps;
  std::vector<Step> reused = {};  // if the connection has served another request before; none: the same
};

struct HttpPlay {
  std::string title;
  std::vector<Step> client;                 // after which it ends, and listens until the end
  std::vector<Reply> replies = {};          // of any upstream
  std::vector<std::string> reach = {};      // requests that upstreams hear, in this order
  std::vector<std::string> hears = {};      // messages that the client hears; own pages as page() makes them
  std::vector<std::string> otherwise = {};  // answers that it may hear if something goes wrong
  std::vector<std::string> lines = {};      // "200 finished": status and outcome of each request's line
  int connections = 1;                      // to upstreams
  std::string routes = "[{ to: one }]";
  std::string top = "";     // further lines of the top level
  std::string site = "";    // further keys of the site, each followed by a comma
  std::string reload = "";  // another configuration's sites
  bool broken = false;      // the client's connection does not end in order
  bool heads = false;       // answers to HEAD: none has a body
  bool varies = false;      // with the sizes of the pieces: it is enough that nothing is untrue
  std::size_t stray = 0;    // requests that are none, if something goes wrong
  bool large = false;       // not to be given in small pieces, nor too often
  bool hours = false;       // are what it takes
};

inline void PrintTo(const HttpPlay& play, std::ostream* out) { *out << play.title; }

/// A page of our own, to the `number`th request of the connection; `closes`: its head says so.
std::string page(int status, int number, bool closes = false);
/// The same of status 429, to come back after so many seconds.
std::string too_many(int seconds, int number);
/// What HTTP adds of a page's head to `status`, its words and `fields`.
std::string dated(const std::string& first_line, const std::string& fields, const std::string& text);

/// Sites of one name, web.example.org, with these routes.
std::string sites(const std::string& routes, const std::string& further = "");

/// All of them.
std::vector<HttpPlay> plays_of_bodies();
std::vector<HttpPlay> plays_of_connections();
std::vector<HttpPlay> plays_of_trouble();
std::vector<HttpPlay> plays_of_routes();
std::vector<HttpPlay> plays_of_sticking();
std::vector<HttpPlay> plays_of_files();
std::vector<HttpPlay> plays_of_access();
std::vector<HttpPlay> plays_of_signing_in();
std::vector<HttpPlay> plays_of_rates();

}  // namespace lockgate::stories
