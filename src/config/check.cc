#include "config/check.h"

#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "config/rules_http.h"
#include "config/rules_require.h"

namespace lockgate::config {
namespace {

constexpr std::uint64_t kPerConnection = 2;
constexpr std::uint64_t kPerWorker = 100;   // pipes, the reactor, addresses tried side by side
constexpr std::uint64_t kForProcess = 200;  // admin and control connections, logs, resolvers, health checks

/// What is held beside connections.
std::uint64_t descriptors_beside(const Config& config) {
  std::uint64_t workers = worker_count(config);
  std::uint64_t beside = kForProcess + kPerWorker * workers;
  for (const Listener& listener : config.listeners) {
    beside += listener.bind.size() * workers;
    for (const Site& site : listener.sites)
      beside += static_cast<std::uint64_t>(
          std::ranges::count(site.routes, RouteAction::files, &Route::action));  // their folders stay open
  }
  for (const Upstream& upstream : config.upstreams) {
    if (upstream.health.every > Duration::zero()) beside += upstream.endpoints.size();
  }
  return beside;
}

/// A user of this machine with all groups, to ask what the kernel would let it do.
class Account {
 public:
  static std::optional<Account> named(const std::string& name) {
    std::vector<char> room(1 << 16);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) return {};
    Account account;
    account.uid_ = entry.pw_uid;
    int count = 1 << 10;
    account.groups_.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(name.c_str(), entry.pw_gid, account.groups_.data(), &count) < 0) return {};
    account.groups_.resize(static_cast<std::size_t>(count));
    return account;
  }

  bool may_write(const struct stat& file) const { return may(file, S_IWOTH); }
  bool may_read(const struct stat& file) const { return may(file, S_IROTH); }

 private:
  /// What the bit of others stands for, as the kernel would answer for the owner, the group or others.
  bool may(const struct stat& file, mode_t others) const {
    if (uid_ == 0) return true;
    if (file.st_uid == uid_) return file.st_mode & others << 6;
    bool in_group = std::ranges::find(groups_, file.st_gid) != groups_.end();
    return file.st_mode & (in_group ? others << 3 : others);
  }

  uid_t uid_ = 0;
  std::vector<gid_t> groups_;
};

class Checker {
 public:
  explicit Checker(const Config& config)
      : config_(config), top_{config.files.empty() ? "" : config.files.front()} {}

  std::vector<Diagnostic> run() {
    descriptors();
    admin();
    if (!config_.user.empty()) user();
    upstreams();
    log_file(config_.log.to, top_);
    for (const Listener& listener : config_.listeners) {
      trust(listener);
      shadows(listener);
      std::ranges::move(passwords_in_the_open(listener), std::back_inserter(warnings_));
      log_file(listener.access_log.to, listener.place);
      for (const Site& site : listener.sites) {
        std::ranges::move(unreachable_routes(site), std::back_inserter(warnings_));
        std::ranges::move(forms_out_of_reach(site), std::back_inserter(warnings_));
        log_file(site.access_log.to, site.place);
        log_file(target_of(site.tls.key_log), site.place);
      }
    }
    return std::move(warnings_);
  }

 private:
  void warn(const Place& place, std::string message, std::string hint = "") {
    warnings_.push_back({Diagnostic::Severity::warning, place, std::move(message), std::move(hint)});
  }

