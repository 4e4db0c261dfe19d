// The lines of a file that people and their programs write, as Apache httpd reads them:
// spaces around a line count for nothing, nor do empty lines and those that begin with #.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace lockgate::wire {

/// What is wrong with a file, and in which line, the first being 1; nothing secret is in it.
struct FileMistake {
  std::size_t line = 0;  // 0: with all of it
  std::string what;      // "has no colon ..."
};

class FileLines {
 public:
  explicit FileLines(std::string_view file) : rest_(file) {}

  /// Goes to the next line that says something; false at the end.
  bool next();
  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }
  FileMistake mistake(std::string what) const { return {number_, std::move(what)}; }

 private:
  std::string_view rest_, line_;
  std::size_t number_ = 0;
};

/// Whether a name of a user or group can be one: 1 to 255 bytes of UTF-8 without control characters.
bool is_name(std::string_view name);

}  // namespace lockgate::wire
