#include "proxy/facts.h"

#include <array>

namespace lockgate::proxy {

std::string_view name_of(Stage stage) {
  constexpr std::array<std::string_view, kStages> kNames = {
      "proxy_header", "hello", "queued", "handshake", "connecting", "relaying", "serving", "refusing"};
  return kNames[static_cast<std::size_t>(stage)];
}

std::unique_ptr<Leg> leg_of(const tls::TlsStream& stream, bool open) {
  auto leg = std::make_unique<Leg>();
  leg->open = open;
  if (open) leg->session = stream.session();
  leg->alert = stream.alert();
  leg->untrusted = stream.untrusted();
  return leg;
}

}  // namespace lockgate::proxy