  void descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    auto needed = descriptors_needed(config_);
    if (limit.rlim_max == RLIM_INFINITY || needed <= limit.rlim_max) return;
    warn(top_,
         fmt::format("{} connections need {} file descriptors, and this process may have {}",
                     config_.limit.connections, needed, limit.rlim_max),
         fmt::format(
             "who cannot raise that serves only {} at once: raise LimitNOFILE, or lower `limits.connections`",
             connections_within(config_, limit.rlim_max)));
  }

  void admin() {
    if (!config_.admin.bind || config_.admin.bind->is_unix() || config_.admin.bind->ip().is_loopback())
      return;
    warn(top_,
         fmt::format("`admin.bind` {} can be reached from other machines, and asks for no password",
                     config_.admin.bind->text()),
         "bind it to 127.0.0.1, or guard it by a firewall");
  }

  void user() {
    account_ = Account::named(config_.user);
    if (!account_) return warn(top_, fmt::format("there is no user `{}` on this machine", config_.user));
    for (const std::string& path : config_.files) {
      may_be_read(path, {path},
                  fmt::format("the user `{}` may not read this file, so a reload will fail", config_.user));
    }
    for (const Certificate& certificate : config_.certificates) {
      for (const auto* path :
           {&certificate.chain, &certificate.key, &certificate.pkcs12, &certificate.password_file}) {
        may_be_read(*path, certificate.place,
                    fmt::format("the user `{}` may not read {}", config_.user, *path));
      }
    }
    for (const Listener& listener : config_.listeners) {
      error_pages(listener.error_pages);
      for (const Site& site : listener.sites) {
        error_pages(site.error_pages);
        for (const Route& route : site.routes) answers(route);
      }
    }
  }

  void error_pages(const std::vector<ErrorPage>& pages) {
    for (const ErrorPage& page : pages) answered_with(page.path, page.place);
  }
  void answers(const Route& route) {
    error_pages(route.error_pages);
    answered_with(route.maintenance.page, route.place);
    answered_with(route.files.folder, route.place);
  }
  void answered_with(const std::string& path, const Place& place) {
    if (!answers_.insert(path).second) return;
    may_be_read(path, place, fmt::format("the user `{}` may not read {}", config_.user, path));
  }

  void may_be_read(const std::string& path, const Place& place, std::string message) {
    struct stat file{};
    if (path.empty() || ::stat(path.c_str(), &file) != 0 || account_->may_read(file)) return;
    warn(place, std::move(message),
         fmt::format("give it to a group of that user: chgrp GROUP {0}; chmod g+r {0}", path));
  }

  void upstreams() {
    std::vector<bool> used(config_.upstreams.size());
    for (const Listener& listener : config_.listeners) {
      for (const Site& site : listener.sites) {
        for (std::uint32_t upstream : upstreams_of(site)) used.at(upstream) = true;
      }
    }
    for (std::size_t i = 0; i < used.size(); ++i) {
      const Upstream& upstream = config_.upstreams[i];
      if (!used[i]) warn(upstream.place, fmt::format("no site uses the upstream `{}`", upstream.name));
      std::set<std::string_view> urls;
      for (const Endpoint& endpoint : upstream.endpoints) {
        if (!urls.insert(endpoint.url).second) {
          warn(endpoint.place, fmt::format("the endpoint {} is given twice", endpoint.url),
               "`weight` gives it a larger share");
        }
        if (used[i]) loops(endpoint);
      }
    }
  }

  void loops(const Endpoint& endpoint) {
    for (const Listener& listener : config_.listeners) {
      for (const Bind& bind : listener.bind) {
        if (!is_ours(endpoint, bind)) continue;
        warn(endpoint.place,
             fmt::format("the endpoint {} is our own listener `{}`", endpoint.url, listener.name),
             "a connection that comes back to us is refused");
        return;
      }
    }
  }

  static bool is_ours(const Endpoint& endpoint, const Bind& bind) {
    if (bind.kind == Bind::Kind::systemd) return false;
    if (endpoint.kind == Endpoint::Kind::unix_path) return endpoint.address == bind.address;
    if (bind.address.is_unix() || endpoint.port != bind.address.port()) return false;
    const Ip& ours = bind.address.ip();
    if (endpoint.kind == Endpoint::Kind::name) {
      return endpoint.name == "localhost" && (ours.is_loopback() || ours.is_unspecified());
    }
    if (endpoint.kind != Endpoint::Kind::address) return false;
    const Ip& theirs = endpoint.address.ip();
    bool same_family = bind.kind == Bind::Kind::both_families || ours.family() == theirs.family();
    if (ours.is_unspecified()) return same_family && (theirs.is_loopback() || theirs.is_unspecified());
    return ours == theirs;
  }

  void trust(const Listener& listener) {
    for (const auto* networks :
         {&listener.accept_proxy_protocol.from, &listener.accept_proxy_protocol.optional_from}) {
      for (const Network& network : *networks) {
        if (network.prefix() > 0) continue;
        warn(listener.place,
             fmt::format("`accept_proxy_protocol` trusts {}: anyone can claim any address", network.text()),
             "name the proxies in front");
      }
    }
  }

  /// Within what finds the same traffic, a site without conditions takes a name from all behind it.
  void shadows(const Listener& listener) {
    std::set<std::string> taken;
    for (const Site& site : listener.sites) {
      for (const NamePattern& pattern : site.names) {
        std::string key = fmt::format("{} {}", site.verdict == Verdict::plain, pattern.text());
        if (taken.contains(key)) {
          warn(site.place,
               fmt::format("this site can never have `{}`: a site before it takes all of it", pattern.text()),
               "put the site with `match` first");
        }
        if (site.match.empty()) taken.insert(std::move(key));
      }
    }
  }

  void log_file(const LogTarget& target, const Place& place) {
    if (target.kind != LogTarget::Kind::file || !log_files_.insert(target.path).second) return;
    struct stat file{};
    bool exists = ::stat(target.path.c_str(), &file) == 0;
    auto folder = std::filesystem::path(target.path).parent_path().string();
    if (!exists && ::stat(folder.c_str(), &file) != 0) {
      warn(place, fmt::format("the log file {} cannot be made: there is no folder {}", target.path, folder));
    } else if (account_ && !account_->may_write(file)) {
      warn(place, fmt::format("the user `{}` may not write {} {}", config_.user,
                              exists ? "the log file" : "in the folder of the log file", target.path));
    }
    bool others_may = exists && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    if (target.secret && others_may) {
      warn(place,
           fmt::format("the key log {} is open to others: they can decrypt what it is for", target.path),
           fmt::format("chmod 600 {}", target.path));
    }
  }

  const Config& config_;
  Place top_;
  std::optional<Account> account_;
  std::set<std::string> log_files_, answers_;
  std::vector<Diagnostic> warnings_;
};

}  // namespace

std::vector<Diagnostic> check(const Config& config) { return Checker(config).run(); }

std::size_t worker_count(const Config& config) {
  return config.workers > 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency());
}

std::uint64_t descriptors_needed(const Config& config) {
  return kPerConnection * config.limit.connections + descriptors_beside(config);
}

std::uint32_t connections_within(const Config& config, std::uint64_t descriptors) {
  std::uint64_t beside = descriptors_beside(config);
  std::uint64_t connections = descriptors > beside ? (descriptors - beside) / kPerConnection : 0;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(connections, 1, UINT32_MAX));
}

}  // namespace lockgate::config
