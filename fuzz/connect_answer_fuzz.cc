// Any bytes, parsed as a parent's answer to CONNECT: the same outcome however many more follow; and whatever
// is told of a refusal is safe to print and has no secret in it.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "wire/connect.h"
#include "wire/credentials.h"
#include "wire/page_text.h"

namespace lockgate::wire {
namespace {

void check_prefix(Bytes seen, std::size_t size) {
  auto before = parse_connect_answer(seen.first(size));
  if (!before) return;
  auto after = parse_connect_answer(seen);
  CHECK(after && after->has_value() == before->has_value());
  if (*before) {
    CHECK((*before)->size == (*after)->size && (*before)->size <= size);
    CHECK((*before)->status == (*after)->status && (*before)->reason == (*after)->reason);
    CHECK((*before)->schemes == (*after)->schemes && (*before)->cause == (*after)->cause);
  } else {
    CHECK((*before).error().code == (*after).error().code);
  }
}

void check_printable(std::string_view text) {
  CHECK(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
}

void check_text(std::string_view page) {
  std::string text = page_text(page);
  CHECK(text.size() <= page.size());
  for (std::string_view left = text; !left.empty();) {
    auto size = utf8_size(left);
    CHECK(size > 0 && !is_control(left.substr(0, size)));
    left.remove_prefix(size);
  }
  for (std::size_t most : {0U, 3U, 20U}) {
    std::string cut = shortened(text, most);
    CHECK(cut.size() <= most || cut == text);
  }
}

/// The bytes themselves say what is secret in them.
void check_secrets(std::string_view text) {
  if (text.size() < 12) return;
  auto user = text.substr(text.size() / 3, static_cast<unsigned char>(text[0]) % 6);
  auto password = text.substr(text.size() / 2, static_cast<unsigned char>(text[1]) % 6);
  if (user.contains('*') || password.contains('*')) return;
  for (bool cut : {false, true}) {
    std::string told = without_credentials(text, user, password, cut);
    CHECK(user.empty() || !told.contains(user));
    CHECK(password.empty() || !told.contains(password));
  }
}

void check_page(const ConnectAnswer& answer, Bytes seen) {
  Page page = page_of_refusal(answer, seen);
  CHECK(page.content.size() <= kLongestPage);
  for (std::size_t size = answer.size; size < std::min(seen.size(), answer.size + 40); ++size) {
    Page early = page_of_refusal(answer, seen.first(size));
    CHECK(page.content.starts_with(early.content) && (!early.ended || early.content == page.content));
  }
  check_text(page.content);
}

}  // namespace
}  // namespace lockgate::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  using namespace lockgate::wire;
  Bytes seen(reinterpret_cast<const std::byte*>(bytes), size);
  for (std::size_t cut = 0; cut < std::min<std::size_t>(size, 80); ++cut) check_prefix(seen, cut);
  check_prefix(seen, size - size / 8);
  check_text(as_text(seen.first(std::min(size, kLongestPage))));
  check_secrets(as_text(seen.first(std::min(size, kLongestPage))));
  auto answer = parse_connect_answer(seen);
  if (!answer || !*answer) return 0;
  CHECK((*answer)->size <= std::min(size, kLongestConnectAnswer) && (*answer)->status >= 200);
  CHECK((*answer)->reason.size() <= kLongestReason && (*answer)->schemes.size() <= kMostSchemes);
  check_printable((*answer)->reason);
  check_printable((*answer)->cause);
  for (const auto& scheme : (*answer)->schemes) check_printable(scheme);
  if (!(*answer)->is_tunnel()) check_page(**answer, seen);
  return 0;
}
