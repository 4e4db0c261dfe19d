#include "server/commands.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "config/check.h"
#include "config/parse.h"
#include "config/print.h"
#include "config/reference.h"
#include "net/tcp.h"
#include "server/certificate_check.h"
#include "server/control.h"
#include "server/process.h"
#include "server/signals.h"

namespace lockgate::server {
namespace {

constexpr Duration kAskFor = std::chrono::seconds(10);

int fail(const std::string& sentence, int status = kFailure) {
  std::cerr << "lockgate: " << sentence << "\n";
  return status;
}

void tell(const std::vector<config::Diagnostic>& diagnostics) {
  for (const auto& diagnostic : diagnostics) std::cerr << words(diagnostic) << "\n";
}

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

// A configuration without a file, from what flags said.
int run_text(const std::string& yaml, bool print_only, Fd demo_listening = {}) {
  auto parsed = config::parse_text(yaml, "flags", config::Includes::refuse);
  tell(parsed.diagnostics);
  if (!parsed.config) return kBadConfig;
  if (print_only) {
    std::cout << yaml;
    return kSuccess;
  }
  block_signals();
  Process process(std::move(*parsed.config), {.demo_listening = std::move(demo_listening)});
  return process.run();
}

// A text as a YAML scalar in double quotes.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// "NAME=URL" as a site that passes NAME through.
std::expected<std::string, std::string> pass_site(const std::string& flag, const std::string& options) {
  auto equals = flag.find('=');
  if (equals == std::string::npos || equals == 0) {
    return std::unexpected(
        fmt::format("\"{}\" is not NAME=URL, as \"app.example.org=tcp://192.0.2.7:443\"", flag));
  }
  return fmt::format("      - names: [{}]\n        pass: {{ to: {}{} }}\n", quoted(flag.substr(0, equals)),
                     quoted(flag.substr(equals + 1)), options);
}

// Asks the running process; prints its message to stdout, or the data as JSON.
int ask_process(const AskFlags& flags, const nlohmann::json& request, const char* data) {
  std::string socket = flags.socket;
  if (socket.empty()) socket = config::parse_file(flags.config_path).control_socket;
  if (socket.empty()) return fail("the configuration has no control socket: give --socket", kBadConfig);
  auto answer = ask(socket, request, kAskFor);
  if (!answer) return fail(answer.error());
  bool ok = answer->value("ok", false);
  if (flags.json) {
    std::cout << (answer->contains(data) ? (*answer)[data] : *answer).dump(2) << "\n";
  } else {
    std::string message = answer->value("message", "");
    if (!message.ends_with('\n')) message += "\n";
    (ok ? std::cout : std::cerr) << message;
  }
  return ok ? kSuccess : kFailure;
}

bool is_error(const config::Diagnostic& diagnostic) {
  return diagnostic.severity == config::Diagnostic::Severity::error;
}

/// Foot-guns, and what is wrong with certificates: an error if one cannot be used.
std::vector<config::Diagnostic> warnings_of(const config::Config& config) {
  auto found = config::check(config);
  auto certificates = check_certificates(config, SystemClock().wall());
  if (certificates)
    found.insert(found.end(), certificates->begin(), certificates->end());
  else
    found.push_back(
        {.place = {config.files.empty() ? "" : config.files.front()}, .message = certificates.error()});
  return found;
}

}  // namespace

int run_command(const std::string& config_path) {
  auto parsed = config::parse_file(config_path);
  tell(parsed.diagnostics);
  if (!parsed.config) return kBadConfig;
  tell(warnings_of(*parsed.config));
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
    auto warnings = warnings_of(*parsed.config);
    diagnostics.insert(diagnostics.end(), warnings.begin(), warnings.end());
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

int pass_command(const PassFlags& flags) {
  if (flags.to.empty() && flags.fallback.empty())
    return fail("nothing to pass: give --to or --default", kBadConfig);
  std::string options;
  if (flags.send_proxy_protocol != "off")
    options = ", send_proxy_protocol: " + quoted(flags.send_proxy_protocol);
  std::string yaml = "admin: { bind: off, control_socket: off }\nlisteners:\n  - bind: [";
  for (const auto& address : flags.listen) yaml += (yaml.ends_with('[') ? "" : ", ") + quoted(address);
  yaml += "]\n    sites:\n";
  for (const auto& flag : flags.to) {
    auto site = pass_site(flag, options);
    if (!site) return fail(site.error(), kBadConfig);
    yaml += *site;
  }
  if (!flags.fallback.empty()) {
    yaml += fmt::format("      - names: [default]\n        pass: {{ to: {}{} }}\n", quoted(flags.fallback),
                        options);
  }
  return run_text(yaml, flags.print_config);
}

int quickstart_command(const QuickstartFlags& flags) {
  auto demo = net::listen(*SocketAddress::parse("127.0.0.1:0"), {.shared_port = false});
  if (!demo) return fail(words(demo.error()));
  std::string yaml = fmt::format(
      "admin: {{ bind: off, control_socket: off }}\nlimits: {{ connections: 1000 }}\n"
      "listeners:\n  - name: quickstart\n    bind: [\"127.0.0.1:{0}\", \"[::1]:{0}\"]\n    sites:\n"
      "      - names: [default]\n        plain: {{ to: \"tcp://{1}\" }}\n",
      flags.port, net::local_address(demo->number()).text());
  std::string curls = fmt::format("  curl http://localhost:{}/\n", flags.port);
  for (const auto& flag : flags.to) {
    auto site = pass_site(flag, "");
    if (!site) return fail(site.error(), kBadConfig);
    yaml += *site;
    std::string name = flag.substr(0, flag.find('='));
    curls += fmt::format("  curl --connect-to {0}:443:localhost:{1} https://{0}/\n", name, flags.port);
  }
  std::cerr << "Lockgate relays to a demo page inside this binary. Try, in another terminal:\n"
            << curls << "Each connection leaves a line here. Ctrl-C ends it.\n";
  return run_text(yaml, false, std::move(*demo));
}

int reload_command(const AskFlags& flags) { return ask_process(flags, {{"command", "reload"}}, ""); }
int status_command(const AskFlags& flags) { return ask_process(flags, {{"command", "status"}}, "status"); }
int drain_command(const AskFlags& flags) { return ask_process(flags, {{"command", "drain"}}, ""); }

int log_command(const AskFlags& flags, const std::string& level, const std::string& site) {
  return ask_process(flags, {{"command", "log"}, {"level", level}, {"site", site}}, "");
}

}  // namespace lockgate::server
