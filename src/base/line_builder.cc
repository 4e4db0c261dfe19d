#include "base/line_builder.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/time_text.h"
#include "base/utf8.h"

namespace lockgate {
namespace {

constexpr std::size_t kLongestEscape = 6;  // \ufffd

bool is_plain(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
  });
}

}  // namespace

void LineBuilder::field(std::string_view name, std::string_view value) {
  std::size_t mark = size_;
  begin(name);
  if (format_ == LineFormat::text && is_plain(value)) {
    put(value);
  } else {
    put_quoted(value);
  }
  end(mark);
}

void LineBuilder::field(std::string_view name, std::uint64_t value) {
  std::array<char, 24> digits;
  auto written = fmt::format_to_n(digits.data(), digits.size(), "{}", value);
  std::size_t mark = size_;
  begin(name);
  put({digits.data(), written.size});
  end(mark);
}

void LineBuilder::field(std::string_view name, double value) {
  std::array<char, 64> digits;
  auto written = fmt::format_to_n(digits.data(), digits.size(), "{:.3f}", value);
  std::size_t mark = size_;
  begin(name);
  put({digits.data(), std::min(written.size, digits.size())});
  end(mark);
}

void LineBuilder::field(std::string_view name, bool value) {
  std::size_t mark = size_;
  begin(name);
  put(value ? "true" : "false");
  end(mark);
}

void LineBuilder::sentence(std::string_view name, std::string_view value) { begin_of(name, value, kReserve); }

void LineBuilder::shortened(std::string_view name, std::string_view value, std::size_t most) {
  std::size_t written = is_plain(value) ? value.size() : value.size() * kLongestEscape;
  if (written <= most) return optional(name, value);
  std::size_t end = std::min(size_ + name.size() + most, kLongest - kReserve);
  begin_of(name, value, kLongest - end);
}

void LineBuilder::time(std::string_view name, WallTime value) { field(name, time_text(value)); }

std::string_view LineBuilder::line() {
  bool json = format_ == LineFormat::json;
  reserve_ = kTail;
  if (cut_) field("cut", true);
  if (json && size_ == 0) put("{");
  std::string_view tail = json ? "}\n" : "\n";
  std::ranges::copy(tail, room_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += tail.size();
  return {room_.data(), size_};
}

void LineBuilder::begin(std::string_view name) {
  overflown_ = false;
  if (format_ == LineFormat::json) {
    put(size_ == 0 ? "{\"" : ",\"");
    put(name);
    put("\":");
  } else {
    if (size_ > 0) put(" ");
    put(name);
    put("=");
  }
}

// A field that did not fit is taken back whole.
void LineBuilder::end(std::size_t mark) {
  if (!overflown_) return;
  size_ = mark;
  cut_ = true;
}

// A quoted value of which so much is written as leaves `reserve` bytes of the room.
void LineBuilder::begin_of(std::string_view name, std::string_view value, std::size_t reserve) {
  std::size_t mark = size_;
  reserve_ = reserve + 1;  // one more for the closing quote of a value that is cut
  begin(name);
  bool begun = !overflown_ && size_ + reserve_ < kLongest;  // the opening quote will fit, too
  put_quoted(value);
  reserve_ = kReserve;
  if (begun && overflown_) {
    overflown_ = false;
    cut_ = true;
    put("\"");
  }
  end(mark);
}

void LineBuilder::put(std::string_view text) {
  if (overflown_ || text.size() > kLongest - reserve_ - size_) {
    overflown_ = true;
    return;
  }
  std::ranges::copy(text, room_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += text.size();
}

void LineBuilder::put_quoted(std::string_view value) {
  put("\"");
  while (!value.empty() && !overflown_) {
    std::size_t size = utf8_size(value);
    char c = value.front();
    if (size == 0) {
      put("\\ufffd");
      size = 1;
    } else if (c == '"' || c == '\\') {
      put(c == '"' ? "\\\"" : "\\\\");
    } else if (is_control(value.substr(0, size))) {
      std::array<char, 8> escape;
      auto written = fmt::format_to_n(escape.data(), escape.size(), "\\u{:04x}",
                                      static_cast<unsigned char>(value[size - 1]));
      put({escape.data(), written.size});
    } else {
      put(value.substr(0, size));
    }
    value.remove_prefix(size);
  }
  put("\"");
}

}  // namespace lockgate
