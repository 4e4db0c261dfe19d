// Any bytes, read as a list of networks: what is found is in its plain form, and reads the same when it is
// written out.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/network_set.h"
#include "wire/network_list.h"

namespace lockgate::wire {
namespace {

void check(std::string_view text) {
  auto networks = read_network_list(text, {.bytes = 1 << 20, .lines = 1000, .networks = 10'000});
  if (!networks) {
    CHECK(!networks.error().why.empty() && networks.error().why.size() < 200);
    return;
  }
  std::string written;
  for (const Network& network : *networks) {
    CHECK(Network::parse(network.text()) == network);
    written += network.text() + "\n";
  }
  CHECK(read_network_list(written) == *networks);
  NetworkSet set(*networks);
  for (const Network& network : *networks) CHECK(set.contains(network.ip()));
}

}  // namespace
}  // namespace lockgate::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lockgate::wire::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
