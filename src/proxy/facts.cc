#include "proxy/facts.h"

#include <array>

namespace lockgate::proxy {

std::string_view name_of(Stage stage) {
  constexpr std::array<std::string_view, kStages> kNames = {"proxy_header", "hello",    "queued",
                                                            "connecting",   "relaying", "refusing"};
  return kNames[static_cast<std::size_t>(stage)];
}

}  // namespace lockgate::proxy
