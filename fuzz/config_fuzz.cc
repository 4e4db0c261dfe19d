// A configuration of any bytes is read or refused with words; what is read prints to what reads back the
// same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "config/parse.h"
#include "config/print.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate::config;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  Parsed parsed = parse_text(text, "fuzz.yaml", Includes::refuse);
  CHECK(parsed.config.has_value() == parsed.diagnostics.empty());
  for (const Diagnostic& diagnostic : parsed.diagnostics) CHECK(!words(diagnostic).empty());
  if (!parsed.config) return 0;
  std::string printed = print(*parsed.config);
  Parsed again = parse_text(printed, "printed.yaml", Includes::refuse);
  CHECK(again.config && print(*again.config) == printed);
  return 0;
}
