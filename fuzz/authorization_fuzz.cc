// Whatever Authorization says, a name and a password are text of the length that it can
// hold, and what is read is written back to the same; a challenge has no open quotes.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "wire/basic.h"
#include "wire/credentials.h"

namespace {

using namespace lockgate;
using namespace lockgate::wire;

void check_text(std::string_view text) {
  while (!text.empty()) {
    std::size_t size = utf8_size(text);
    CHECK(size > 0 && !is_control(text.substr(0, size)));
    text.remove_prefix(size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view field(reinterpret_cast<const char*>(bytes), size);
  std::vector<char> room(room_for_basic(field)), again(room_for_basic(field) + 8);
  if (auto read = read_basic(field, room)) {
    check_text(read->user);
    check_text(read->password);
    CHECK(!read->user.empty() && !read->user.contains(':'));
    std::string written = basic_authorization(read->user, read->password);
    again.resize(room_for_basic(written));
    auto reread = read_basic(written, again);
    CHECK(reread && reread->user == read->user && reread->password == read->password);
  }
  std::string challenge = basic_challenge(field);
  std::size_t quotes = 0;
  for (std::size_t i = 0; i < challenge.size(); ++i) {
    if (challenge[i] == '\\')
      ++i;
    else if (challenge[i] == '"')
      ++quotes;
  }
  CHECK(quotes == 4);
  return 0;
}
