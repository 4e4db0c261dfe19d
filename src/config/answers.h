// What the operator asked for of answers that are our own: files of a folder, pages for
// errors, and what is said during maintenance. Plain structs, as those of http.h.
#pragma once
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/place.h"

namespace lockgate::config {

using namespace std::chrono_literals;

/// A folder whose files are the answers.
struct Files {
  std::string folder;
  std::vector<std::string> index{"index.html"};  // what stands for a folder; the first that there is
  std::string fallback;                          // what is served where nothing is found; empty: none
};

/// A page of the operator's in place of one of ours.
struct ErrorPage {
  std::string name;  // "404", "4xx", "5xx" or "default"
  std::string path;
  Place place;
};

/// While there is a reason for it, everybody but a few is told to come back later.
struct Maintenance {
  static constexpr const char* kAlways = "always";
  std::string when;             // the file that is there meanwhile, or kAlways; empty: never
  std::string page;             // what is said; empty: as of any error 503
  Duration retry_after = 5min;  // 0: not told
  std::vector<Network> except;  // clients that are served nevertheless
};

}  // namespace lockgate::config
