#include "wire/http_date.h"

#include <algorithm>
#include <chrono>

namespace lockgate::wire {
namespace {

using namespace std::chrono;
using Names = std::string_view;

constexpr Names kDays = "SunMonTueWedThuFriSat", kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::array<Names, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};

void put(char* at, int number, int digits) {
  for (int i = digits - 1; i >= 0; --i, number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

/// What is still to be read of a date; once something is wrong it stays so.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Reader& skip(std::string_view text) {
    good_ = good_ && rest_.starts_with(text);
    if (good_) rest_.remove_prefix(text.size());
    return *this;
  }
  Reader& number(int& out, std::size_t digits, bool blank = false) {
    out = 0;
    for (std::size_t i = 0; i < digits && good_; ++i) {
      char c = rest_.size() > i ? rest_[i] : '\0';
      if (blank && i == 0 && c == ' ') continue;
      good_ = c >= '0' && c <= '9';
      out = out * 10 + (c - '0');
    }
    if (good_) rest_.remove_prefix(digits);
    return *this;
  }
  /// One of `names`, of three letters each; its place among them, from 0.
  Reader& name(int& out, Names names) {
    auto at = rest_.size() < 3 ? names.npos : names.find(rest_.substr(0, 3));
    good_ = good_ && at != names.npos && at % 3 == 0;
    if (!good_) return *this;
    out = static_cast<int>(at / 3);
    rest_.remove_prefix(3);
    return *this;
  }
  Reader& long_day() {
    const auto* found = std::ranges::find_if(kLongDays, [&](Names day) { return rest_.starts_with(day); });
    good_ = good_ && found != kLongDays.end();
    return good_ ? skip(*found) : *this;
  }
  bool ended() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

struct Parts {
  int day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0;

  std::optional<WallTime> time() const {
    year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month + 1)),
                        std::chrono::day(static_cast<unsigned>(day)));
    // Beyond 2262 there are no nanoseconds; a leap second is the first one of the next minute.
    bool good = date.ok() && year >= 1900 && year < 2262 && hour < 24 && minute < 60 && second <= 60;
    if (!good) return {};
    auto at = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
    return nanoseconds(at.time_since_epoch()).count();
  }
};

Reader& read_time(Reader& reader, Parts& parts) {
  return reader.number(parts.hour, 2).skip(":").number(parts.minute, 2).skip(":").number(parts.second, 2);
}

int year_of(WallTime time) {
  return static_cast<int>(year_month_day(floor<days>(sys_time<nanoseconds>(nanoseconds(time)))).year());
}

}  // namespace

HttpDate::HttpDate(WallTime time) {
  auto second = floor<seconds>(sys_time<nanoseconds>(nanoseconds(time)));
  auto midnight = floor<days>(second);
  year_month_day date(midnight);
  hh_mm_ss clock(second - midnight);
  std::ranges::copy(std::string_view("___, 00 ___ 0000 00:00:00 GMT"), text_.begin());
  std::ranges::copy(kDays.substr(weekday(midnight).c_encoding() * 3, 3), text_.begin());
  std::ranges::copy(kMonths.substr((unsigned(date.month()) - 1) * 3, 3), text_.begin() + 8);
  put(&text_[5], static_cast<int>(unsigned(date.day())), 2);
  put(&text_[12], int(date.year()), 4);
  put(&text_[17], static_cast<int>(clock.hours().count()), 2);
  put(&text_[20], static_cast<int>(clock.minutes().count()), 2);
  put(&text_[23], static_cast<int>(clock.seconds().count()), 2);
}

std::optional<WallTime> read_http_date(std::string_view text, WallTime now) {
  int weekday = 0;
  Parts parts;
  Reader fixed(text);  // IMF-fixdate
  fixed.name(weekday, kDays).skip(", ").number(parts.day, 2).skip(" ").name(parts.month, kMonths).skip(" ");
  fixed.number(parts.year, 4).skip(" ");
  if (read_time(fixed, parts).skip(" GMT").ended()) return parts.time();
  Reader dashed(text);  // RFC 850
  dashed.long_day().skip(", ").number(parts.day, 2).skip("-").name(parts.month, kMonths).skip("-");
  dashed.number(parts.year, 2).skip(" ");
  if (read_time(dashed, parts).skip(" GMT").ended()) {
    constexpr int kCentury = 100, kFuture = 50;
    int this_year = year_of(now);
    parts.year += this_year - this_year % kCentury;
    if (parts.year > this_year + kFuture) parts.year -= kCentury;
    return parts.time();
  }
  Reader of_c(text);  // asctime
  of_c.name(weekday, kDays)
      .skip(" ")
      .name(parts.month, kMonths)
      .skip(" ")
      .number(parts.day, 2, true)
      .skip(" ");
  if (read_time(of_c, parts).skip(" ").number(parts.year, 4).ended()) return parts.time();
  return {};
}

}  // namespace lockgate::wire
