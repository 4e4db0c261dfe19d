#include "tls/keyring.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/digest.h"
#include "config/print.h"
#include "tls/certificate.h"
#include "tls/files.h"
#include "tls/self_signed.h"

namespace lockgate::tls {
namespace {

using std::unexpected;

/// The first line of a file.
Outcome<Secret> password_in(const std::string& path) {
  auto text = read_file(path);
  if (!text) return unexpected(text.error());
  text->cut(text->text().find_first_of("\r\n"));
  return text;
}

/// Of systemd's credentials (systemd.exec(5), LoadCredential=).
std::string credential_path(const std::string& name) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  return fmt::format("{}/{}", folder ? folder : "/run/credentials", name);
}

Outcome<Secret> password_of(const config::Certificate& certificate) {
  if (!certificate.password_file.empty()) return password_in(certificate.password_file);
  if (!certificate.password_credential.empty())
    return password_in(credential_path(certificate.password_credential));
  if (certificate.password_environment.empty()) return Secret();
  const char* value = std::getenv(certificate.password_environment.c_str());
  if (value) return Secret(std::string_view(value));
  return unexpected(
      fmt::format("there is no environment variable {} with the password", certificate.password_environment));
}

/// The names for which a certificate without names of its own is made: those of the sites that show it.
std::vector<std::string> names_for(const config::Config& config, const config::Certificate& certificate) {
  if (!certificate.names.empty()) return certificate.names;
  std::vector<std::string> names;
  auto shows = [&](const config::CertificateChoice& choice) {
    return &config.certificates[choice.index] == &certificate;
  };
  for (const auto& listener : config.listeners) {
    for (const auto& site : listener.sites) {
      if (std::ranges::none_of(site.certificates, shows)) continue;
      for (const NamePattern& pattern : site.names) {
        bool known = std::ranges::find(names, pattern.text()) != names.end();
        if (pattern.is_name() && !known) names.push_back(pattern.text());
      }
    }
  }
  if (names.empty()) names.emplace_back("localhost");
  return names;
}

/// The identities of one that stands in files.
FoundIdentity read_identity(const config::Certificate& certificate) {
  auto password = password_of(certificate);
  if (!password) return unexpected(password.error());
  if (!certificate.pkcs12.empty()) return read_pkcs12(certificate.pkcs12, password->text());
  return read_pem({certificate.chain, certificate.key}, password->text());
}

/// All that is shown of an identity: two of the same text are the same. The key is that of the certificate.
std::string shown(const Identity& identity) {
  std::string text = identity.fingerprint;
  for (const auto& issuer : identity.chain) text += " " + fingerprint_of(issuer.get());
  return text;
}

/// What `user` has of the old sides stays in use.
template <class User, class Sides>
void keep(const User& user, const std::map<User, const Sides*>& by_old,
          const std::map<std::string, Sides>& old, std::map<User, const Sides*>& by_next,
          std::map<std::string, Sides>& next) {
  auto found = by_old.find(user);
  if (found == by_old.end()) return;
  auto kept = std::ranges::find_if(old, [&](const auto& one) { return &one.second == found->second; });
  by_next[user] = &next.insert(*kept).first->second;
}

}  // namespace

// The ring that a configuration asks for, in the making. What the old one has already is taken from it.
class Keyring::Making {
 public:
  enum class Purpose : std::uint8_t { use, trial, renewal };
  Making(const Keyring& keyring, const config::Config& config, Purpose purpose)
      : keyring_(keyring), config_(config), purpose_(purpose) {}

  Ring make() {
    for (const auto& certificate : config_.certificates) identities_.push_back(identities_for(certificate));
    for (const auto& listener : config_.listeners) {
      for (const auto& site : listener.sites) {
        if (site.verdict == config::Verdict::terminate) site_or_as_it_was(listener, site);
      }
    }
    for (const auto& upstream : config_.upstreams) {
      if (std::ranges::any_of(upstream.endpoints, &config::Endpoint::tls))
        upstream_or_as_it_was(upstream, "upstream");
    }
    for (const auto& parent : config_.parents) {
      if (std::ranges::any_of(parent.endpoints, &config::Endpoint::tls))
        upstream_or_as_it_was(parent, "parent");
      credentials_or_as_they_were(parent);
    }
    return std::move(next_);
  }

