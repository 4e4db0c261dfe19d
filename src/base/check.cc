#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace lockgate {

void check_failed(const char* promise, const char* file, int line) noexcept {
  std::fprintf(stderr, "lockgate: broken promise at %s:%d: %s\n", file, line, promise);
  std::abort();
}

}  // namespace lockgate
