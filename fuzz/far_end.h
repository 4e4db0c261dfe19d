// FarEnd: the test's end of a connection, which says what it is given as far as that
// goes, and hears.
#pragma once
#include <cstddef>
#include <string>

#include "net/stream.h"

namespace lockgate::fuzz {

struct FarEnd {
  void hear();
  void say();
  void leave();
  std::size_t progress() const { return heard.size() + said.size() + (stream ? 0 : 1); }

  net::AnyStream stream;  // null: it has left
  std::string waiting;    // to be said
  std::string said, heard;
  bool ends = false;  // once all is said
  bool listens = true;
  bool told_end = false;
  bool heard_end = false, broken = false;
  std::size_t answered = 0;  // complete requests, by an upstream
};

}  // namespace lockgate::fuzz
