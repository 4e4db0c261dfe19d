// Whatever is read as a form is UTF-8, lies within what was given, and its fields have
// names of their own.
#include <cstdint>
#include <set>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "wire/form.h"

namespace {

using namespace lockgate;

void check_text(std::string_view text, const std::string& whole) {
  CHECK(text.empty() ||
        (text.data() >= whole.data() && text.data() + text.size() <= whole.data() + whole.size()));
  while (!text.empty()) {
    std::size_t size = utf8_size(text);
    CHECK(size > 0);
    text.remove_prefix(size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(bytes), size);
  auto form = wire::read_form(text);
  if (!form) return 0;
  CHECK(form->size() <= wire::kMostFormFields);
  std::set<std::string_view> names;
  for (const wire::FormField& field : *form) {
    check_text(field.name, text);
    check_text(field.value, text);
    CHECK(!field.name.empty() && names.insert(field.name).second);
    CHECK(wire::value_of(*form, field.name).data() == field.value.data());
  }
  return 0;
}
