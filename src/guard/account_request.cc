#include "guard/account_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/password_hash.h"
#include "base/utf8.h"
#include "wire/file_lines.h"

namespace lockgate::guard {
namespace {

constexpr std::string_view kTitle = "lockgate accounts 1\n";

std::string_view next_part(std::string_view& line) {
  std::string_view part = line.substr(0, line.find('\t'));
  line.remove_prefix(std::min(line.size(), part.size() + 1));
  return part;
}

std::optional<AccountRequest> read_line(std::string_view line) {
  AccountRequest request;
  std::string_view asked = next_part(line), from = next_part(line);
  request.name = next_part(line);
  request.hash = next_part(line);
  request.remark = line;
  auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), request.asked);
  auto ip = from == "-" ? Ip() : Ip::parse(from);
  bool good = error == std::errc() && end == asked.data() + asked.size() && ip &&
              is_user_name(request.name) && scheme_of(request.hash) && is_line_of_text(request.remark);
  if (!good) return {};
  request.from = *ip;
  return request;
}

}  // namespace

bool is_user_name(std::string_view name) {
  return wire::is_name(name) && is_line_of_text(name) && !name.contains(':') && !name.starts_with('#') &&
         !name.starts_with(' ') && !name.ends_with(' ');
}

bool is_line_of_text(std::string_view text) {
  while (!text.empty()) {
    std::size_t size = utf8_size(text);
    if (size == 0) return false;
    std::string_view character = text.substr(0, size);
    if (is_control(character) || is_invisible(character)) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string account_file(const std::vector<AccountRequest>& requests) {
  std::string text(kTitle);
  for (const AccountRequest& one : requests) {
    text += fmt::format("{}\t{}\t{}\t{}\t{}\n", one.asked, one.from.is_none() ? "-" : one.from.text(),
                        one.name, one.hash, one.remark);
  }
  return text;
}

std::expected<std::vector<AccountRequest>, std::string> read_account_file(std::string_view text) {
  if (!text.starts_with(kTitle)) return std::unexpected("its first line is not that of a file of accounts");
  text.remove_prefix(kTitle.size());
  std::vector<AccountRequest> requests;
  for (std::size_t number = 2; !text.empty(); ++number) {
    auto end = text.find('\n');
    auto request = end == text.npos ? std::nullopt : read_line(text.substr(0, end));
    if (!request) return std::unexpected(fmt::format("its line {} is no request for an account", number));
    requests.push_back(std::move(*request));
    text.remove_prefix(end + 1);
  }
  return requests;
}

}  // namespace lockgate::guard
