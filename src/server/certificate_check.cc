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

std::string place_text(const config::Place& place) { return fmt::format("{}:{}", place.file, place.line); }

/// Whose names a connection of `site` must not reach: browsers use one connection for all names of its
/// certificate (RFC 9110, 4.3.3), and are told 421 for those that are not read here.
void warn_of_reuse(const config::Site& site, const config::Site& other, const tls::InUse& certificate,
                   std::vector<config::Diagnostic>& warnings) {
  bool passes = other.verdict == config::Verdict::pass;
  if (!passes && other.verdict != config::Verdict::reject) return;
  for (const NamePattern& pattern : other.names) {
    bool covered = pattern.is_name() && tls::covers(*certificate.identity, pattern.text());
    bool ours = std::ranges::find(site.names, pattern) != site.names.end();
    if (!covered || ours) continue;
    warnings.push_back(warning(
        site.place,
        fmt::format("certificate `{}` of the site `{}` is good for `{}`, too, which the site `{}` at {} {}",
                    certificate.name, site.name, pattern.text(), other.name, place_text(other.place),
                    passes ? "passes" : "rejects"),
        "browsers use one connection for all names of a certificate, and get 421 for this one: take a "
        "certificate without it, or give that site a listener of its own"));
  }
}

void warn_of_reuse(const config::Config& config, const config::Listener& listener, const config::Site& site,
                   const std::vector<tls::InUse>& certificates, std::vector<config::Diagnostic>& warnings) {
  for (const config::CertificateChoice& choice : site.certificates) {
    const std::string& name = config.certificates[choice.index].name;
    auto found = std::ranges::find(certificates, name, &tls::InUse::name);
    if (found == certificates.end() || found->made_here) continue;
    for (const config::Site& other : listener.sites) warn_of_reuse(site, other, *found, warnings);
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
      if (site.is_http()) warn_of_reuse(config, listener, site, certificates, warnings);
      for (const NamePattern& pattern : site.names) {
        if (!pattern.is_name() || shows(config, site, certificates, pattern.text())) continue;
        warnings.push_back(
            warning(site.place, fmt::format("no certificate of this site has the name `{}`", pattern.text()),
                    "clients that ask for it will complain"));
      }
    }
  }
  return warnings;
}

}  // namespace lockgate::server
