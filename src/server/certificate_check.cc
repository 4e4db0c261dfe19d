#include "server/certificate_check.h"

#include <fmt/core.h>

#include <algorithm>

#include "tls/weaknesses.h"

namespace lockgate::server {
namespace {

config::Diagnostic warning(const config::Place& place, std::string message, std::string hint = "") {
  return {config::Diagnostic::Severity::warning, place, std::move(message), std::move(hint)};
}

bool shows(const config::Config& config, const config::Site& site,
           const std::vector<tls::InUse>& certificates, const std::string& name) {
  return std::ranges::any_of(site.certificates, [&](const config::CertificateChoice& choice) {
    const config::Certificate& certificate = config.certificates[choice.index];
    return std::ranges::any_of(certificates, [&](const tls::InUse& one) {
      return one.name == certificate.name && (one.made_here || tls::covers(*one.identity, name));
    });
  });
}

void warn_of_must_staple(const config::Config& config, const config::Site& site,
                         const std::vector<tls::InUse>& certificates,
                         std::vector<config::Diagnostic>& warnings) {
  for (const config::CertificateChoice& choice : site.certificates) {
    const std::string& name = config.certificates[choice.index].name;
    auto found = std::ranges::find(certificates, name, &tls::InUse::name);
    if (!tls::must_be_stapled(found->identity->certificate.get())) continue;
    warnings.push_back(warning(
        site.place, fmt::format("certificate `{}` is must-staple, and `ocsp_stapling` is off here", name),
        "clients refuse it without its issuer's OCSP answer"));
  }
}

}  // namespace

std::vector<config::Diagnostic> check_certificates(const config::Config& config,
                                                   const std::vector<tls::InUse>& certificates,
                                                   WallTime now) {
  std::vector<config::Diagnostic> warnings;
  for (const auto& [name, identity, made_here] : certificates) {
    if (made_here) continue;
    auto found = std::ranges::find(config.certificates, name, &config::Certificate::name);
    for (const std::string& sentence : tls::weaknesses(*identity, now)) {
      warnings.push_back(warning(found->place, fmt::format("certificate `{}`: {}", name, sentence)));
    }
  }
  for (const auto& listener : config.listeners) {
    for (const auto& site : listener.sites) {
      if (site.verdict != config::Verdict::terminate) continue;
      if (!site.tls.ocsp_stapling) warn_of_must_staple(config, site, certificates, warnings);
      for (const NamePattern& pattern : site.names) {
        if (pattern.kind() == NamePattern::Kind::any || shows(config, site, certificates, pattern.text()))
          continue;
        warnings.push_back(
            warning(site.place, fmt::format("no certificate of this site has the name `{}`", pattern.text()),
                    "clients that ask for it will complain"));
      }
    }
  }
  return warnings;
}

}  // namespace lockgate::server
