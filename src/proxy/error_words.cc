#include "proxy/error_words.h"

namespace lockgate::proxy {

std::string error_words(const Error& error, const Way& way, const Leg* client) {
  std::string text = words(error);
  const Leg* leg = error.side == Side::client ? client : way.leg.get();
  if (error.code == Errc::untrusted && leg && !leg->untrusted.empty()) text += ": " + leg->untrusted;
  if (!way.parent_said.empty()) text += ": " + way.parent_said;
  return text;
}

}  // namespace lockgate::proxy
