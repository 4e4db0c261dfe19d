// Failure: what ends the load generator: one sentence, and status 1.
#pragma once
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace lockgate::bench {

[[noreturn]] inline void fail(std::string_view what, std::string_view why = "") {
  std::fprintf(stderr, "load: %.*s%s%.*s\n", static_cast<int>(what.size()), what.data(),
               why.empty() ? "" : ": ", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

[[noreturn]] inline void fail(std::string_view what, int error) { fail(what, std::strerror(error)); }

inline int checked(int result, std::string_view what) {
  if (result < 0) fail(what, errno);
  return result;
}

}  // namespace lockgate::bench
