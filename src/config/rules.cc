#include "config/rules.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>

#include "config/log_targets.h"
#include "config/rules_bans.h"
#include "config/rules_health.h"
#include "config/rules_http.h"
#include "config/rules_limits.h"
#include "config/rules_require.h"
#include "config/words.h"

namespace lockgate::config {
namespace {

class Rules {
 public:
  Rules(const Config& config, std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {
    for (const LogTarget& target : log_targets(config)) {
      if (target.kind == LogTarget::Kind::file && !target.secret) logs_.insert(target.path);
    }
  }

  void listener(const Listener& listener) {
    for (const Bind& bind : listener.bind) bound_once(bind);
    bool has_own_name = !listener.bind.empty() && listener.name != listener.bind.front().text;
    if (has_own_name) unique(listeners_, listener.name, listener.place, "the name of a listener");
    Places names, patterns;
    for (const Site& site : listener.sites) {
      unique(names, site.name, site.place, "the name of a site of this listener");
      for (const NamePattern& pattern : site.names) reachable(patterns, site, pattern);
      tlvs(site);
      if (site.verdict == Verdict::terminate) versions(site.place, site.tls);
      client_certificate(site);
      key_log(site);
    }
    if (!listener.peek) unpeeked(listener);
  }

  void certificate(const Certificate& certificate) {
    int kinds = !certificate.chain.empty() + !certificate.pkcs12.empty() + certificate.self_signed;
    if (kinds != 1) {
      return error(certificate.place,
                   fmt::format("the certificate `{}` needs one of `chain`, `pkcs12` and `self_signed`",
                               certificate.name));
    }
    if (!certificate.key.empty() && certificate.chain.empty())
      error(certificate.place, "`key` goes with `chain`", "a PKCS#12 file holds its key");
    if (!certificate.names.empty() && !certificate.self_signed)
      error(certificate.place, "`names` are for a certificate that is `self_signed`",
            "others bring their own");
    int passwords = !certificate.password_file.empty() + !certificate.password_environment.empty() +
                    !certificate.password_credential.empty();
    if (passwords > 1) error(certificate.place, "the password can stand in one place only");
  }

  void parent(const Parent& parent) {
    if (parent.name == "direct")
      error(parent.place, "a parent cannot have the name `direct`", "`via: direct` means none");
    upstream(parent);
  }

  void upstream(const Upstream& upstream) {
    versions(upstream.place, upstream.tls);
    const std::string& name = upstream.tls.server_name;
    if (name != "auto" && name != "carry" && name != "off" && !normalized_name(name)) {
      error(upstream.place, fmt::format("`server_name` must be auto, carry, off or a name, not `{}`", name));
    }
    for (const std::string& pin : upstream.tls.pins) pinned(upstream, pin);
  }

 private:
  using Places = std::unordered_map<std::string, Place>;

  void error(const Place& place, std::string message, std::string hint = "") {
    diagnostics_.push_back({.place = place, .message = std::move(message), .hint = std::move(hint)});
  }

  void unique(Places& places, const std::string& text, const Place& place, const char* what) {
    auto [first, is_new] = places.emplace(text, place);
    if (!is_new) error(place, fmt::format("`{}` is already {}", text, what), line_of(first->second));
  }

  void bound_once(const Bind& bind) {
    if (!bind.address.is_unix() && bind.address.port() == 0 && bind.kind != Bind::Kind::systemd) return;
    std::vector<std::string> addresses = {bind.kind == Bind::Kind::systemd ? bind.text : bind.address.text()};
    if (bind.kind == Bind::Kind::both_families)
      addresses.push_back(fmt::format("0.0.0.0:{}", bind.address.port()));
    for (const std::string& address : addresses) {
      auto [first, is_new] = binds_.emplace(address, bind.place);
      if (!is_new)
        return error(bind.place, fmt::format("`{}` is already bound", bind.text), line_of(first->second));
    }
  }

  /// TLS finds sites that pass, terminate and reject, the rest finds those that are plain; within them the
  /// first equal one wins.
  void reachable(Places& patterns, const Site& site, const NamePattern& pattern) {
    std::string key =
        fmt::format("{} {} {}", site.verdict == Verdict::plain, pattern.text(), match_key(site.match));
    auto [first, is_new] = patterns.emplace(key, site.place);
    if (is_new) return;
    error(site.place, fmt::format("this site can never have `{}`, which another site takes", pattern.text()),
          line_of(first->second));
  }

  static std::string match_key(const Match& match) {
    std::vector<std::string> conditions;
    for (const auto& alpn : match.alpn) conditions.push_back("alpn " + alpn);
    for (const auto& ja3 : match.ja3) conditions.push_back("ja3 " + ja3);
    for (const auto& ja4 : match.ja4) conditions.push_back("ja4 " + ja4);
    for (const auto& network : match.clients) conditions.push_back("client " + network.text());
    std::ranges::sort(conditions);
    return fmt::format("{}", fmt::join(conditions, "\n"));
  }

  void tlvs(const Site& site) {
    const ProxyTlvs& tlvs = site.proxy_tlvs;
    bool any = tlvs.alpn || tlvs.authority || tlvs.unique_id || tlvs.ssl;
    if (any && site.send_proxy_protocol != SendProxyProtocol::v2) {
      error(site.place, "`proxy_tlvs` needs `send_proxy_protocol: v2`", "no other header can hold them");
    }
  }

  void versions(const Place& place, const TlsProtocol& tls) {
    if (tls.max_version != TlsVersion::automatic && lowest_version(tls) > tls.max_version) {
      bool named = tls.min_version != TlsVersion::automatic;
      error(place,
            named ? "`min_version` is above `max_version`"
                  : fmt::format("`max_version` is below all that `profile: {}` takes", word_of(tls.profile)));
    }
    bool old = tls.min_version == TlsVersion::tls1_0 || tls.min_version == TlsVersion::tls1_1;
    if (old && tls.profile != TlsProfile::legacy) {
      error(place, "TLS below 1.2 needs `profile: legacy`", "its ciphers and keys are not safe any more");
    }
  }

  void client_certificate(const Site& site) {
    const ClientCertificate& wanted = site.tls.client_certificate;
    if (wanted.ask != AskCertificate::none && wanted.ca_file.empty()) {
      error(site.place, "`client_certificate` needs a `ca_file`", "the issuers that are trusted");
    }
  }

  /// Whoever may read a log may not read secrets.
  void key_log(const Site& site) {
    const std::string& path = site.tls.key_log.to;
    if (logs_.contains(path)) {
      error(site.place, fmt::format("{} is a log already, and cannot be the `key_log`, too", path),
            "secrets need a file of their own");
    }
  }

  void pinned(const Upstream& upstream, const std::string& pin) {
    constexpr std::string_view kPrefix = "sha256/";
    constexpr std::size_t kSize = 44;  // of 32 bytes in base64
    if (pin.starts_with(kPrefix) && pin.size() == kPrefix.size() + kSize) return;
    error(upstream.place, fmt::format("a pin is sha256/ and {} characters of base64, not `{}`", kSize, pin),
          "`lockgate certificate inspect` shows that of a certificate");
  }

  void unpeeked(const Listener& listener) {
    if (listener.sites.size() != 1) {
      return error(listener.place, "with `peek: off` a listener has exactly one site",
                   "without looking there is nothing to choose by");
    }
    const Site& site = listener.sites.front();
    if (site.names.size() != 1 || site.names.front().kind() != NamePattern::Kind::any) {
      error(site.place, "with `peek: off` the `names` of the site must be default");
    }
    if (site.verdict == Verdict::terminate) {
      error(site.place, "with `peek: off` a site cannot terminate TLS", "the hello has to be read for that");
    }
    if (!site.match.alpn.empty() || !site.match.ja3.empty() || !site.match.ja4.empty()) {
      error(site.place, "with `peek: off` the site can match `clients` only");
    }
    if (!listener.no_sni.empty()) error(listener.place, "with `peek: off` there is no use for `no_sni`");
  }

  std::vector<Diagnostic>& diagnostics_;
  Places binds_, listeners_;
  std::set<std::string> logs_;
};

}  // namespace

void check_rules(const Config& config, std::vector<Diagnostic>& diagnostics) {
  Rules rules(config, diagnostics);
  for (const Certificate& certificate : config.certificates) rules.certificate(certificate);
  for (const Parent& parent : config.parents) rules.parent(parent);
  for (const Upstream& upstream : config.upstreams) rules.upstream(upstream);
  for (const Listener& listener : config.listeners) rules.listener(listener);
  check_http_rules(config, diagnostics);
  check_access_rules(config, diagnostics);
  check_health_rules(config, diagnostics);
  check_rate_rules(config, diagnostics);
  check_ban_rules(config, diagnostics);
}

std::string line_of(const Place& place) { return fmt::format("in {}, line {}", place.file, place.line); }

}  // namespace lockgate::config
