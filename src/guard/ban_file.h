// The file in which bans outlive the process: a line that says what it is, and one for
// each ban. Pure: texts in and out. It is ours, and yet read as what a stranger sent.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "guard/bans.h"

namespace lockgate::guard {

inline constexpr std::string_view kBanFileTitle = "lockgate bans 1\n";

/// What time it is, by both clocks: instants are of no use to another process.
struct Clocks {
  Instant now;
  WallTime wall = 0;
};

/// The line of one ban.
std::string ban_line(const Ban& ban, const Clocks& clocks);
struct KeptBans {
  std::vector<Ban> bans;
  std::size_t bad_lines = 0, first_bad = 0;  // how many are no bans, and the number of the first
};
/// The bans of a whole file: a line that is none takes no other one with it. If the file is none of bans, a
/// sentence.
std::expected<KeptBans, std::string> read_ban_file(std::string_view text, const Clocks& clocks);

}  // namespace lockgate::guard
