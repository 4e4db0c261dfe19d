// The plays of parents: what is asked of them, what they do, and what comes of it.
//
// A play is data; tunnel_story_test.cc gives it on a stage of memory streams, in
// pieces of every size and with everything that may go wrong.
#pragma once
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/tunnel.h"

namespace lockgate::stories {

using proxy::ParentKind;

inline constexpr std::string_view kUser = "the-user", kPassword = "s3cret & word";

/// The parent waits until it has heard all of `hears`, and then says `says`.
struct Exchange {
  std::string hears, says;
};

/// What is asked of a parent, what it does, and what comes of it.
struct Play {
  std::string title;
  ParentKind kind = ParentKind::http;
  std::vector<Exchange> exchanges;
  std::string outcome = "open";  // or the name of the error
  std::string said = "";
  Detail detail = {};
  std::string early = "";  // behind the last answer
  bool login = false;
  bool ends = false;  // the parent, after its last words
  std::string host = "app.example.org";
};

inline void PrintTo(const Play& play, std::ostream* out) { *out << play.title; }

/// The request that a parent by CONNECT hears; `target` is "host:port".
std::string asked_for(const std::string& target, bool login);
/// For the host of a play that names none.
std::string asked(bool login = false);
/// HTTP Basic's form of kUser and kPassword.
std::string basic();
/// A refusal with a page.
std::string page_of(const std::string& status, const std::string& fields, const std::string& page);

/// A SOCKS5 client's first words.
inline constexpr std::string_view kGreetOpen("\x05\x01\0", 3), kGreetLogin("\x05\x02\0\x02", 4);

/// All of them, by CONNECT and by SOCKS5.
std::vector<Play> plays();

}  // namespace lockgate::stories
