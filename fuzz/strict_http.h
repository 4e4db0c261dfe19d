// HTTP/1 read once more, by a reader that shares nothing with the program's own: the
// witness of what a client has asked, an upstream was asked, and a client was answered.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockgate::fuzz {

struct Message {
  /// Of the field in any case; nothing if there is none.
  std::optional<std::string_view> value(std::string_view name) const;
  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }

  std::string method, target;  // of a request
  int status = 0;              // of an answer
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  // as much of it as has come
  bool headed = false, complete = false;
  bool until_close = false;  // as an answer's body that has no other end
  std::size_t begin = 0, end = 0;
};

/// What a text is made of, up to where it is wrong.
struct Reading {
  std::vector<Message> messages;  // the last one may be incomplete, or its body broken
  std::size_t end = 0;            // what follows was not read
  std::string wrong;              // why
};

/// How strictly requests are read: as anybody may write them, or as we do.
enum class Hand : std::uint8_t { anybodys, ours };

/// Behind a whole request whose X-Id `is_last` no further one is looked for.
Reading read_requests(
    std::string_view text, Hand hand,
    const std::function<bool(const std::string&)>& is_last = [](const std::string&) { return false; });

/// Answers to requests with these methods; an unknown one is empty. A switch of protocols is the last.
Reading read_answers(std::string_view text, const std::vector<std::string>& methods);

}  // namespace lockgate::fuzz
