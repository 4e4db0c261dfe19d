#include "strict_http.h"

#include <algorithm>
#include <cctype>

namespace lockgate::fuzz {

namespace {

using IsLast = std::function<bool(const std::string&)>;

constexpr std::string_view kLineEnd = "\r\n", kToken = "!#$%&'*+-.^_`|~", kBlank = " \t";
constexpr std::string_view kLowerHex = "0123456789abcdef", kHex = "0123456789abcdefABCDEF";
constexpr std::size_t kMostDigits = 16;

bool is_token(std::string_view text) {
  auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || kToken.contains(c); };
  return !text.empty() && std::ranges::all_of(text, fits);
}

bool is_text(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    auto value = static_cast<unsigned char>(c);
    return (value < 0x20 && c != '\t') || value == 0x7f;
  });
}

bool equal_in_any_case(std::string_view a, std::string_view b) {
  auto lower = [](unsigned char c) { return std::tolower(c); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && kBlank.contains(text.front())) text.remove_prefix(1);
  while (!text.empty() && kBlank.contains(text.back())) text.remove_suffix(1);
  return text;
}

class Reader {
 public:
  Reader(std::string_view text, Hand hand) : text_(text), hand_(hand) {}

  Reading requests(const IsLast& is_last);
  Reading answers(const std::vector<std::string>& methods);

 private:
  bool go_wrong(std::string why) {
    reading_.wrong = std::move(why);
    return false;
  }
  Message& message() { return reading_.messages.back(); }
  bool begin();
  bool finish();
  // False if there is nothing more to read: it has not come, or is wrong.
  std::optional<std::string_view> line();
  bool request_line();
  bool status_line();
  bool fields(std::vector<std::pair<std::string, std::string>>& into);
  bool body(bool has_none);
  bool sized_body(std::string_view length);
  bool chunked_body();
  bool chunk(std::size_t size);
  std::optional<std::uint64_t> chunk_size(std::string_view line);

  std::string_view text_;
  Hand hand_;
  std::size_t at_ = 0;
  Reading reading_;
};

std::optional<std::string_view> Reader::line() {
  auto end = text_.find('\n', at_);
  if (end == text_.npos) return {};
  std::string_view found = text_.substr(at_, end - at_);
  if (!found.ends_with('\r') || found.find('\r') + 1 != found.size()) {
    go_wrong("a line's end");
    return {};
  }
  at_ = end + 1;
  return found.substr(0, found.size() - 1);
}

// Anybody may write an empty line first (RFC 9112, 2.2); and then nothing else, which is a message begun.
bool Reader::begin() {
  if (at_ == text_.size()) return false;
  reading_.messages.push_back({.begin = at_});
  if (hand_ == Hand::anybodys && text_.substr(at_).starts_with(kLineEnd)) at_ += kLineEnd.size();
  return true;
}

bool Reader::finish() {
  message().complete = true;
  return true;
}

bool Reader::request_line() {
  auto found = line();
  if (!found) return false;
  auto first = found->find(' '), second = found->rfind(' ');
  if (first == found->npos || first == second) return go_wrong("words of the first line");
  message().method = found->substr(0, first);
  message().target = found->substr(first + 1, second - first - 1);
  std::string_view version = found->substr(second + 1);
  bool known = version == "HTTP/1.1" || version == "HTTP/1.0" ||
               (hand_ == Hand::anybodys && version.starts_with("HTTP/1."));
  bool plain = is_text(message().target) && message().target.find_first_of(kBlank) == std::string::npos;
  if (!known || !plain || !is_token(message().method)) return go_wrong("the first line");
  return true;
}

bool Reader::status_line() {
  constexpr std::string_view kBegins = "HTTP/1.1 ";
  auto found = line();
  if (!found) return false;
  if (!found->starts_with(kBegins) || found->size() < kBegins.size() + 4) return go_wrong("the first line");
  std::string_view digits = found->substr(kBegins.size(), 3);
  bool number = std::ranges::all_of(digits, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!number || digits.front() == '0' || (*found)[kBegins.size() + 3] != ' ' || !is_text(*found))
    return go_wrong("the status");
  message().status = std::stoi(std::string(digits));
  return true;
}

