#include "base/time_text.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <array>
#include <ctime>
#include <string>

namespace lockgate {
namespace {

constexpr WallTime kSecond = 1'000'000'000;

std::tm utc_of(WallTime second) {
  std::time_t seconds = second;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return utc;
}

struct Made {
  WallTime second = -1;
  std::string text;
};

}  // namespace

std::string_view time_text(WallTime time) {
  thread_local Made made;
  thread_local std::array<char, 48> whole;
  WallTime second = time / kSecond;
  if (second != made.second) made = {second, fmt::format("{:%Y-%m-%dT%H:%M:%S}", utc_of(second))};
  auto written =
      fmt::format_to_n(whole.data(), whole.size(), "{}.{:03}Z", made.text, time / 1'000'000 % 1000);
  return {whole.data(), written.size};
}

std::string_view common_time_text(WallTime time) {
  thread_local Made made;
  WallTime second = time / kSecond;
  if (second != made.second) made = {second, fmt::format("{:%d/%b/%Y:%H:%M:%S} +0000", utc_of(second))};
  return made.text;
}

}  // namespace lockgate
