#include "wire/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/digest.h"

namespace lockgate::wire {

using std::unexpected;

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

/// As a page tells it that makes one space of many.
std::string single_spaced(std::string_view text) {
  std::string spaced;
  for (char c : text) {
    bool space_again = c == ' ' && (spaced.empty() || spaced.back() == ' ');
    if (!space_again) spaced += c;
  }
  if (spaced.ends_with(' ')) spaced.pop_back();
  return spaced;
}

std::string encoded(std::string_view user, std::string_view password) {
  return base64(as_bytes(fmt::format("{}:{}", user, password)));
}

/// What must not be told, the longest first: one may be part of another.
std::vector<std::string> secrets_of(std::string_view user, std::string_view password) {
  std::string basic = encoded(user, password);
  basic.resize(std::min(basic.find('='), basic.size()));  // who repeats it may leave the padding out
  std::vector<std::string> secrets = {std::string(user), std::string(password), single_spaced(user),
                                      single_spaced(password)};
  if (!user.empty() || !password.empty()) secrets.push_back(std::move(basic));
  std::erase(secrets, "");
  std::ranges::sort(secrets, std::ranges::greater(), &std::string::size);
  return secrets;
}

}  // namespace

std::expected<Credentials, std::string> read_credentials(std::string_view file) {
  if (file.size() > kLongestCredentials)
    return unexpected(fmt::format("is longer than {} bytes", kLongestCredentials));
  if (file.ends_with('\n')) file.remove_suffix(1);
  if (file.ends_with('\r')) file.remove_suffix(1);
  if (file.empty()) return unexpected("is empty; it has to hold one line, user:password");
  if (file.starts_with("\xef\xbb\xbf"))
    return unexpected("begins with a byte order mark; save it without one");
  if (file.contains('\n')) return unexpected("has more than one line; it has to hold one, user:password");
  if (std::ranges::any_of(file, is_control))
    return unexpected("has a control character in it, such as a tab or a NUL, which no user or password has");
  auto colon = file.find(':');
  if (colon == file.npos) return unexpected("has no colon between user and password");
  if (colon == 0) return unexpected("has no user in front of the colon");
  return Credentials{std::string(file.substr(0, colon)), std::string(file.substr(colon + 1))};
}

std::string basic_authorization(std::string_view user, std::string_view password) {
  return user.empty() && password.empty() ? "" : "Basic " + encoded(user, password);
}

std::string without_credentials(std::string_view text, std::string_view user, std::string_view password,
                                bool cut) {
  constexpr std::string_view kMark = "***";
  auto secrets = secrets_of(user, password);
  std::string told;
  while (!text.empty()) {
    auto begins = [&](std::string_view secret) { return text.starts_with(secret); };
    auto may_begin = [&](std::string_view secret) { return secret.starts_with(text); };
    if (cut && std::ranges::any_of(secrets, may_begin)) break;
    auto found = std::ranges::find_if(secrets, begins);
    told += found == secrets.end() ? text.substr(0, 1) : kMark;
    text.remove_prefix(found == secrets.end() ? 1 : found->size());
  }
  return told;
}

}  // namespace lockgate::wire
