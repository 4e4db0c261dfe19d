#include "tls/keyring.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/digest.h"
#include "config/print.h"
#include "tls/certificate.h"
#include "tls/files.h"
#include "tls/self_signed.h"

namespace lockgate::tls {
namespace {

using std::unexpected;

/// A sentence that begins with where its subject stands in the configuration.
std::string at(const config::Place& place, const std::string& sentence) {
  return place.file.empty() ? sentence : fmt::format("{}:{}: {}", place.file, place.line, sentence);
}

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
        if (pattern.kind() != NamePattern::Kind::any && !known) names.push_back(pattern.text());
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

std::string sentence(const config::Certificate& certificate, const std::string& why) {
  return at(certificate.place, fmt::format("certificate `{}`: {}", certificate.name, why));
}

}  // namespace

// The ring that a configuration asks for, in the making. What the old one has already is taken from it.
class Keyring::Making {
 public:
  Making(const Keyring& keyring, const config::Config& config, bool on_trial = false)
      : keyring_(keyring), config_(config), on_trial_(on_trial) {}

  Outcome<Ring> make() {
    for (const auto& certificate : config_.certificates) {
      auto read = identities_of(certificate);
      if (!read) return unexpected(sentence(certificate, read.error()));
      identities_.push_back(std::move(*read));
    }
    for (const auto& listener : config_.listeners) {
      for (const auto& site : listener.sites) {
        if (site.verdict != config::Verdict::terminate) continue;
        auto made = make_site(listener, site);
        if (!made) return unexpected(at(site.place, fmt::format("site `{}`: {}", site.name, made.error())));
      }
    }
    for (const auto& upstream : config_.upstreams) {
      if (std::ranges::none_of(upstream.endpoints, &config::Endpoint::tls)) continue;
      auto made = make_upstream(upstream);
      if (!made)
        return unexpected(at(upstream.place, fmt::format("upstream `{}`: {}", upstream.name, made.error())));
    }
    for (const auto& parent : config_.parents) {
      auto made = make_parent(parent);
      if (!made)
        return unexpected(at(parent.place, fmt::format("parent `{}`: {}", parent.name, made.error())));
    }
    return std::move(next_);
  }

 private:
  Outcome<std::vector<SharedIdentity>> identities_of(const config::Certificate& certificate) {
    std::vector<SharedIdentity> identities;
    if (certificate.self_signed) {
      auto made = on_trial_ ? tried_self_signed(names_for(config_, certificate))
                            : kept_self_signed(config_.state_folder, certificate.name,
                                               names_for(config_, certificate), keyring_.clock_.wall());
      if (!made) return unexpected(made.error());
      identities = std::move(*made);
    } else {
      for (const auto* file :
           {&certificate.chain, &certificate.key, &certificate.pkcs12, &certificate.password_file})
        watch(*file);
      auto read = read_identity(certificate);
      if (!read) return unexpected(read.error());
      identities.push_back(std::move(*read));
    }
    for (const auto& identity : identities) {
      next_.certificates.push_back({certificate.name, identity, certificate.self_signed});
    }
    return identities;
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
    ServerTerms terms{.tls = site.tls, .identities = {}, .tickets = nullptr, .policy = {}};
    for (const auto& choice : site.certificates) {
      for (const auto& identity : identities_[choice.index]) {
        terms.identities.push_back(identity);
        made_of += "\n" + shown(*identity);
      }
    }
    const auto& asked = site.tls.client_certificate;
    terms.policy = fmt::format("{}\n{}\n{}\n{}\n{}", listener.name, site.name, int(asked.ask),
                               content_of(asked.ca_file), content_of(asked.crl_file));
    made_of += "\n" + terms.policy;
    if (site.tls.dh_parameters.starts_with('/')) made_of += watch(site.tls.dh_parameters);
    auto tickets = tickets_for(site.tls.tickets);
    if (!tickets) return unexpected(tickets.error());
    terms.tickets = *tickets;
    if (terms.tickets) made_of += terms.tickets->fingerprint();
    auto sides = use_again_or_make(keyring_.now_.server_sides, next_.server_sides, made_of,
                                   [&](const Library& library) { return ServerSide::make(library, terms); });
    if (!sides) return unexpected(sides.error());
    next_.by_site[&site] = *sides;
    return {};
  }

  Outcome<void> make_upstream(const config::Upstream& upstream) {
    const config::TlsClient& tls = upstream.tls;
    // Two upstreams never share a side: the sessions of one are no use to the other.
    std::string made_of =
        fmt::format("{}\n{}\n{}", upstream.name, config::print(config_, tls), watch(tls.ca_file));
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

  Outcome<void> make_parent(const config::Parent& parent) {
    if (std::ranges::any_of(parent.endpoints, &config::Endpoint::tls)) {
      if (auto made = make_upstream(parent); !made) return made;
    }
    if (parent.credentials_file.empty()) return {};
    watch(parent.credentials_file);
    auto text = read_file(parent.credentials_file);
    if (!text) return unexpected(text.error());
    auto credentials = wire::read_credentials(text->text());
    if (!credentials) return unexpected(fmt::format("{} {}", parent.credentials_file, credentials.error()));
    next_.credentials[&parent] = std::make_shared<const wire::Credentials>(std::move(*credentials));
    return {};
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
    auto [entry, is_new] = next_.files.emplace(path, Stamp{});
    if (is_new) entry->second = stamp_of(path);
    const Stamp& stamp = entry->second;
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
  bool on_trial_;
  Ring next_;
  std::vector<std::vector<SharedIdentity>> identities_;  // as in the configuration
  std::map<std::pair<const Library*, std::string>, OwnedStore> trusts_;
};

Outcome<Keyring::Ring> Keyring::make(const config::Config& config) const {
  return Making(*this, config).make();
}

Outcome<std::vector<InUse>> Keyring::try_out(const config::Config& config) const {
  auto made = Making(*this, config, true).make();
  if (!made) return unexpected(made.error());
  return std::move(made->certificates);
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

Keyring::Stamp Keyring::stamp_of(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return {};
  return {.modified = file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec,
          .size = file.st_size,
          .inode = file.st_ino};
}

}  // namespace lockgate::tls
