// ErrorPages: which page of the operator's stands for which status: the one for that
// status, else the one for its class, else the one for all. Immutable once it is filled;
// any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace lockgate::proxy {

class WrittenPage;

class ErrorPages {
 public:
  /// `name` is "404", "4xx", "5xx" or "default", each once.
  void add(std::string_view name, std::shared_ptr<const WrittenPage> page);
  /// Null if ours will do; for what is no error, always.
  const WrittenPage* find(int status) const;

 private:
  static constexpr int kDefault = 0;

  struct Entry {
    int status;  // 4 or 5 of a class
    std::shared_ptr<const WrittenPage> page;
  };
  const WrittenPage* exactly(int status) const;

  std::vector<Entry> entries_;
};

}  // namespace lockgate::proxy