 private:
  void cannot_use(const config::Place& place, const char* what, const std::string& name,
                  const std::string& why) {
    next_.unusable.push_back({.place = place, .message = fmt::format("{} `{}`: {}", what, name, why)});
  }
  /// The old ring was made for this very configuration.
  bool renews() const { return purpose_ == Purpose::renewal; }

  std::vector<SharedIdentity> identities_for(const config::Certificate& certificate) {
    std::vector<SharedIdentity> identities;
    if (auto read = identities_of(certificate)) {
      identities = std::move(*read);
    } else {
      cannot_use(certificate.place, "certificate", certificate.name, read.error());
      for (const InUse& old : keyring_.now_.certificates) {
        if (renews() && old.name == certificate.name) identities.push_back(old.identity);
      }
    }
    for (const auto& identity : identities)
      next_.certificates.push_back({certificate.name, identity, certificate.self_signed});
    return identities;
  }

  void site_or_as_it_was(const config::Listener& listener, const config::Site& site) {
    auto is_missing = [&](const config::CertificateChoice& choice) {
      return identities_[choice.index].empty();
    };
    if (std::ranges::any_of(site.certificates, is_missing)) return;  // which was told
    auto made = make_site(listener, site);
    if (made) return;
    cannot_use(site.place, "site", site.name, made.error());
    const Ring& old = keyring_.now_;
    if (renews()) keep(&site, old.by_site, old.server_sides, next_.by_site, next_.server_sides);
  }

  void upstream_or_as_it_was(const config::Upstream& upstream, const char* what) {
    const config::CertificateChoice& shown = upstream.tls.certificate;
    if (shown.given() && identities_[shown.index].empty()) return;  // which was told
    auto made = make_upstream(upstream);
    if (made) return;
    cannot_use(upstream.place, what, upstream.name, made.error());
    const Ring& old = keyring_.now_;
    if (renews()) keep(&upstream, old.by_upstream, old.client_sides, next_.by_upstream, next_.client_sides);
  }

  void credentials_or_as_they_were(const config::Parent& parent) {
    if (parent.credentials_file.empty()) return;
    auto read = read_credentials(parent.credentials_file);
    if (read) {
      next_.credentials[&parent] = std::move(*read);
      return;
    }
    cannot_use(parent.place, "parent", parent.name, read.error());
    auto old = keyring_.now_.credentials.find(&parent);
    if (renews() && old != keyring_.now_.credentials.end()) next_.credentials.insert(*old);
  }

  Outcome<std::vector<SharedIdentity>> identities_of(const config::Certificate& certificate) {
    if (certificate.self_signed) {
      auto names = names_for(config_, certificate);
      if (purpose_ == Purpose::trial) return tried_self_signed(names);
      return kept_self_signed(config_.state_folder, certificate.name, names, keyring_.clock_.wall());
    }
    for (const auto* file :
         {&certificate.chain, &certificate.key, &certificate.pkcs12, &certificate.password_file})
      watch(*file);
    auto read = read_identity(certificate);
    if (!read) return unexpected(read.error());
    return std::vector{std::move(*read)};
  }

  Outcome<std::vector<SharedIdentity>> tried_self_signed(const std::vector<std::string>& names) const {
    auto made = self_signed(names, KeyKind::ecdsa, keyring_.clock_.wall());
    if (!made) return unexpected(made.error());
    auto identity = parse_pem(in_one(*made).text(), "", "", {"a self-signed certificate", ""});
    if (!identity) return unexpected(identity.error());
    return std::vector{*identity};
  }

