#include "server/commands.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "config/check.h"
#include "config/parse.h"
#include "config/print.h"
#include "config/reference.h"
#include "config/values.h"
#include "guard/address_sources.h"
#include "guard/rosters.h"
#include "proxy/shelf.h"
#include "server/certificate_check.h"
#include "server/control.h"
#include "server/process.h"
#include "server/signals.h"
#include "tls/keyring.h"

namespace lockgate::server {
namespace {

constexpr Duration kAskFor = std::chrono::seconds(10);

nlohmann::json as_json(const std::vector<config::Diagnostic>& diagnostics) {
  auto list = nlohmann::json::array();
  for (const auto& diagnostic : diagnostics) {
    bool error = diagnostic.severity == config::Diagnostic::Severity::error;
    list.push_back({{"severity", error ? "error" : "warning"},
                    {"file", diagnostic.place.file},
                    {"line", diagnostic.place.line},
                    {"column", diagnostic.place.column},
                    {"message", diagnostic.message},
                    {"hint", diagnostic.hint}});
  }
  return list;
}

// Empty if the configuration has none.
std::string socket_of(const AskFlags& flags) {
  return flags.socket.empty() ? config::parse_file(flags.config_path).control_socket : flags.socket;
}

// Prints an answer's message to stdout, or its data as JSON.
int print_answer(const nlohmann::json& answer, bool json, const char* data) {
  bool ok = answer.value("ok", false);
  if (json) {
    std::cout << (answer.contains(data) ? answer[data] : answer).dump(2) << "\n";
  } else {
    std::string message = answer.value("message", "");
    if (!message.ends_with('\n')) message += "\n";
    (ok ? std::cout : std::cerr) << message;
  }
  return ok ? kSuccess : kFailure;
}

int fail_without_socket() {
  return fail("the configuration has no control socket: give --socket", kBadConfig);
}

int ask_process(const AskFlags& flags, const nlohmann::json& request, const char* data) {
  std::string socket = socket_of(flags);
  if (socket.empty()) return fail_without_socket();
  auto answer = ask(socket, request, kAskFor);
  if (!answer) return fail(answer.error());
  return print_answer(*answer, flags.json, data);
}

bool is_error(const config::Diagnostic& diagnostic) {
  return diagnostic.severity == config::Diagnostic::Severity::error;
}

/// Foot-guns, and what is wrong with TLS: an error if a file, a certificate or a cipher cannot be used.
std::vector<config::Diagnostic> findings(const config::Config& config) {
  SystemClock clock;
  auto found = config::check(config);
  auto certificates = tls::Keyring(clock, 1).try_out(config);
  if (!certificates) {
    found.insert(found.end(), certificates.error().begin(), certificates.error().end());
    return found;
  }
  if (auto shelf = proxy::Shelf::filled_for(config); !shelf)
    found.insert(found.end(), shelf.error().begin(), shelf.error().end());
  if (auto addresses = guard::AddressSources::of(config); !addresses)
    found.insert(found.end(), addresses.error().begin(), addresses.error().end());
  auto rosters = guard::Rosters::read(config);
  auto of_users = rosters ? guard::Rosters::check(config, *rosters) : std::move(rosters.error());
  found.insert(found.end(), of_users.begin(), of_users.end());
  auto of_accounts = guard::Accounts::check(config);
  found.insert(found.end(), of_accounts.begin(), of_accounts.end());
  auto warnings = check_certificates(config, *certificates, clock.wall());
  found.insert(found.end(), warnings.begin(), warnings.end());
  return found;
}

}  // namespace

int fail(const std::string& sentence, int status) {
  std::cerr << "lockgate: " << sentence << "\n";
  return status;
}

void tell(const std::vector<config::Diagnostic>& diagnostics) {
  for (const auto& diagnostic : diagnostics) std::cerr << words(diagnostic) << "\n";
}

int run_command(const std::string& config_path) {
  auto parsed = config::parse_file(config_path);
  tell(parsed.diagnostics);
  if (!parsed.config) return kBadConfig;
  tell(config::check(*parsed.config));
  block_signals();
  auto sockets = take_activated_sockets();
  if (!sockets) return fail(sockets.error());
  Process process(std::move(*parsed.config), {.config_path = config_path, .sockets = std::move(*sockets)});
  return process.run();
}

int check_command(const std::string& config_path, bool print, bool json) {
  auto parsed = config::parse_file(config_path);
  auto diagnostics = parsed.diagnostics;
  if (parsed.config) {
    auto found = findings(*parsed.config);
    diagnostics.insert(diagnostics.end(), found.begin(), found.end());
  }
  bool good = parsed.config && std::ranges::none_of(diagnostics, is_error);
  if (json) {
    std::cout << as_json(diagnostics).dump(2) << "\n";
  } else {
    tell(diagnostics);
  }
  if (!good) return kBadConfig;
  if (print) std::cout << config::print(*parsed.config);
  if (!print && !json) std::cout << config_path << ": good\n";
  return kSuccess;
}

int explain_command(const std::string& config_path, const ExplainQuestion& question, bool json) {
  auto parsed = config::parse_file(config_path);
  if (!parsed.config) {
    tell(parsed.diagnostics);
    return kBadConfig;
  }
  auto text = explain(*parsed.config, question, json);
  if (!text) return fail(text.error(), kBadConfig);
  std::cout << *text;
  return kSuccess;
}

int config_reference_command(bool schema) {
  std::cout << (schema ? config::schema() : config::reference());
  return kSuccess;
}

int reload_command(const AskFlags& flags) { return ask_process(flags, {{"command", "reload"}}, ""); }
int status_command(const AskFlags& flags) { return ask_process(flags, {{"command", "status"}}, "status"); }
int drain_command(const AskFlags& flags) { return ask_process(flags, {{"command", "drain"}}, ""); }

// The process is asked again and again, so that nothing of it waits for whoever waits here.
int endpoint_command(const AskFlags& flags, const std::string& action, const EndpointFlags& endpoint) {
  constexpr Duration kLookEvery = std::chrono::milliseconds(200);
  auto patience = config::parse_value<Duration>(endpoint.timeout, config::kSome);
  if (!patience) return fail(fmt::format("--timeout must be {}", patience.error().expected), kBadConfig);
  std::string socket = socket_of(flags);
  if (socket.empty()) return fail_without_socket();
  nlohmann::json request = {{"command", "endpoint"},
                            {"action", action},
                            {"upstream", endpoint.upstream},
                            {"endpoint", endpoint.endpoint}};
  SystemClock clock;
  Instant deadline = clock.now() + *patience;
  auto answer = ask(socket, request, kAskFor);
  auto has_some = [&] {
    return answer && answer->value("ok", false) && answer->value("connections", 0u) > 0;
  };
  request["action"] = "look";
  while (endpoint.wait && has_some() && clock.now() < deadline) {
    std::this_thread::sleep_for(kLookEvery);
    answer = ask(socket, request, kAskFor);
  }
  if (!answer) return fail(answer.error());
  int status = print_answer(*answer, flags.json, "");
  if (endpoint.wait && has_some())
    return fail(fmt::format("it still has connections after {}", endpoint.timeout));
  return status;
}

int ban_command(const AskFlags& flags, const std::string& address, const std::string& time,
                const std::string& why) {
  return ask_process(flags, {{"command", "ban"}, {"address", address}, {"for", time}, {"why", why}}, "");
}

int unban_command(const AskFlags& flags, const std::string& address, bool all) {
  if (all != address.empty()) return fail("give an address, a network, or --all", kBadConfig);
  return ask_process(flags, {{"command", "unban"}, {"address", address}, {"all", all}}, "");
}

int bans_command(const AskFlags& flags) { return ask_process(flags, {{"command", "bans"}}, "bans"); }

int accounts_command(const AskFlags& flags, const std::string& action, const std::string& name,
                     const std::string& list) {
  if ((action == "list") != name.empty())
    return fail("give approve or refuse, and a name; or neither, to see who waits", kBadConfig);
  return ask_process(flags, {{"command", "accounts"}, {"action", action}, {"name", name}, {"list", list}},
                     "accounts");
}

int log_command(const AskFlags& flags, const std::string& level, const std::string& site) {
  return ask_process(flags, {{"command", "log"}, {"level", level}, {"site", site}}, "");
}

}  // namespace lockgate::server
