// lockgate: the command line. It only reads flags; what they do is in commands.h.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "server/certificate_commands.h"
#include "server/commands.h"
#include "server/flag_only.h"
#include "server/password_command.h"

namespace {

using namespace lockgate::server;

constexpr const char* kAbout =
    "Lockgate gives each connection a verdict by the name in its ClientHello and relays it.\n"
    "Documentation: man lockgate, and `lockgate config-reference`.";

// Everything that the flags fill, so that commands can be plain functions.
struct Flags {
  std::string config = kDefaultConfig;
  bool print = false, json = false, schema = false;
  ExplainQuestion explain;
  PassFlags pass;
  TerminateFlags terminate;
  BumpFlags bump;
  QuickstartFlags quickstart;
  AskFlags ask;
  std::string level, site;
  EndpointFlags endpoint;
  std::string address, time = "forever", why = "by hand";
  bool all = false;
  std::string account_action = "list", account_name, account_list;
  MakeFlags make;
  InspectFlags inspect;
  PasswordFlags password;
};

CLI::App* add(CLI::App& app, const char* name, const char* about, int& status, std::function<int()> run) {
  CLI::App* command = app.add_subcommand(name, about);
  command->callback([&status, run = std::move(run)] { status = run(); });
  return command;
}

void add_config(CLI::App* command, std::string& path) {
  command->add_option("-c,--config", path, "Configuration file")->capture_default_str();
}

void add_offline(CLI::App& app, Flags& flags, int& status) {
  auto* run = add(app, "run", "Serve until told to end", status, [&] { return run_command(flags.config); });
  add_config(run, flags.config);

  auto* check = add(app, "check", "Read the configuration, tell every mistake and foot-gun", status,
                    [&] { return check_command(flags.config, flags.print, flags.json); });
  add_config(check, flags.config);
  check->add_flag("--print", flags.print, "Print the configuration in effect");
  check->add_flag("--json", flags.json, "Diagnostics as JSON");

  auto* explain = add(app, "explain", "Which site would take a connection or a request, and why", status,
                      [&] { return explain_command(flags.config, flags.explain, flags.json); });
  add_config(explain, flags.config);
  explain->add_option("name", flags.explain.name, "Host name or URL; none: a client that sends no name");
  explain->add_option("--from", flags.explain.client, "The client's address")->capture_default_str();
  explain->add_option("--listener", flags.explain.listener, "Only this listener");
  explain->add_option("--alpn", flags.explain.alpn, "Protocols offered, joined by commas");
  explain->add_option("--ja3", flags.explain.ja3, "The client's JA3");
  explain->add_option("--ja4", flags.explain.ja4, "The client's JA4");
  explain->add_flag("--plain", flags.explain.plain, "The client speaks no TLS");
  explain->add_option("--method", flags.explain.method, "The method of the request, of a URL of HTTP")
      ->capture_default_str();
  explain->add_option("--field", flags.explain.fields, "A field of it, as \"Name: value\"; repeatable");
  explain->add_flag("--json", flags.json, "As JSON");

  auto* reference = add(app, "config-reference", "Print the manual of the configuration", status,
                        [&] { return config_reference_command(flags.schema); });
  reference->add_flag("--schema", flags.schema, "As a JSON schema");

  add(app, "version", "Print the version", status, [] {
    std::cout << "lockgate " LOCKGATE_VERSION "\n";
    return kSuccess;
  });
}

void add_common(CLI::App* command, FlagOnly& flags) {
  command->add_option("--listen", flags.listen, "Address, as \":443\"; repeatable")->required();
  command->add_option("--send-proxy-protocol", flags.send_proxy_protocol, "off, v1 or v2")
      ->capture_default_str();
  command->add_flag("--print-config", flags.print_config, "Print the equivalent configuration and end");
}

void add_certificate_shown(CLI::App* command, CertificateFlags& flags) {
  command->add_option("--certificate", flags.chain,
                      "PEM file of the certificate and its issuers, maybe with the key; "
                      "without any, one is made and kept");
  command->add_option("--key", flags.key, "PEM file of the key");
  command->add_option("--pkcs12", flags.pkcs12, "PKCS#12 file instead of both");
  command->add_option("--password-file", flags.password_file, "File with the password of the key");
  command->add_option("--name", flags.names, "Name of a certificate that is made; repeatable");
}

void add_tls_upstream(CLI::App* command, TerminateFlags& flags) {
  command->add_option("--ca-file", flags.ca_file,
                      "PEM file of the issuers that a TLS server is verified with; "
                      "default: those of the system");
  command->add_flag("--no-verify", flags.no_verify, "Take any certificate of a TLS server");
}

void add_flag_only(CLI::App& app, Flags& flags, int& status) {
  auto* pass = add(app, "pass", "Pass TLS through by name, from flags alone", status,
                   [&] { return pass_command(flags.pass); });
  add_common(pass, flags.pass);
  pass->add_option("--to", flags.pass.to, "NAME=URL, as \"app.example.org=tcp://192.0.2.7:443\"; repeatable");
  pass->add_option("--default", flags.pass.fallback, "URL for all other names; without it they are refused");

  auto* terminate = add(app, "terminate", "End TLS here and forward what was in it, from flags alone", status,
                        [&] { return terminate_command(flags.terminate); });
  add_common(terminate, flags.terminate);
  terminate
      ->add_option("--to", flags.terminate.to, "URL, as tcp://127.0.0.1:143, or tls://... to encrypt again")
      ->required();
  add_certificate_shown(terminate, flags.terminate.certificate);
  terminate->add_flag("--legacy", flags.terminate.certificate.legacy,
                      "Also serve clients that know only TLS 1.0");
  add_tls_upstream(terminate, flags.terminate);

  auto* bump = add(app, "bump", "Let an old program speak modern TLS, from flags alone", status,
                   [&] { return bump_command(flags.bump); });
  add_common(bump, flags.bump);
  bump->add_option("--to", flags.bump.to, "URL, as tls://www.example.org:443")->required();
  bump->add_option("--via", flags.bump.via,
                   "URL of a parent proxy, as http://proxy:8080 or socks5://proxy:1080");
  bump->add_option("--credentials-file", flags.bump.credentials_file,
                   "File with user:password for the parent");
  bump->add_flag("--old-tls", flags.bump.old_tls,
                 "The program speaks TLS 1.0 or newer; otherwise it speaks none");
  add_certificate_shown(bump, flags.bump.certificate);
  add_tls_upstream(bump, flags.bump);

  auto* quickstart = add(app, "quickstart", "Serve a demo page, to see it work", status,
                         [&] { return quickstart_command(flags.quickstart); });
  quickstart->add_option("--port", flags.quickstart.port, "Port for plain HTTP")->capture_default_str();
  quickstart->add_option("--tls-port", flags.quickstart.tls_port, "Port for TLS")->capture_default_str();
  quickstart->add_option("--to", flags.quickstart.to, "NAME=URL of a TLS server to pass through; repeatable");
}

void add_certificate(CLI::App& app, Flags& flags, int& status) {
  auto* certificate = app.add_subcommand("certificate", "Make certificates, request them, look at them");
  certificate->require_subcommand(1);
  auto making = [&](const char* name, const char* about, std::function<int()> run) {
    auto* command = add(*certificate, name, about, status, std::move(run));
    command->add_option("name", flags.make.names, "Host names, also as \"*.example.org\", or IP addresses")
        ->required();
    command->add_option("--key-type", flags.make.key_type, "rsa or ecdsa")
        ->check(CLI::IsMember({"rsa", "ecdsa"}))
        ->capture_default_str();
    command->add_option("--key-out", flags.make.key_out, "File for the private key");
    command->add_flag("--force", flags.make.force, "Replace files that are there");
    return command;
  };
  auto* self_signed = making("self-signed", "Make a self-signed certificate",
                             [&] { return self_signed_command(flags.make); });
  self_signed->add_option("--out", flags.make.out, "File for it, and for the key unless that has its own");
  self_signed->add_option("--days", flags.make.days, "How long it is valid")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  auto* request = making("request", "Make a key and a request to an authority that signs certificates",
                         [&] { return request_command(flags.make); });
  request->add_option("--out", flags.make.out, "File for the request; needs --key-out");

  auto* inspect = add(*certificate, "inspect", "Show what is in a file, and whether the key fits", status,
                      [&] { return inspect_command(flags.inspect); });
  inspect->add_option("file", flags.inspect.file, "PEM or PKCS#12")->required();
  inspect->add_option("--key", flags.inspect.key, "File with the private key, if it is another");
  inspect->add_option("--password-file", flags.inspect.password_file,
                      "File with the password, in its first line");
  inspect->add_flag("--json", flags.inspect.json, "As JSON");
}

void add_password(CLI::App& app, Flags& flags, int& status) {
  auto* password = add(app, "password", "Make a line of a file of users, or try a password out", status,
                       [&] { return password_command(flags.password); });
  password->add_option("name", flags.password.name, "Name of the user")->required();
  password->add_option("--scheme", flags.password.scheme, "bcrypt, yescrypt, sha512, sha256, ssha or apr1")
      ->capture_default_str();
  password->add_option("--cost", flags.password.cost, "How much a check costs; default: the scheme's usual");
  password->add_option("--verify", flags.password.verify, "File of users in which the name is looked up");
}

CLI::App* add_ask(CLI::App& app, Flags& flags, int& status, const char* name, const char* about,
                  std::function<int()> run) {
  auto* command = add(app, name, about, status, std::move(run));
  add_config(command, flags.ask.config_path);
  command->add_option("-s,--socket", flags.ask.socket, "Control socket; default: that of the configuration");
  command->add_flag("--json", flags.ask.json, "Answer as JSON");
  return command;
}

void add_endpoint(CLI::App& app, Flags& flags, int& status) {
  auto* endpoint =
      app.add_subcommand("endpoint", "Take an endpoint out of use while it runs, and give it back");
  endpoint->require_subcommand(1);
  auto act = [&](const char* action, const char* about) {
    auto* command = add_ask(*endpoint, flags, status, action, about,
                            [&flags, action] { return endpoint_command(flags.ask, action, flags.endpoint); });
    command->add_option("upstream", flags.endpoint.upstream, "Name of the upstream")->required();
    command
        ->add_option("endpoint", flags.endpoint.endpoint,
                     "URL of the endpoint, as `lockgate status` shows it")
        ->required();
    return command;
  };
  for (auto* command : {act("drain", "Nothing new goes to it, but from clients that stick to it"),
                        act("disable", "Nothing new goes to it")}) {
    command->add_flag("--wait", flags.endpoint.wait, "Until it has no connection any more");
    command->add_option("--timeout", flags.endpoint.timeout, "How long to wait")->capture_default_str();
  }
  act("enable", "It is used again");
}

void add_bans(CLI::App& app, Flags& flags, int& status) {
  auto* ban = add_ask(app, flags, status, "ban", "Keep a client or a network out",
                      [&] { return ban_command(flags.ask, flags.address, flags.time, flags.why); });
  ban->add_option("address", flags.address, "Address, or a network such as 192.0.2.0/24")->required();
  ban->add_option("--for", flags.time, "How long, as 1h; or forever")->capture_default_str();
  ban->add_option("--why", flags.why, "What `lockgate bans` shows of it")->capture_default_str();
  auto* unban = add_ask(app, flags, status, "unban", "Let a client in again, or all in a network",
                        [&] { return unban_command(flags.ask, flags.address, flags.all); });
  unban->add_option("address", flags.address, "Address, or a network");
  unban->add_flag("--all", flags.all, "Everybody");
  add_ask(app, flags, status, "bans", "Who is banned, for how long and why",
          [&] { return bans_command(flags.ask); });
}

void add_accounts(CLI::App& app, Flags& flags, int& status) {
  auto* accounts =
      add_ask(app, flags, status, "accounts", "Who asks for an account, and whether it is granted", [&] {
        return accounts_command(flags.ask, flags.account_action, flags.account_name, flags.account_list);
      });
  accounts->add_option("action", flags.account_action, "approve or refuse; default: list who waits")
      ->check(CLI::IsMember({"list", "approve", "refuse"}));
  accounts->add_option("name", flags.account_name, "Who is approved or refused");
  accounts->add_option("--list", flags.account_list, "The entry of `users`; default: all");
}

void add_asking(CLI::App& app, Flags& flags, int& status) {
  auto ask = [&](const char* name, const char* about, std::function<int()> run) {
    return add_ask(app, flags, status, name, about, std::move(run));
  };
  ask("reload", "Have the running process read its configuration again",
      [&] { return reload_command(flags.ask); });
  ask("status", "What the running process is doing", [&] { return status_command(flags.ask); });
  ask("drain", "Have the running process finish its connections and end",
      [&] { return drain_command(flags.ask); });
  auto* log = ask("log", "Change the level of the error log while it runs",
                  [&] { return log_command(flags.ask, flags.level, flags.site); });
  log->add_option("level", flags.level, "error, warning, info or debug")
      ->required()
      ->check(CLI::IsMember({"error", "warning", "info", "debug"}));
  log->add_option("--site", flags.site, "For this site only");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kAbout, "lockgate");
  app.set_version_flag("--version", "lockgate " LOCKGATE_VERSION);
  app.require_subcommand(1);
  Flags flags;
  int status = kSuccess;
  add_offline(app, flags, status);
  add_flag_only(app, flags, status);
  add_asking(app, flags, status);
  add_endpoint(app, flags, status);
  add_bans(app, flags, status);
  add_accounts(app, flags, status);
  add_certificate(app, flags, status);
  add_password(app, flags, status);
  auto named = [&](const CLI::App* command) { return command->check_name(argv[1]); };
  if (argc > 1 && *argv[1] != '-' && std::ranges::none_of(app.get_subcommands({}), named)) {
    std::cerr << "lockgate: there is no command \"" << argv[1] << "\"; `lockgate --help` lists them\n";
    return kBadConfig;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kBadConfig;
  }
  return status;
}