  Outcome<void> make_site(const config::Listener& listener, const config::Site& site) {
    std::string made_of = config::print(config_, site.tls);
    ServerTerms terms{
        .tls = site.tls, .identities = {}, .tickets = nullptr, .policy = {}, .clock = keyring_.clock_};
    for (const auto& choice : site.certificates) {
      for (const auto& identity : identities_[choice.index]) {
        terms.identities.push_back(identity);
        made_of += "\n" + shown(*identity);
        if (site.tls.ocsp_stapling) staple(config_.certificates[choice.index].name, identity);
      }
    }
    const auto& asked = site.tls.client_certificate;
    terms.policy = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", listener.name, site.name, int(asked.ask),
                               asked.depth, content_of(asked.ca_file), content_of(asked.crl_file));
    // A session that is resumed has the client's own certificate, and no longer what that was verified by.
    terms.resumes = std::ranges::none_of(site.routes, [](const config::Route& route) {
      return route.forwarding.client_fields.client_certificate_chain;
    });
    made_of += fmt::format("\n{}\n{}", terms.policy, terms.resumes);
    if (site.tls.dh_parameters.starts_with('/')) made_of += watch(site.tls.dh_parameters);
    auto tickets = tickets_for(site.tls.tickets);
    if (!tickets) return unexpected(tickets.error());
    terms.tickets = *tickets;
    if (terms.tickets) made_of += terms.tickets->fingerprint();
    auto sides = use_again_or_make(keyring_.now_.server_sides, next_.server_sides, made_of,
                                   [&](const Library& library) {
                                     terms.staples = staples_of(terms.identities, library);
                                     return ServerSide::make(library, terms);
                                   });
    if (!sides) return unexpected(sides.error());
    next_.by_site[&site] = *sides;
    return {};
  }

  /// Notes that the issuer of a certificate is to be asked, if that can be done.
  void staple(const std::string& name, const SharedIdentity& identity) {
    if (next_.stapled.contains(identity->fingerprint) || !issuer_in_chain(*identity)) return;
    auto responder = responder_of(identity->certificate.get());
    if (!responder) return;
    Stapled stapled{.name = name, .identity = identity, .responder = *responder, .staples = {}};
    auto old = keyring_.now_.stapled.find(identity->fingerprint);
    if (old != keyring_.now_.stapled.end()) stapled.staples = old->second.staples;
    while (stapled.staples.size() < keyring_.libraries_.size())
      stapled.staples.push_back(std::make_shared<Staple>());
    next_.stapled.emplace(identity->fingerprint, std::move(stapled));
  }

  /// Where the thread with that library finds the answers of some certificates' issuers.
  std::map<std::string, std::shared_ptr<const Staple>> staples_of(
      const std::vector<SharedIdentity>& identities, const Library& library) {
    auto thread = static_cast<std::size_t>(&library - keyring_.libraries_.data());
    std::map<std::string, std::shared_ptr<const Staple>> staples;
    for (const auto& identity : identities) {
      auto found = next_.stapled.find(identity->fingerprint);
      if (found != next_.stapled.end()) staples[identity->fingerprint] = found->second.staples[thread];
    }
    return staples;
  }

  Outcome<void> make_upstream(const config::Upstream& upstream) {
    const config::TlsClient& tls = upstream.tls;
    // Two upstreams never share a side: the sessions of one are no use to the other.
    std::string trusted = tls.verify == config::Verify::off ? "" : watch(trust_path(tls.ca_file));
    std::string made_of = fmt::format("{}\n{}\n{}", upstream.name, config::print(config_, tls), trusted);
    SharedIdentity identity;
    if (tls.certificate.given()) {
      identity = identities_[tls.certificate.index].front();
      made_of += shown(*identity);
    }
    auto sides = use_again_or_make(keyring_.now_.client_sides, next_.client_sides, made_of,
                                   [&](const Library& library) -> Outcome<std::shared_ptr<ClientSide>> {
                                     x509_store_st* trust = nullptr;
                                     if (tls.verify != config::Verify::off) {
                                       auto read = trust_of(library, tls.ca_file);
                                       if (!read) return unexpected(read.error());
                                       trust = *read;
                                     }
                                     return ClientSide::make(library, tls, identity, trust);
                                   });
    if (!sides) return unexpected(sides.error());
    next_.by_upstream[&upstream] = *sides;
    return {};
  }

  Outcome<std::shared_ptr<const wire::Credentials>> read_credentials(const std::string& path) {
    watch(path);
    auto text = read_file(path);
    if (!text) return unexpected(text.error());
    auto credentials = wire::read_credentials(text->text());
    if (!credentials) return unexpected(fmt::format("{} {}", path, credentials.error()));
    return std::make_shared<const wire::Credentials>(std::move(*credentials));
  }

  /// Sides for all threads, made of the same: those there are already, or new ones.
  template <class Sides, class Make>
  Outcome<const Sides*> use_again_or_make(const std::map<std::string, Sides>& old,
                                          std::map<std::string, Sides>& next, const std::string& made_of,
                                          Make make) {
    if (auto known = next.find(made_of); known != next.end()) return &known->second;
    if (auto known = old.find(made_of); known != old.end())
      return &next.emplace(made_of, known->second).first->second;
    Sides sides;
    for (const Library& library : keyring_.libraries_) {
      auto side = make(library);
      if (!side) return unexpected(side.error());
      sides.push_back(std::move(*side));
    }
    return &next.emplace(made_of, std::move(sides)).first->second;
  }

  /// A bundle of trusted certificates is read once for each thread.
  Outcome<x509_store_st*> trust_of(const Library& library, const std::string& ca_file) {
    auto& store = trusts_[{&library, ca_file}];
    if (!store) {
      auto read = read_trust(library, ca_file);
      if (!read) return unexpected(read.error());
      store = std::move(*read);
    }
    return store.get();
  }

  Outcome<std::shared_ptr<const TicketKeys>> tickets_for(const config::Tickets& tickets) {
    if (!tickets.enabled) return nullptr;
    if (!tickets.key_file.empty()) {
      watch(tickets.key_file);
      return TicketKeys::read(tickets.key_file);
    }
    auto& next = next_.tickets[tickets.lifetime];
    if (next.keys) return next.keys;
    auto old = keyring_.now_.tickets.find(tickets.lifetime);
    bool known = old != keyring_.now_.tickets.end();
    Instant now = keyring_.clock_.now();
    if (known && now - old->second.made < tickets.lifetime)
      next = old->second;
    else
      next = {TicketKeys::fresh(known ? old->second.keys.get() : nullptr), now};
    return next.keys;
  }

  /// Notes what a file is before it is read; as text. An empty path stands for none.
  std::string watch(const std::string& path) {
    if (path.empty()) return "";
    auto [entry, is_new] = next_.files.emplace(path, FileStamp{});
    if (is_new) entry->second = stamp_of(path);
    const FileStamp& stamp = entry->second;
    return fmt::format("{} {} {} {}", path, stamp.modified, stamp.size, stamp.inode);
  }

  /// Of what is in a file, which is the same on machines that share ticket keys. Whoever needs the file tells
  /// if it cannot be read.
  std::string content_of(const std::string& path) {
    if (path.empty()) return "";
    std::string stamp = watch(path);
    auto text = read_file(path);
    return text ? hex(sha256(as_bytes(text->text()))) : stamp;
  }

  const Keyring& keyring_;
  const config::Config& config_;
  Purpose purpose_;
  Ring next_;
  std::vector<std::vector<SharedIdentity>> identities_;  // as in the configuration
  std::map<std::pair<const Library*, std::string>, OwnedStore> trusts_;
};

