// WrittenPage: a page of the operator's in place of one of ours, with variables. It is
// read when the configuration is loaded. Immutable; any thread.
#pragma once
#include <expected>
#include <memory>
#include <string>

#include "base/arena.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

class WrittenPage {
 public:
  static constexpr std::size_t kLargest = 64 * 1024;
  /// Of variables, whose values clients choose the length of.
  static constexpr std::size_t kMostVariables = 100;

  /// The error is a sentence that names the file.
  static std::expected<std::shared_ptr<const WrittenPage>, std::string> read(const std::string& path);
  /// `name` tells what it is. `text` has at most kMostVariables.
  WrittenPage(std::string_view name, std::string_view text);

  std::string_view content_type() const { return content_type_; }
  /// Its text for one request, in `arena` or in the page. What a value brings along cannot become a part of
  /// the page's own language.
  std::string_view filled_in(const RequestFacts& facts, Arena& arena) const;

 private:
  config::Template text_;
  std::string_view content_type_;
};

}  // namespace lockgate::proxy
