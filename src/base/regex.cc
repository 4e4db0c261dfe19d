#include "base/regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lockgate {
namespace {

constexpr std::size_t kMostGroups = 32;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // a request may hold any bytes
  options.set_dot_nl(true);
  options.set_log_errors(false);
  return options;
}

}  // namespace

Regex::Regex(std::unique_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

std::expected<Regex, std::string> Regex::compile(std::string_view pattern) {
  auto compiled = std::make_unique<const re2::RE2>(piece(pattern), options());
  if (!compiled->ok()) return std::unexpected(compiled->error());
  if (std::cmp_greater_equal(compiled->NumberOfCapturingGroups(), kMostGroups))
    return std::unexpected("too many groups");
  return Regex(std::move(compiled));
}

bool Regex::matches(std::string_view text) const { return match(text, {}); }

bool Regex::match(std::string_view text, std::span<std::string_view> groups) const {
  std::array<re2::StringPiece, kMostGroups> found;
  std::size_t asked = std::min(groups.size(), this->groups() + 1);
  bool matched = compiled_->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, found.data(),
                                  static_cast<int>(asked));
  if (!matched) return false;
  std::ranges::fill(groups, std::string_view());
  for (std::size_t i = 0; i < asked; ++i) groups[i] = {found[i].data(), found[i].size()};
  return true;
}

std::size_t Regex::groups() const { return static_cast<std::size_t>(compiled_->NumberOfCapturingGroups()); }

std::string Regex::replace_all(std::string_view text, std::string_view with) const {
  std::string result(text);
  re2::RE2::GlobalReplace(&result, *compiled_, piece(with));
  return result;
}

std::string Regex::fault_of_replacement(std::string_view with) const {
  std::string fault;
  compiled_->CheckRewriteString(piece(with), &fault);
  return fault;
}

}  // namespace lockgate
