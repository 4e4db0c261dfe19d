#include "base/line_builder.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "base/utf8.h"

namespace lockgate {
namespace {

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

void LineBuilder::sentence(std::string_view name, std::string_view value) {
  std::size_t mark = size_;
  reserve_ = kReserve + 1;  // one more for the closing quote of a value that is cut
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

void LineBuilder::time(std::string_view name, WallTime value) {
  constexpr WallTime kSecond = 1'000'000'000;
  thread_local WallTime cached_second = -1;
  thread_local std::array<char, 24> cached;  // up to the seconds: a busy log has many lines in each
  constexpr std::size_t kUpToSeconds = 19;
  if (value / kSecond != cached_second) {
    cached_second = value / kSecond;
    std::time_t seconds = cached_second;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    fmt::format_to_n(cached.data(), cached.size(), "{:%Y-%m-%dT%H:%M:%S}", utc);
  }
  std::array<char, 32> text;
  auto written = fmt::format_to_n(text.data(), text.size(), "{}.{:03}Z",
                                  std::string_view(cached.data(), kUpToSeconds), value / 1'000'000 % 1000);
  field(name, std::string_view(text.data(), written.size));
}

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
