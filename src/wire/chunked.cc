#include "wire/chunked.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "wire/http_grammar.h"

namespace lockgate::wire {
namespace {

constexpr auto kReading = "reading a chunked body";
constexpr unsigned kMostDigits = 16;

int value_of_digit(char c);
bool may_trail(const HeadField& field);

}  // namespace

Result<ChunkedReader::Progress> ChunkedReader::read(Room arrived) {
  if (failed_) return std::unexpected(*failed_);
  Progress progress;
  std::string_view text = as_text(arrived);
  while (progress.consumed < text.size() && state_ != State::ended) {
    std::optional<Errc> wrong;
    if (state_ == State::data) {
      take_data(arrived, progress);
    } else if (state_ == State::trailer) {
      wrong = take_trailer(text, progress);
    } else {
      wrong = take_byte(text[progress.consumed++]);
    }
    if (!wrong) continue;
    failed_ = Error{.code = *wrong, .doing = kReading};
    return std::unexpected(*failed_);
  }
  return progress;
}

void ChunkedReader::take_data(Room arrived, Progress& progress) {
  Bytes waiting = arrived.subspan(progress.consumed);
  auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, waiting.size()));
  if (progress.data != progress.consumed)
    std::memmove(arrived.subspan(progress.data).data(), waiting.data(), size);
  progress.data += size;
  progress.consumed += size;
  left_ -= size;
  if (left_ == 0) state_ = State::data_cr;
}

std::optional<Errc> ChunkedReader::take_byte(char c) {
  switch (state_) {
    case State::line_feed:
      if (c != '\n') return Errc::bad_message;
      state_ = left_ == 0 ? State::trailer : State::data;
      return {};
    case State::data_cr:
      if (c != '\r') return Errc::bad_message;
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return Errc::bad_message;
      state_ = State::size;
      digits_ = 0;
      extension_ = 0;
      return {};
    case State::trailer_lf:
      if (c != '\n') return Errc::bad_message;
      state_ = State::ended;
      return {};
    default:
      return take_size_line(c);
  }
}

/// The size and its extensions, which mean nothing to us (RFC 9112, 7.1.1) and are only checked.
std::optional<Errc> ChunkedReader::take_size_line(char c) {
  int digit = state_ == State::size ? value_of_digit(c) : -1;
  if (digit >= 0) {
    if (++digits_ > kMostDigits) return Errc::bad_message;
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    return {};
  }
  auto next = digits_ > 0 ? after(c) : std::nullopt;
  if (!next) return Errc::bad_message;
  state_ = *next;
  if (state_ == State::line_feed) return {};
  bool fits = ++extension_ <= limits_.extensions && ++extensions_ <= limits_.total_extensions;
  return fits ? std::nullopt : std::optional(Errc::too_large);
}

/// The state behind one more byte of a line with a size; none if it may not stand there. White space is
/// allowed around ';' and '=' (RFC 9112, 7.1.1), but not before the line's end, where it is padding that not
/// every reader takes.
std::optional<ChunkedReader::State> ChunkedReader::after(char c) const {
  bool space = is(kOfSpace, c), token = is(kOfToken, c);
  switch (state_) {
    case State::name_begin:
      if (space) return State::name_begin;
      return token ? std::optional(State::name) : std::nullopt;
    case State::value_begin:
      if (space) return State::value_begin;
      if (c == '"') return State::quoted;
      return token ? std::optional(State::value) : std::nullopt;
    case State::quoted:
      if (c == '"') return State::unquoted;
      if (c == '\\') return State::escaped;
      return is(kOfValue, c) ? std::optional(State::quoted) : std::nullopt;
    case State::escaped:
      return is(kOfValue, c) ? std::optional(State::quoted) : std::nullopt;
    default:
      break;
  }
  bool named = state_ == State::name || state_ == State::name_gap;
  bool spaced = state_ == State::gap || state_ == State::name_gap;
  if (token && (state_ == State::name || state_ == State::value)) return state_;
  if (c == '=' && named) return State::value_begin;
  if (c == ';') return State::name_begin;
  if (space) return named ? State::name_gap : State::gap;
  return c == '\r' && !spaced ? std::optional(State::line_feed) : std::nullopt;
}

/// A line of the trailer section, or as much of it as has arrived.
std::optional<Errc> ChunkedReader::take_trailer(std::string_view arrived, Progress& progress) {
  std::string_view waiting = arrived.substr(progress.consumed);
  if (waiting.front() == '\r' && trailer_line_ == trailer_text_.size()) {
    state_ = State::trailer_lf;
    ++progress.consumed;
    return {};
  }
  std::string_view piece = waiting.substr(0, std::min(waiting.find('\n'), waiting.size() - 1) + 1);
  if (piece.size() > limits_.trailers - trailer_text_.size()) return Errc::too_large;
  // At once, since the fields look into it.
  trailer_text_.reserve(limits_.trailers);
  trailer_text_.insert(trailer_text_.end(), piece.begin(), piece.end());
  progress.consumed += piece.size();
  if (!piece.ends_with('\n')) return {};
  std::string_view text(trailer_text_.data(), trailer_text_.size());
  auto wrong = keep_trailer(text.substr(trailer_line_));
  trailer_line_ = trailer_text_.size();
  return wrong;
}

std::optional<Errc> ChunkedReader::keep_trailer(std::string_view line) {
  if (++trailer_count_ > limits_.trailer_fields) return Errc::too_large;
  HeadField field;
  Unread unread(line);
  if (read_field_line(unread, field) != Step::done) return Errc::bad_message;
  if (may_trail(field)) trailers_.push_back(field);
  return {};
}

ChunkHead::ChunkHead(std::size_t chunk) {
  CHECK(chunk > 0);
  char* end = std::to_chars(std::begin(text), std::end(text) - kChunkEnd.size(), chunk, 16).ptr;
  end = std::ranges::copy(kChunkEnd, end).out;
  size = static_cast<std::size_t>(end - std::begin(text));
}

namespace {

int value_of_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What a reader would have had to know before the body, and what only the connection is concerned with (RFC
// 9110, 6.5.1), beside all but one of the fields that have a number.
constexpr std::array<std::string_view, 21> kNeverTrailing = {"accept-encoding",
                                                             "accept-ranges",
                                                             "authentication-info",
                                                             "authorization",
                                                             "cache-control",
                                                             "clear-site-data",
                                                             "early-data",
                                                             "expires",
                                                             "http2-settings",
                                                             "max-forwards",
                                                             "origin",
                                                             "pragma",
                                                             "priority",
                                                             "proxy-authenticate",
                                                             "proxy-authentication-info",
                                                             "proxy-authorization",
                                                             "range",
                                                             "retry-after",
                                                             "vary",
                                                             "warning",
                                                             "www-authenticate"};

bool begins(std::string_view name, std::string_view with) {
  return equal_in_any_case(name.substr(0, with.size()), with);
}

/// A digest is what trailers are for (RFC 9530, 2), though its name begins like those that say what the body
/// is.
bool may_trail(const HeadField& field) {
  if (field.id != FieldName::other) return field.id == FieldName::etag;
  if (equal_in_any_case(field.name, "content-digest")) return true;
  for (std::string_view beginning : {"content-", "if-", "x-forwarded-", "access-control-"}) {
    if (begins(field.name, beginning)) return false;
  }
  return std::ranges::none_of(kNeverTrailing,
                              [&](std::string_view one) { return equal_in_any_case(one, field.name); });
}

}  // namespace
}  // namespace lockgate::wire
