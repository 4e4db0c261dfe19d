#include "server/flag_only.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <expected>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "config/parse.h"
#include "net/listen.h"
#include "net/tcp.h"
#include "server/commands.h"
#include "server/process.h"
#include "server/signals.h"

namespace lockgate::server {
namespace {

// A text as a YAML scalar in double quotes.
std::string scalar(const std::string& text) { return nlohmann::json(text).dump(); }
std::string scalar_of_path(const std::string& path) {
  return scalar(std::filesystem::absolute(path).string());
}

// `key: value` in a flow map, behind what is there already; nothing for an empty value.
void add(std::string& map, std::string_view key, const std::string& value) {
  if (!value.empty()) map += fmt::format("{}{}: {}", map.empty() ? "" : ", ", key, value);
}
void add_path(std::string& map, std::string_view key, const std::string& path) {
  if (!path.empty()) add(map, key, scalar_of_path(path));
}

std::string list(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& text : texts) result += (result.empty() ? "[" : ", ") + scalar(text);
  return result + "]";
}

constexpr const char* kAlone = "admin: { bind: off, control_socket: off }\n";

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

// "NAME=URL" as a site that passes NAME through.
std::expected<std::string, std::string> pass_site(const std::string& flag, const std::string& options) {
  auto equals = flag.find('=');
  if (equals == std::string::npos || equals == 0) {
    return std::unexpected(
        fmt::format("\"{}\" is not NAME=URL, as \"app.example.org=tcp://192.0.2.7:443\"", flag));
  }
  return fmt::format("      - names: [{}]\n        pass: {{ to: {}{} }}\n", scalar(flag.substr(0, equals)),
                     scalar(flag.substr(equals + 1)), options);
}

// Where this user may keep what is made on the spot (XDG Base Directory Specification for who is not root).
std::string state_folder() {
  std::string folder = "/var/lib/lockgate";
  const char* given = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (::geteuid() != 0 && given && *given == '/') folder = std::string(given) + "/lockgate";
  if (::geteuid() != 0 && (!given || *given != '/') && home)
    folder = std::string(home) + "/.local/state/lockgate";
  std::error_code failed;  // is told when a certificate is to be kept there
  std::filesystem::create_directories(folder, failed);
  return folder;
}

std::string certificates(const CertificateFlags& flags) {
  std::string shown;
  add_path(shown, "chain", flags.chain);
  add_path(shown, "key", flags.key);
  add_path(shown, "pkcs12", flags.pkcs12);
  add_path(shown, "password_file", flags.password_file);
  bool made = flags.chain.empty() && flags.pkcs12.empty();
  if (made) add(shown, "self_signed", "on");
  if (!flags.names.empty()) add(shown, "names", list(flags.names));
  return fmt::format("{}certificates:\n  shown: {{ {} }}\n",
                     made ? fmt::format("state_folder: {}\n", scalar(state_folder())) : "", shown);
}

std::string upstream(const TerminateFlags& flags, std::string_view more) {
  std::string tls;
  add_path(tls, "ca_file", flags.ca_file);
  if (flags.no_verify) add(tls, "verify", "off");
  std::string options = tls.empty() ? "" : fmt::format(", tls: {{ {} }}", tls);
  return fmt::format("upstreams:\n  to: {{ endpoints: {}{}{} }}\n", scalar(flags.to), options, more);
}

// One listener with one site, which takes everybody; `verdict` is the site's line.
std::string listener(const FlagOnly& flags, std::string_view options, std::string_view verdict) {
  std::string sends =
      flags.send_proxy_protocol == "off" ? "" : ", send_proxy_protocol: " + scalar(flags.send_proxy_protocol);
  return fmt::format("listeners:\n  - bind: {}\n{}    sites:\n      - names: [default]\n        {}{} }}\n",
                     list(flags.listen), options, verdict, sends);
}

constexpr const char* kLegacy = "    tls: { profile: legacy }\n";
constexpr const char* kTerminate = "terminate: { certificate: shown, to: to";

}  // namespace

