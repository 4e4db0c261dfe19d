// Names that must differ from each other: those that are given, and those made up
// beside them.
#pragma once
#include <fmt/core.h>

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace lockgate::config {

/// Names that are taken, and the next number for each that had to be told from others.
class UniqueNames {
 public:
  void take(const std::string& name) { taken_.insert(name); }
  /// `name`, or with a number behind it if it is taken: "default#2". Taken from then on.
  std::string unused(const std::string& name) {
    std::string result = name;
    for (int& last = last_.emplace(name, 1).first->second; !taken_.insert(result).second;) {
      result = fmt::format("{}#{}", name, ++last);
    }
    return result;
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> last_;
};

}  // namespace lockgate::config