std::expected<Keyring::Ring, Keyring::Diagnostics> Keyring::make(const config::Config& config) const {
  Ring ring = Making(*this, config, Making::Purpose::use).make();
  if (!ring.unusable.empty()) return unexpected(std::move(ring.unusable));
  return ring;
}

std::expected<std::vector<InUse>, Keyring::Diagnostics> Keyring::try_out(const config::Config& config) const {
  Ring ring = Making(*this, config, Making::Purpose::trial).make();
  if (!ring.unusable.empty()) return unexpected(std::move(ring.unusable));
  return std::move(ring.certificates);
}

Keyring::Diagnostics Keyring::renew(const config::Config& config) {
  now_ = Making(*this, config, Making::Purpose::renewal).make();
  return std::exchange(now_.unusable, {});
}

bool Keyring::is_outdated() const {
  bool changed =
      std::ranges::any_of(now_.files, [](const auto& file) { return stamp_of(file.first) != file.second; });
  auto due = [now = clock_.wall()](const InUse& one) { return one.made_here && is_due(*one.identity, now); };
  return changed || std::ranges::any_of(now_.certificates, due) ||
         std::ranges::any_of(now_.tickets, [&](const auto& tickets) {
           return clock_.now() - tickets.second.made >= tickets.first;
         });
}

ServerSides Keyring::server_sides(const config::Site& site) const {
  auto found = now_.by_site.find(&site);
  return found == now_.by_site.end() ? ServerSides() : *found->second;
}

ClientSides Keyring::client_sides(const config::Upstream& upstream) const {
  auto found = now_.by_upstream.find(&upstream);
  return found == now_.by_upstream.end() ? ClientSides() : *found->second;
}

std::shared_ptr<const wire::Credentials> Keyring::credentials(const config::Parent& parent) const {
  auto found = now_.credentials.find(&parent);
  return found == now_.credentials.end() ? nullptr : found->second;
}

}  // namespace lockgate::tls
