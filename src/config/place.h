// Place: where in which file of the configuration something was written.
#pragma once
#include <string>

namespace lockgate::config {

/// Line and column count from 1, 0 where there is no file.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

}  // namespace lockgate::config
