// A condition on something that has a name, as a field or a parameter of a query has.
#pragma once
#include <string>

namespace lockgate::config {

/// A field or a parameter of the query, with a value that it must have; "*": any.
struct Condition {
  std::string name;
  std::string value;
};

}  // namespace lockgate::config
