#include "server/certificate_check.h"

#include <fmt/core.h>

#include <algorithm>

#include "tls/keyring.h"
#include "tls/weaknesses.h"

namespace lockgate::server {
namespace {

config::Diagnostic warning(const config::Place& place, std::string message, std::string hint = "") {
  return {config::Diagnostic::Severity::warning, place, std::move(message), std::move(hint)};
}

// A certificate that is made on the spot has all names.
bool shows(const config::Config& config, const config::Site& site, const std::vector<tls::InUse>& read,
           const std::string& name) {
  return std::ranges::any_of(site.certificates, [&](const config::CertificateChoice& choice) {
    const config::Certificate& certificate = config.certificates[choice.index];
    if (certificate.self_signed) return true;
    return std::ranges::any_of(read, [&](const tls::InUse& one) {
      return one.name == certificate.name && tls::covers(*one.identity, name);
    });
  });
}

}  // namespace

std::expected<std::vector<config::Diagnostic>, std::string> check_certificates(const config::Config& config,
                                                                               WallTime now) {
  auto read = tls::read_certificates(config);
  if (!read) return std::unexpected(read.error());
  std::vector<config::Diagnostic> warnings;
  for (const auto& [name, identity] : *read) {
    auto found = std::ranges::find(config.certificates, name, &config::Certificate::name);
    for (const std::string& sentence : tls::weaknesses(*identity, now)) {
      warnings.push_back(warning(found->place, fmt::format("certificate `{}`: {}", name, sentence)));
    }
  }
  for (const auto& listener : config.listeners) {
    for (const auto& site : listener.sites) {
      if (site.verdict != config::Verdict::terminate) continue;
      for (const NamePattern& pattern : site.names) {
        if (pattern.kind() == NamePattern::Kind::any || shows(config, site, *read, pattern.text())) continue;
        warnings.push_back(
            warning(site.place, fmt::format("no certificate of this site has the name `{}`", pattern.text()),
                    "clients that ask for it will complain"));
      }
    }
  }
  return warnings;
}

}  // namespace lockgate::server
