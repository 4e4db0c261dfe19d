#include "server/process.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "base/owned.h"
#include "config/check.h"
#include "config/log_targets.h"
#include "config/parse.h"
#include "config/words.h"
#include "server/account_commands.h"
#include "server/administration.h"
#include "server/certificate_check.h"
#include "server/commands.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/status.h"
#include "tls/encryption.h"
#include "tls/weaknesses.h"

namespace lockgate::server {

using loop::Task;

namespace {

constexpr Duration kAskWorkers = std::chrono::seconds(2);
constexpr Duration kDrainLook = std::chrono::milliseconds(50);
constexpr Duration kEndLook = std::chrono::milliseconds(5);
constexpr Duration kTidyEvery = std::chrono::seconds(10);
constexpr Duration kLookAtUsersEvery = std::chrono::seconds(2);
constexpr std::uint64_t kManyDescriptors = 1 << 20;  // for a process without a limit of connections

std::vector<Ip> local_addresses() {
  std::vector<Ip> ips;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return ips;
  Owned<ifaddrs, ::freeifaddrs> owned(list);
  for (ifaddrs* one = list; one; one = one->ifa_next) {
    bool inet =
        one->ifa_addr && (one->ifa_addr->sa_family == AF_INET || one->ifa_addr->sa_family == AF_INET6);
    if (!inet) continue;
    socklen_t size = one->ifa_addr->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    ips.push_back(SocketAddress::from_system(one->ifa_addr, size).ip());
  }
  return ips;
}

std::string in_words(const std::vector<config::Diagnostic>& diagnostics) {
  std::vector<std::string> sentences;
  for (const auto& diagnostic : diagnostics) sentences.push_back(config::words(diagnostic));
  return fmt::format("{}", fmt::join(sentences, "; "));
}

bool has_site(const config::Config& config, const std::string& name) {
  return std::ranges::any_of(config.listeners, [&](const config::Listener& listener) {
    return std::ranges::find(listener.sites, name, &config::Site::name) != listener.sites.end();
  });
}

// A text of a request; empty if it has none of that name.
std::string text_of(const nlohmann::json& request, const char* name) {
  auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string sentences(const std::vector<config::Diagnostic>& diagnostics) {
  std::string text;
  for (const auto& diagnostic : diagnostics) {
    if (diagnostic.severity == config::Diagnostic::Severity::error) text += words(diagnostic) + "\n";
  }
  if (!text.empty()) text.pop_back();
  return text;
}

// A handle of the plan whose count one worker alone changes.
std::shared_ptr<const proxy::Plan> handle_of(const std::shared_ptr<const proxy::Plan>& plan) {
  return {plan.get(), [plan](const proxy::Plan*) {}};
}

}  // namespace

Process::Process(config::Config config, ProcessOptions options)
    : options_(std::move(options)),
      config_(std::make_shared<const config::Config>(std::move(config))),
      workers_(config::worker_count(*config_)),
      logs_(clock_, rules_, workers_ + 1),
      journal_(logs_.producer(workers_), rules_, clock_),
      reactor_(clock_),
      connector_(reactor_),
      signals_(reactor_, *this),
      sockets_(std::move(options_.sockets)),
      keyring_(clock_, workers_ + 1),
      guardroom_(workers_, config_->bans.most),
      crew_(reactor_, clock_, logs_, rules_, workers_),
      keeper_(
          reactor_, connector_, journal_,
          [this](const std::shared_ptr<const proxy::Upstream>& upstream,
                 const std::shared_ptr<const proxy::Targets>& targets) {
            crew_.post_all([=](proxy::Worker& worker) { worker.take_targets(*upstream, targets); });
          },
          workers_, [this] { crew_.post_all([](proxy::Worker& worker) { worker.place_freed(); }); }),
      stapler_(reactor_, connector_, journal_,
               [this](const tls::Stapled& stapled, const std::shared_ptr<const tls::Staple>& staple) {
                 crew_.post_all([staples = stapled.staples, staple](proxy::Worker& worker) {
                   *staples[worker.number()] = *staple;
                 });
               }),
      address_keeper_(
          reactor_, connector_, guardroom_.addresses,
          [this](const std::function<void(std::size_t)>& letter) {
            crew_.post_all([letter](proxy::Worker& worker) { letter(worker.number()); });
          },
          [this](config::LogLevel level, std::string_view message) { journal_.tell(level, 0, "", message); }),
      publish_users_([this](const guard::Rosters::Place& place, const auto& users) {
        crew_.post_all([=](proxy::Worker& worker) { place->take(worker.number(), users); });
      }),
      ban_keeper_(reactor_, crew_, journal_, guardroom_.bans),
      registry_(keeper_, keyring_, guardroom_, logs_, workers_,
                [this] { crew_.post_all([](proxy::Worker& worker) { worker.place_freed(); }); }),
      admin_pages_(*this, machine_name()),
      admin_(reactor_, admin_pages_),
      demo_(reactor_, demo_pages_),
      scope_(reactor_) {}

// Whoever has asked for a password to be checked is told on a worker's reactor.
Process::~Process() { guardroom_.passwords.stop(); }

int Process::run() {
  auto started = start();
  if (!started) {
    std::cerr << "lockgate: " << started.error() << "\n";
    return kFailure;
  }
  reactor_.run();
  return kSuccess;
}

Process::Outcome Process::start() {
  started_ = loaded_ = clock_.wall();
  rules_.apply(*config_, logs_.target_for(config_->log.to));  // what is said from here on waits to be written
  if (auto became = become_service(); !became) return became;
  if (auto opened = open_admin(); !opened) return opened;
  logs_.start();
  ban_keeper_.start(*config_);
  if (auto applied = apply(*config_); !applied) return applied;
  for (const auto& warning : check_certificates(*config_, keyring_.certificates(), clock_.wall())) {
    journal_.tell(config::LogLevel::warning, 0, "", words(warning));
  }
  for (const auto& warning : guard::Accounts::check(*config_))
    journal_.tell(config::LogLevel::warning, 0, "", words(warning));
  tls::load_old_ciphers();
  guardroom_.passwords.start();
  if (auto confined = enter_sandbox(config_->bans.nftables.on()); !confined) {
    journal_.at(config::LogLevel::warning, "serving without a sandbox: {}", confined.error());
  }
  crew_.start();
  tell_ready();
  Duration watchdog = notifier_.watchdog_interval();
  if (watchdog > Duration::zero()) scope_.spawn(prove_alive(watchdog));
  scope_.spawn(tidy());
  scope_.spawn(watch_users());
  ban_keeper_.begin();
  journal_.tell(config::LogLevel::info, 0, "",
                fmt::format("serving with {} workers, version {}", workers_, LOCKGATE_VERSION));
  return {};
}

// As root: what only root can do comes first, then we are the service's user, who binds the ports.
Process::Outcome Process::become_service() {
  bool unlimited = config_->limit.connections == 0;
  descriptors_ = raise_descriptor_limit(unlimited ? kManyDescriptors : config::descriptors_needed(*config_));
  if (auto free = check_addresses(*config_); !free) return free;
  return become_user(config_->user, {config_->admin.control_socket}, config::log_targets(*config_),
                     config_->bans.nftables.on());
}

Process::Outcome Process::open_admin() {
  if (config_->admin.bind) {
    auto fd = net::listen(*config_->admin.bind, {.shared_port = false});
    if (!fd) {
      return std::unexpected(
          fmt::format("the admin address {} cannot be bound: {} (set admin.bind, or `bind: off`)",
                      config_->admin.bind->text(), words(fd.error())));
    }
    admin_.open(std::move(*fd));
  }
  if (options_.demo_listening) demo_.open(std::move(options_.demo_listening));
  if (config_->admin.control_socket.empty()) return {};
  auto control = ControlSocket::open(reactor_, config_->admin.control_socket, *this);
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  return {};
}

// Descriptors must never run out, so that whoever operates this process is always let in: no more connections
// are taken at once than there are descriptors for.
void Process::fit_to_descriptors(config::Config& config) {
  std::uint32_t most = config::connections_within(config, descriptors_);
  std::uint32_t wanted = config.limit.connections;
  if (wanted != 0 && wanted <= most) return;
  config.limit.connections = most;
  if (wanted == 0) return;
  journal_.at(
      config::LogLevel::warning,
      "`limits.connections` is {}, but {} descriptors suffice for {} only: no more are served at once; "
      "raise LimitNOFILE= of the service (or `ulimit -n`), or lower the limit",
      wanted, descriptors_, most);
}

// Makes `wanted` the configuration in effect, or changes nothing.
Process::Outcome Process::apply(config::Config wanted) {
  fit_to_descriptors(wanted);
  auto config = std::make_shared<const config::Config>(std::move(wanted));
  for (const auto& target : config::log_targets(*config)) {
    if (auto usable = can_open(target); !usable) return usable;
  }
  auto ring = keyring_.make(*config);
  if (!ring) return std::unexpected(in_words(ring.error()));
  auto shelf = proxy::Shelf::filled_for(*config);
  if (!shelf) return std::unexpected(in_words(shelf.error()));
  auto addresses = guard::AddressSources::of(*config);
  if (!addresses) return std::unexpected(in_words(addresses.error()));
  auto rosters = guard::Rosters::read(*config);
  if (!rosters) return std::unexpected(in_words(rosters.error()));
  auto change = sockets_.change_to(*config, workers_);
  if (!change) return std::unexpected(change.error());
  keyring_.use(std::move(*ring));
  registry_.use(std::move(*shelf));
  address_keeper_.use(std::move(*addresses));
  guardroom_.rosters.use(std::move(*rosters), publish_users_);
  gone_.insert(gone_.end(), change->gone.begin(), change->gone.end());
  put_into_effect(std::move(config), change->open);
  address_keeper_.watch(address_keeper_.wants_resolver() ? keeper_.resolver(config_->name_servers) : nullptr);
  return {};
}

// With the keyring as it is now.
void Process::put_into_effect(std::shared_ptr<const config::Config> config,
                              const std::vector<ListeningSockets::Socket>& open) {
  registry_.begin_plan(*config);
  auto plan = proxy::compile(config, {sockets_.addresses(), local_addresses()}, registry_);
  send_plan(plan, open);
  ban_keeper_.take_plan(plan);
  config_ = std::move(config);
  plans_.push_back(plan);
  keeper_.keep_only(plan->upstreams);
  keeper_.take_plan(*plan, workers_);
  staple();
}

// Whoever has no certificate with a responder is spared the resolver.
void Process::staple() {
  const auto& stapled = keyring_.stapled();
  stapler_.take(stapled, stapled.empty() ? nullptr : keeper_.resolver(config_->name_servers));
}

// Old connections keep their plan, and with it logs and gates, for as long as they last.
Task<void> Process::tidy() {
  for (;;) {
    loop::Sleep pause(reactor_, reactor_.now() + kTidyEvery);
    co_await pause;
    forget_unused();
    if (!reloading_ && !draining_ && keyring_.is_outdated()) renew_keyring();
  }
}

// Files of users that have changed take effect without a reload.
Task<void> Process::watch_users() {
  for (;;) {
    loop::Sleep pause(reactor_, reactor_.now() + kLookAtUsersEvery);
    co_await pause;
    for (const auto& news : guardroom_.rosters.look_again(publish_users_))
      journal_.at(news.good ? config::LogLevel::info : config::LogLevel::error, "{}", news.sentence);
  }
}

// Certificates that were renewed take effect without a reload; those that cannot be read leave the old ones
// in use.
void Process::renew_keyring() {
  auto unusable = keyring_.renew(*config_);
  put_into_effect(config_, sockets_.sockets());
  std::string why = in_words(unusable);
  if (unusable.empty())
    journal_.at(config::LogLevel::info, "certificates, keys and tickets are as their files are now");
  else if (why != not_renewed_)
    journal_.at(config::LogLevel::error,
                "a file has changed and cannot be used, the old one stays in use: {}", why);
  not_renewed_ = std::move(why);
}

void Process::forget_unused() {
  std::vector<std::uint16_t> used{logs_.target_for(config_->log.to)};
  std::erase_if(plans_, [](const auto& plan) { return plan.expired(); });
  for (const auto& old : plans_) {
    auto plan = old.lock();
    if (!plan) continue;
    for (const auto& target : config::log_targets(*plan->config)) used.push_back(logs_.target_for(target));
  }
  logs_.close_unused(used);
  registry_.forget_unused();
}

void Process::send_plan(const std::shared_ptr<const proxy::Plan>& plan,
                        const std::vector<ListeningSockets::Socket>& open) {
  std::vector<std::shared_ptr<const proxy::Targets>> known;
  for (const auto& upstream : plan->upstreams) known.push_back(keeper_.targets(*upstream));
  crew_.post_all([plan, known, open](proxy::Worker& worker) {
    worker.take_plan(handle_of(plan), known);
    for (const auto& socket : open) {
      if (!socket.shared && socket.worker != worker.number()) continue;
      worker.open(socket.fd, socket.shared, socket.address, socket.listener);
    }
  });
}

// Each worker takes what waits in the backlogs; then the sockets that have gone are closed.
Task<void> Process::close_gone() {
  auto gone = std::exchange(gone_, {});
  auto closing = crew_.ask_all(
      [gone](proxy::Worker& worker) {
        for (const auto& socket : gone) worker.close(socket.fd);
      },
      kNever);
  bool closed = co_await closing;
  CHECK(closed);
  sockets_.close(gone);
}

// One reload after the other: the next one may want an address that this one gives up.
Task<Process::Outcome> Process::reload() {
  while (reloading_) {
    loop::Wait wait(reactor_, reload_over_, kNever);
    co_await wait;
  }
  reloading_ = true;
  Outcome outcome = read_again();
  auto closing = close_gone();
  co_await closing;
  reloading_ = false;
  reload_over_.wake();
  co_return outcome;
}

Task<void> Process::reload_on_signal() {
  auto reloading = reload();
  Outcome outcome = co_await reloading;
  (void)outcome;  // it is in the error log
}

Process::Outcome Process::read_again() {
  if (draining_) return not_reloaded("this process is draining");
  if (options_.config_path.empty()) {
    return not_reloaded("this process was started from flags, without a file");
  }
  (void)notifier_.reloading(reactor_.now());
  auto parsed = config::parse_file(options_.config_path);
  Outcome outcome = parsed.config ? Outcome{} : std::unexpected(sentences(parsed.diagnostics));
  if (outcome) {
    warn_of_restart_only(*parsed.config);
    outcome = apply(std::move(*parsed.config));
  }
  if (outcome) {
    rules_.apply(*config_, logs_.target_for(config_->log.to));
    ++reloads_ok_;
    loaded_ = clock_.wall();
    journal_.at(config::LogLevel::info, "reloaded {}", options_.config_path);
  } else {
    outcome = not_reloaded(outcome.error());
  }
  tell_ready();
  return outcome;
}

Process::Outcome Process::not_reloaded(const std::string& why) {
  ++reloads_failed_;
  journal_.at(config::LogLevel::error, "reload failed, the old configuration stays in use: {}", why);
  return std::unexpected(why);
}

void Process::tell_ready() {
  auto told = notifier_.ready(fmt::format("serving {} listeners", config_->listeners.size()));
  if (!told) journal_.at(config::LogLevel::warning, "systemd was not told: {}", words(told.error()));
}

void Process::warn_of_restart_only(const config::Config& next) {
  auto warn = [&](bool same, const char* key) {
    if (!same)
      journal_.at(config::LogLevel::warning, "`{}` has changed; that takes effect at the next start", key);
  };
  warn(next.workers == config_->workers, "workers");
  warn(next.user == config_->user, "user");
  warn(next.bans.most == config_->bans.most, "bans.most");
  warn(next.bans.state == config_->bans.state, "bans.state");
  warn(next.bans.nftables == config_->bans.nftables, "bans.nftables");
  warn(next.admin.bind == config_->admin.bind, "admin.bind");
  warn(next.admin.control_socket == config_->admin.control_socket, "admin.control_socket");
}

void Process::begin_drain() {
  if (draining_) return scope_.spawn(end());
  draining_ = true;  // from now on the health address says so
  scope_.spawn(drain());
}

// Cuts what is left, leaves it time for its lines in the log, and stops.
Task<void> Process::end() {
  std::size_t left = crew_.connections();
  Instant deadline = reactor_.now() + kAskWorkers;
  auto cutting = crew_.ask_all(
      [](proxy::Worker& worker) {
        worker.close_all();
        worker.cut_all(Errc::shutting_down, "draining");
      },
      deadline);
  co_await cutting;
  while (crew_.connections() > 0 && reactor_.now() < deadline) {
    loop::Sleep look_again(reactor_, reactor_.now() + kEndLook);
    co_await look_again;
  }
  ban_keeper_.save();
  journal_.at(config::LogLevel::info, "ended; {} connections were cut", left);
  reactor_.stop();
}

Task<void> Process::drain() {
  (void)notifier_.stopping("draining");
  const config::Drain& times = config_->drain;
  journal_.at(config::LogLevel::info, "draining: {} connections have {} s to end", crew_.connections(),
              std::chrono::duration<double>(times.delay + times.deadline).count());
  loop::Sleep announced(reactor_, reactor_.now() + times.delay);
  co_await announced;
  Instant deadline = reactor_.now() + times.deadline;
  auto closing = crew_.ask_all(
      [](proxy::Worker& worker) {
        worker.close_all();
        worker.close_soon();
      },
      deadline);
  co_await closing;
  sockets_.close_all();
  while (crew_.connections() > 0 && reactor_.now() < deadline) {
    loop::Sleep look_again(reactor_, reactor_.now() + kDrainLook);
    co_await look_again;
  }
  auto ending = end();
  co_await ending;
}

// The watchdog is fed only while all workers answer.
Task<void> Process::prove_alive(Duration every) {
  for (;;) {
    auto asking = crew_.ask_all([](proxy::Worker&) {}, reactor_.now() + every);
    bool alive = co_await asking;
    if (alive) (void)notifier_.alive();
    loop::Sleep pause(reactor_, reactor_.now() + every);
    co_await pause;
  }
}

void Process::signalled(int number) {
  switch (number) {
    case SIGHUP:
      scope_.spawn(reload_on_signal());
      break;
    case SIGUSR1:
      logs_.reopen();
      break;
    default:
      begin_drain();
      break;
  }
}

Task<Overview> Process::overview() {
  Overview overview{.version = LOCKGATE_VERSION,
                    .draining = draining_,
                    .now = clock_.wall(),
                    .started = started_,
                    .loaded = loaded_,
                    .config_files = config_->files,
                    .reloads_ok = reloads_ok_,
                    .reloads_failed = reloads_failed_,
                    .log_lines_dropped = logs_.lines_dropped().total(),
                    .workers = workers_,
                    .process = {.inside = static_cast<std::uint32_t>(crew_.connections()),
                                .limit = config_->limit.connections},
                    .upstreams = overview_of(keeper_, reactor_.now()),
                    .tallies = registry_.tallies(),
                    .requests = registry_.request_tallies(),
                    .rates = guardroom_.rates.tallies()};
  const guard::Bans& bans = guardroom_.bans;
  overview.bans = {bans.size(), bans.networks_banned(), bans.displaced(), bans.totals()};
  auto viewing = crew_.view(reactor_.now() + kAskWorkers);
  CrewView view = co_await viewing;
  overview.stages = view.stages;
  for (const auto& listener : config_->listeners) {
    ListenerOverview one{.name = listener.name,
                         .connections = view.by_listener[listener.name],
                         .waiting = view.waiting[listener.name]};
    for (const auto& address : sockets_.addresses_of(listener.name)) one.addresses.push_back(address.text());
    overview.listeners.push_back(std::move(one));
  }
  for (const auto& certificate : keyring_.certificates()) {
    const tls::Identity& identity = *certificate.identity;
    overview.certificates.push_back({certificate.name, identity.subject, identity.serial, identity.not_after,
                                     tls::days_left(identity, overview.now),
                                     stapler_.has_answer(identity.fingerprint)});
  }
  co_return overview;
}

Task<nlohmann::json> Process::handle(nlohmann::json request, std::string asker) {
  std::string command = request["command"];
  if (command == "reload") {
    auto reloading = reload();
    Outcome outcome = co_await reloading;
    co_return nlohmann::json{{"ok", outcome.has_value()},
                             {"message", outcome ? "reloaded" : outcome.error()}};
  }
  if (command == "status") {
    auto asking = overview();
    Overview now = co_await asking;
    co_return nlohmann::json{{"ok", true}, {"message", status_text(now)}, {"status", status_json(now)}};
  }
  if (command == "drain") {
    if (!draining_) begin_drain();  // asking again does not end it at once, as a second signal does
    co_return nlohmann::json{{"ok", true}, {"message", "draining"}};
  }
  if (command == "log") co_return set_log_level(request);
  if (command == "ban" || command == "unban" || command == "bans")
    co_return ban_keeper_.obey(command, request, asker);
  if (command == "accounts") co_return decide_accounts(request, asker);
  if (command == "endpoint") co_return administer(request, asker);
  co_return nlohmann::json{{"ok", false}, {"message", fmt::format("there is no command \"{}\"", command)}};
}

nlohmann::json Process::decide_accounts(const nlohmann::json& request, const std::string& asker) {
  nlohmann::json answer = obey_about_accounts(guardroom_.accounts, *config_, request);
  if (answer["ok"] && text_of(request, "action") != "list")
    journal_.at(config::LogLevel::info, "{}, as {} has asked", answer["message"].get<std::string>(), asker);
  return answer;
}

// What waits in the workers' pools for an endpoint that takes nothing new is closed.
nlohmann::json Process::administer(const nlohmann::json& request, const std::string& asker) {
  AdministrationRequest asked{.action = text_of(request, "action"),
                              .upstream = text_of(request, "upstream"),
                              .endpoint = text_of(request, "endpoint")};
  auto answer = administer_endpoint(keeper_, asked, reactor_.now());
  if (answer.changed) {
    journal_.at(config::LogLevel::info, "endpoint {} of upstream {} is {}, as {} has asked", asked.endpoint,
                asked.upstream, name_of(answer.endpoint->administration()), asker);
    if (!answer.endpoint->takes_new()) {
      crew_.post_all([endpoint = answer.endpoint](proxy::Worker& worker) { worker.drop_idle(*endpoint); });
    }
  }
  return answer.json;
}

nlohmann::json Process::set_log_level(const nlohmann::json& request) {
  auto level = config::from_word<config::LogLevel>(text_of(request, "level"));
  if (!level) return {{"ok", false}, {"message", "the level is one of error, warning, info, debug"}};
  std::string site = text_of(request, "site");
  if (!site.empty() && !has_site(*config_, site)) {
    return {{"ok", false}, {"message", fmt::format("there is no site \"{}\"", site)}};
  }
  if (site.empty()) {
    rules_.set_level(*level);
  } else {
    rules_.set_site_level(site, level);
  }
  return {{"ok", true}, {"message", "set until the next reload or start"}};
}

}  // namespace lockgate::server
