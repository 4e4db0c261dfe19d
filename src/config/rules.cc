#include "config/rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <unordered_map>

namespace lockgate::config {
namespace {

class Rules {
 public:
  explicit Rules(std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {}

  void listener(const Listener& listener) {
    for (const Bind& bind : listener.bind) unique(binds_, bind_key(bind), bind.text, bind.place, "bound");
    unique(listeners_, listener.name, listener.name, listener.place, "the name of a listener");
    Places names, patterns;
    for (const Site& site : listener.sites) {
      unique(names, site.name, site.name, site.place, "the name of a site of this listener");
      for (const NamePattern& pattern : site.names) reachable(patterns, site, pattern);
      tlvs(site);
    }
    if (!listener.peek) unpeeked(listener);
  }

 private:
  using Places = std::unordered_map<std::string, Place>;

  void error(const Place& place, std::string message, std::string hint = "") {
    diagnostics_.push_back({.place = place, .message = std::move(message), .hint = std::move(hint)});
  }
  static std::string line_of(const Place& place) {
    return fmt::format("in {}, line {}", place.file, place.line);
  }

  void unique(Places& places, const std::string& key, const std::string& text, const Place& place,
              const char* what) {
    auto [first, is_new] = places.emplace(key, place);
    if (!is_new) error(place, fmt::format("`{}` is already {}", text, what), line_of(first->second));
  }

  static std::string bind_key(const Bind& bind) {
    return bind.kind == Bind::Kind::systemd || bind.address.port() == 0 ? bind.text : bind.address.text();
  }

  /// TLS finds sites that pass and reject, the rest finds those that are plain; within them the first equal
  /// one wins.
  void reachable(Places& patterns, const Site& site, const NamePattern& pattern) {
    std::string key =
        fmt::format("{} {} {}", site.verdict == Verdict::plain, pattern.text(), match_key(site.match));
    auto [first, is_new] = patterns.emplace(key, site.place);
    if (is_new) return;
    error(site.place, fmt::format("this site can never have `{}`, which another site takes", pattern.text()),
          line_of(first->second));
  }

  static std::string match_key(const Match& match) {
    std::string key;
    for (const auto& alpn : match.alpn) key += fmt::format("alpn {}\n", alpn);
    for (const auto& ja4 : match.ja4) key += fmt::format("ja4 {}\n", ja4);
    for (const auto& network : match.clients) key += fmt::format("client {}\n", network.text());
    return key;
  }

  void tlvs(const Site& site) {
    const ProxyTlvs& tlvs = site.proxy_tlvs;
    bool any = tlvs.alpn || tlvs.authority || tlvs.unique_id;
    if (any && site.send_proxy_protocol != SendProxyProtocol::v2) {
      error(site.place, "`proxy_tlvs` needs `send_proxy_protocol: v2`", "no other header can hold them");
    }
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
    if (!site.match.alpn.empty() || !site.match.ja4.empty()) {
      error(site.place, "with `peek: off` the site can match `clients` only");
    }
    if (!listener.no_sni.empty()) error(listener.place, "with `peek: off` there is no use for `no_sni`");
  }

  std::vector<Diagnostic>& diagnostics_;
  Places binds_, listeners_;
};

}  // namespace

void check_rules(const Config& config, std::vector<Diagnostic>& diagnostics) {
  Rules rules(diagnostics);
  for (const Listener& listener : config.listeners) rules.listener(listener);
}

}  // namespace lockgate::config