bool Reader::fields(std::vector<std::pair<std::string, std::string>>& into) {
  for (;;) {
    auto found = line();
    if (!found) return false;
    if (found->empty()) return true;
    auto colon = found->find(':');
    if (colon == found->npos || !is_token(found->substr(0, colon))) return go_wrong("a field's name");
    std::string_view value = found->substr(colon + 1), bare = trimmed(value);
    if (!is_text(value)) return go_wrong("a field's value");
    if (hand_ == Hand::ours && value.substr(std::min<std::size_t>(1, value.size())) != bare)
      return go_wrong("white space around a value");
    into.emplace_back(found->substr(0, colon), bare);
  }
}

bool Reader::body(bool has_none) {
  std::size_t lengths = 0, codings = 0;
  for (const auto& [name, value] : message().fields) {
    lengths += equal_in_any_case(name, "Content-Length") ? 1u : 0u;
    codings += equal_in_any_case(name, "Transfer-Encoding") ? 1u : 0u;
  }
  if (lengths + codings > 1) return go_wrong("the body's end is told twice");
  if (has_none) return codings == 0 ? finish() : go_wrong("chunks where no body can be");
  if (lengths > 0) return sized_body(*message().value("Content-Length"));
  if (codings > 0) {
    bool chunked = equal_in_any_case(*message().value("Transfer-Encoding"), "chunked");
    return chunked ? chunked_body() : go_wrong("an unknown coding");
  }
  if (message().status == 0) return finish();
  message().until_close = true;
  message().body = text_.substr(at_);
  at_ = text_.size();
  return finish();
}

bool Reader::sized_body(std::string_view length) {
  bool number = std::ranges::all_of(length, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (length.empty() || !number || length.size() > kMostDigits) return go_wrong("the length");
  std::uint64_t size = std::stoull(std::string(length));
  message().body = text_.substr(at_, static_cast<std::size_t>(std::min<std::uint64_t>(size, text_.size())));
  at_ += message().body.size();
  return message().body.size() == size && finish();
}

std::optional<std::uint64_t> Reader::chunk_size(std::string_view line) {
  std::size_t digits = std::min(line.find_first_not_of(kHex), line.size());
  bool plain = digits > 0 && digits <= kMostDigits;
  if (hand_ == Hand::ours) {
    bool lower = line.find_first_not_of(kLowerHex) == line.npos;
    plain = plain && digits == line.size() && lower && (line == "0" || line.front() != '0');
  }
  if (plain) return std::stoull(std::string(line.substr(0, digits)), nullptr, 16);
  go_wrong("a chunk's size");
  return {};
}

bool Reader::chunked_body() {
  for (;;) {
    auto found = line();
    if (!found) return false;
    auto size = chunk_size(*found);
    if (!size) return false;
    if (*size == 0) break;
    if (!chunk(static_cast<std::size_t>(*size))) return false;
  }
  std::vector<std::pair<std::string, std::string>> trailers;
  return fields(trailers) && finish();
}

bool Reader::chunk(std::size_t size) {
  std::string_view data = text_.substr(at_, size);
  message().body += data;
  at_ += data.size();
  if (data.size() < size) return false;
  std::string_view behind = text_.substr(at_, kLineEnd.size());
  if (!kLineEnd.starts_with(behind)) return go_wrong("what follows a chunk");
  at_ += behind.size();
  return behind == kLineEnd;
}

Reading Reader::requests(const IsLast& is_last) {
  while (begin()) {
    bool headed = request_line() && fields(message().fields);
    message().headed = headed;
    bool whole = headed && body(false);
    message().end = reading_.end = at_;
    if (!whole) break;
    if (is_last(std::string(message().value("X-Id").value_or("")))) break;
  }
  return std::move(reading_);
}

Reading Reader::answers(const std::vector<std::string>& methods) {
  std::size_t number = 0;
  while (begin()) {
    message().headed = status_line() && fields(message().fields);
    int status = message().status;
    std::string method = number < methods.size() ? methods[number] : "";
    bool has_none = method == "HEAD" || status < 200 || status == 204 || status == 304;
    bool whole = message().headed && body(has_none);
    message().end = reading_.end = at_;
    if (!whole || status == 101) break;
    if (!message().is_interim()) ++number;
  }
  return std::move(reading_);
}

}  // namespace

std::optional<std::string_view> Message::value(std::string_view name) const {
  for (const auto& [own, text] : fields) {
    if (equal_in_any_case(own, name)) return text;
  }
  return {};
}

Reading read_requests(std::string_view text, Hand hand, const IsLast& is_last) {
  return Reader(text, hand).requests(is_last);
}

Reading read_answers(std::string_view text, const std::vector<std::string>& methods) {
  return Reader(text, Hand::ours).answers(methods);
}

}  // namespace lockgate::fuzz
