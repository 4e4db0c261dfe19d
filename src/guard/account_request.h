// AccountRequest: somebody who wants to become a user, and waits for the operator's word;
// and the file that keeps such requests, as text. Any thread.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace lockgate::guard {

struct AccountRequest {
  std::string name;
  std::string hash;  // of the password that was chosen
  std::string remark;
  Ip from;  // none: from a Unix socket
  WallTime asked = 0;
};

/// The longest remark, in bytes.
inline constexpr std::size_t kLongestRemark = 256;

/// Whether it is a name that a user can sign in with, and a line of a file of users can begin with.
bool is_user_name(std::string_view name);
/// Whether it is UTF-8 without control characters, which no line can carry, and without invisible ones:
/// whoever reads it is to see what is there.
bool is_line_of_text(std::string_view text);

std::string account_file(const std::vector<AccountRequest>& requests);
/// The error is a sentence without its subject.
std::expected<std::vector<AccountRequest>, std::string> read_account_file(std::string_view text);

}  // namespace lockgate::guard