int pass_command(const PassFlags& flags) {
  if (flags.to.empty() && flags.fallback.empty())
    return fail("nothing to pass: give --to or --default", kBadConfig);
  std::string options;
  if (flags.send_proxy_protocol != "off")
    options = ", send_proxy_protocol: " + scalar(flags.send_proxy_protocol);
  std::string yaml = fmt::format("{}listeners:\n  - bind: {}\n    sites:\n", kAlone, list(flags.listen));
  for (const auto& flag : flags.to) {
    auto site = pass_site(flag, options);
    if (!site) return fail(site.error(), kBadConfig);
    yaml += *site;
  }
  if (!flags.fallback.empty()) {
    yaml += fmt::format("      - names: [default]\n        pass: {{ to: {}{} }}\n", scalar(flags.fallback),
                        options);
  }
  return run_text(yaml, flags.print_config);
}

int terminate_command(const TerminateFlags& flags) {
  std::string yaml = kAlone + certificates(flags.certificate) + upstream(flags, "");
  yaml += listener(flags, flags.certificate.legacy ? kLegacy : "", kTerminate);
  return run_text(yaml, flags.print_config);
}

int bump_command(const BumpFlags& flags) {
  if (!flags.to.starts_with("tls://")) {
    return fail(fmt::format("--to must be a URL such as tls://www.example.org:443, not \"{}\"", flags.to),
                kBadConfig);
  }
  std::string parent;
  add(parent, "url", flags.via.empty() ? "" : scalar(flags.via));
  add_path(parent, "credentials_file", flags.credentials_file);
  std::string yaml = kAlone;
  if (flags.old_tls) yaml += certificates(flags.certificate);
  if (!flags.via.empty()) yaml += fmt::format("parents:\n  parent: {{ {} }}\n", parent);
  yaml += upstream(flags, flags.via.empty() ? "" : ", via: parent");
  yaml += listener(flags, flags.old_tls ? kLegacy : "", flags.old_tls ? kTerminate : "plain: { to: to");
  return run_text(yaml, flags.print_config);
}

int quickstart_command(const QuickstartFlags& flags) {
  auto demo = net::listen(*SocketAddress::parse("127.0.0.1:0"), {.shared_port = false});
  if (!demo) return fail(words(demo.error()));
  std::string origin = net::local_address(demo->number()).text(), state = state_folder();
  std::string yaml = fmt::format(
      "{0}limits: {{ connections: 1000 }}\nstate_folder: {1}\ncertificates: {{ localhost: self_signed }}\n"
      "listeners:\n  - name: plain\n    bind: [\"127.0.0.1:{2}\", \"[::1]:{2}\"]\n    sites:\n"
      "      - names: [default]\n        plain: {{ to: \"tcp://{3}\" }}\n"
      "  - name: tls\n    bind: [\"127.0.0.1:{4}\", \"[::1]:{4}\"]\n    sites:\n"
      "      - names: [localhost]\n        terminate: {{ certificate: localhost, to: \"tcp://{3}\" }}\n",
      kAlone, scalar(state), flags.port, origin, flags.tls_port);
  std::string curls = fmt::format(
      "  curl http://localhost:{}/\n  curl --cacert {}/self-signed/localhost.ecdsa.pem "
      "https://localhost:{}/\n",
      flags.port, state, flags.tls_port);
  for (const auto& flag : flags.to) {
    auto site = pass_site(flag, "");
    if (!site) return fail(site.error(), kBadConfig);
    yaml += *site;
    std::string name = flag.substr(0, flag.find('='));
    curls += fmt::format("  curl --connect-to {0}:443:localhost:{1} https://{0}/\n", name, flags.tls_port);
  }
  std::cerr
      << "Lockgate relays to a demo page inside this binary, and ends TLS in front of it. Try, in another "
         "terminal:\n"
      << curls << "Each connection leaves a line here. Ctrl-C ends it.\n";
  return run_text(yaml, false, std::move(*demo));
}

}  // namespace lockgate::server
