// A text with variables is taken apart or refused with words; what is taken apart keeps all that was plain. A
// page is always taken apart, and without variables it is what it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "config/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate::config;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  Template page = parse_page(text);
  bool as_it_was = page.parts.empty() || (page.parts.size() == 1 && page.parts[0].text == text);
  bool varied =
      std::ranges::any_of(page.parts, [](const auto& part) { return part.variable != Variable::none; });
  CHECK(varied || as_it_was);
  auto parsed = parse_template(text);
  if (!parsed) {
    CHECK(text.contains('$') && !parsed.error().expected.empty());
    return 0;
  }
  CHECK(parsed->written == text && last_capture(*parsed) <= 9);
  bool after_plain = false;
  for (const auto& part : parsed->parts) {
    bool plain = part.variable == Variable::none;
    CHECK(plain != part.text.empty() && !(plain && after_plain));
    CHECK((part.variable == Variable::capture) == (part.capture > 0));
    after_plain = plain;
  }
  return 0;
}
