#include "config/check.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "config/parse.h"

namespace lockgate::config {
namespace {

Config parsed(const std::string& text) {
  auto parsed = parse_text(text, "lockgate.yaml");
  for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << words(diagnostic);
  return parsed.config.value_or(Config{});
}

std::vector<std::string> warnings(const std::string& text) {
  std::vector<std::string> result;
  for (const auto& diagnostic : check(parsed("limits: { connections: 10 }\n" + text)))
    result.push_back(words(diagnostic));
  return result;
}

/// A listener on `bind` that passes all to `to`.
std::string passing(std::string_view bind, std::string_view to) {
  return fmt::format(
      "listeners: [ {{ name: front, bind: \"{}\", sites: [ {{ names: default, pass: {{ to: {} }} }} ] }} ]\n",
      bind, to);
}

using Warnings = std::vector<std::string>;
const std::string kHarmless = passing(":443", "\"tcp://app:443\"");

TEST(Check, IsSilentAboutWhatIsFine) { EXPECT_EQ(warnings(kHarmless), Warnings{}); }

TEST(Check, FindsEndpointsThatAreOurOwnListeners) {
  struct {
    const char *bind, *url;
    bool ours;
  } cases[] = {
      {":443", "tcp://127.0.0.1:443", true},          {":443", "tcp://[::1]:443", true},
      {":443", "tcp://localhost:443", true},          {":443", "tcp://127.0.0.1:444", false},
      {":443", "tcp://192.0.2.1:443", false},         {"0.0.0.0:443", "tcp://127.0.0.2:443", true},
      {"0.0.0.0:443", "tcp://[::1]:443", false},      {"[::]:443", "tcp://127.0.0.1:443", false},
      {"192.0.2.1:443", "tcp://192.0.2.1:443", true}, {"192.0.2.1:443", "tcp://127.0.0.1:443", false},
      {"unix:/run/x.sock", "unix:/run/x.sock", true}, {"systemd:tls", "tcp://127.0.0.1:443", false},
  };
  for (const auto& [bind, url, ours] : cases) {
    SCOPED_TRACE(fmt::format("{} and {}", bind, url));
    auto found = warnings(passing(bind, fmt::format("\"{}\"", url)));
    ASSERT_EQ(found.size(), ours ? 1u : 0u);
    if (ours) EXPECT_TRUE(found[0].contains("is our own listener `front`")) << found[0];
  }
}

TEST(Check, FindsTrustInTheWholeWorld) {
  auto with = [](const char* network) {
    return fmt::format(
        "listeners: [ {{ bind: \":1\", accept_proxy_protocol: {{ optional_from: \"{}\" }}, sites: [ {{ "
        "names: default, reject: }} ] }} ]\n",
        network);
  };
  auto told = [](const char* network) {
    return Warnings{
        fmt::format("lockgate.yaml:2:14: warning: `accept_proxy_protocol` trusts {}: anyone can claim any "
                    "address (name the proxies in front)",
                    network)};
  };
  EXPECT_EQ(warnings(with("0.0.0.0/0")), told("0.0.0.0/0"));
  EXPECT_EQ(warnings(with("::/0")), told("::/0"));
  EXPECT_EQ(warnings(with("10.0.0.0/8")), Warnings{});
}

TEST(Check, FindsAnAdminAddressThatIsOpenToOthers) {
  auto found = warnings("admin: { bind: \"0.0.0.0:9180\" }\n" + kHarmless);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].starts_with("lockgate.yaml: warning: `admin.bind` 0.0.0.0:9180 can be reached"))
      << found[0];
  EXPECT_EQ(warnings("admin: { bind: \"[::1]:9180\" }\n" + kHarmless), Warnings{});
  EXPECT_EQ(warnings("admin: { bind: off }\n" + kHarmless), Warnings{});
}

TEST(Check, FindsUpstreamsWithoutUseAndEndpointsGivenTwice) {
  EXPECT_EQ(warnings("upstreams: { app: { endpoints: [\"tcp://a:1\", \"tcp://a:1\"] } }\n" + kHarmless),
            (Warnings{"lockgate.yaml:2:14: warning: no site uses the upstream `app`",
                      "lockgate.yaml:2:46: warning: the endpoint tcp://a:1 is given twice (`weight` gives it "
                      "a larger share)"}));
}

TEST(Check, FindsSitesInTheShadowOfOthers) {
  auto found = warnings(R"(listeners:
  - bind: ":1"
    sites:
      - { names: [a.example, b.example], reject: }
      - { names: a.example, match: { alpn: h2 }, reject: }
      - { names: a.example, match: { clients: 10.0.0.0/8 }, plain: { to: "tcp://a:1" } }
      - { names: c.example, match: { alpn: h2 }, reject: }
      - { names: c.example, reject: }
)");
  EXPECT_EQ(
      found,
      (Warnings{"lockgate.yaml:6:9: warning: this site can never have `a.example`: a site before it takes "
                "all of it (put the site with `match` first)"}));
}

TEST(Check, CountsDescriptors) {
  Config config;
  config.workers = 3;
  config.limit.connections = 1000;
  EXPECT_EQ(descriptors_needed(config), 2500u);
  EXPECT_EQ(connections_within(config, 2500), 1000u);
  EXPECT_EQ(connections_within(config, 2700), 1100u);
  EXPECT_EQ(connections_within(config, 10), 1u);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max > UINT32_MAX) GTEST_SKIP() << "this machine sets no limit";
  auto found = check(parsed("limits: { connections: 100000000 }\n" + kHarmless));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].message.contains("file descriptors")) << found[0].message;
}

TEST(Check, FindsFilesThatTheServiceMayNotReadAgain) {
  auto path = std::filesystem::temp_directory_path() / fmt::format("lockgate_check_test.{}.yaml", ::getpid());
  std::ofstream(path) << "limits: { connections: 10 }\nuser: nobody\n" << kHarmless;
  ::chmod(path.c_str(), 0644);
  auto parsed = parse_file(path);
  ASSERT_TRUE(parsed.config);
  EXPECT_TRUE(check(*parsed.config).empty());
  ::chmod(path.c_str(), 0640);
  auto found = check(*parsed.config);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].message.contains("the user `nobody` may not read this file")) << found[0].message;
  std::filesystem::remove(path);
}

TEST(Check, FindsLogFilesThatCannotBeWritten) {
  auto folder = std::filesystem::temp_directory_path() / fmt::format("lockgate_check_test.{}", ::getpid());
  std::filesystem::create_directories(folder);
  auto log = [&](const char* name) {
    return fmt::format("user: nobody\nlog: {{ to: {}/{} }}\n{}", folder.string(), name, kHarmless);
  };
  ::chmod(folder.c_str(), 0755);
  auto found = warnings(log("x.log"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].contains("the user `nobody` may not write in the folder of the log file")) << found[0];
  ::chmod(folder.c_str(), 0777);
  EXPECT_EQ(warnings(log("x.log")), Warnings{});
  found = warnings(log("none/x.log"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].contains("there is no folder")) << found[0];
  std::filesystem::remove_all(folder);
}

TEST(Check, FindsAKeyLogThatIsOpenToOthers) {
  auto path = std::filesystem::temp_directory_path() / fmt::format("lockgate_check_test.{}.keys", ::getpid());
  auto text = fmt::format(
      "certificates: {{ app: {{ chain: /a.pem }} }}\n"
      "listeners: [ {{ bind: \":443\", tls: {{ key_log: {{ to: {} }} }}, sites: [\n"
      "  {{ names: default, terminate: {{ certificate: app, to: \"tcp://app:80\" }} }} ] }} ]\n",
      path.string());
  EXPECT_EQ(warnings(text), Warnings{});
  std::ofstream(path) << "";
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(warnings(text), Warnings{});
  ::chmod(path.c_str(), 0640);
  auto found = warnings(text);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].contains("is open to others")) << found[0];
  std::filesystem::remove(path);
}

TEST(Check, FindsAUserThatDoesNotExist) {
  EXPECT_EQ(warnings("user: no-such-user\n" + kHarmless),
            Warnings{"lockgate.yaml: warning: there is no user `no-such-user` on this machine"});
}

/// What is told of a site with these routes, which all answer by themselves.
Warnings told_of_routes(const std::vector<std::string>& matches) {
  std::string routes;
  for (const std::string& match : matches) routes += fmt::format("          - {{ {}status: 200 }}\n", match);
  return warnings("listeners:\n  - bind: \":80\"\n    sites:\n      - names: default\n        plain:\n" +
                  ("          routes:\n" + routes));
}

TEST(Check, FindsRoutesThatGetNoRequest) {
  struct {
    std::string first, second;
    bool hidden;
  } cases[] = {
      {"path: /a, ", "path: /a, ", true},
      {"path: /a, ", "path: /a/b, ", true},
      {"path: /a, ", "path: /ab, ", false},
      {"path: /a/, ", "path: /a, ", false},
      {"path: /a/, ", "path: /a/b, ", true},
      {"path: /a, ", "path_exact: /a, ", true},
      {"path: /a, ", "path_regex: ^/a, ", false},
      {"path: /, ", "path_regex: ^/a, ", true},
      {"path: /a, ", "path: /, ", false},
      {"", "path: /a, ", true},
      {"", "", true},
      {"path: /, ", "", false},
      {"path_exact: /a, ", "path_exact: /a, ", true},
      {"path_exact: /a, ", "path: /a, ", false},
      {"path_regex: ^/a, ", "path_regex: ^/a, ", true},
      {"path_regex: ^/a, ", "path_exact: /a, ", false},
      {"path: /a, methods: GET, ", "path: /a, ", false},
      {"path: /a, fields: { A: b }, ", "path: /a, ", false},
      {"path: /a, query: { a: b }, ", "path: /a, ", false},
      {"path: /a, ", "path: /a, methods: GET, ", true},
  };
  for (const auto& [first, second, hidden] : cases) {
    SCOPED_TRACE(fmt::format("{} and {}", first, second));
    EXPECT_EQ(told_of_routes({first, second}).size(), hidden ? 1u : 0u);
  }
  EXPECT_EQ(told_of_routes({"path: /a, ", "path: /b, ", "path: /a/c, "}),
            Warnings{"lockgate.yaml:10:13: warning: the route `/a/c` gets no request: `/a` at "
                     "lockgate.yaml:8:13 takes all that it could (put it before that one)"});
}

TEST(Check, KnowsWhichUpstreamsRoutesUse) {
  const std::string upstreams =
      "upstreams: { a: { endpoints: \"http://a\" }, b: { endpoints: \"http://b\" } }\n";
  auto told = warnings(upstreams +
                       "listeners: [ { bind: \":80\", sites: [ { names: default, plain: "
                       "{ routes: [ { path: /a, redirect: /b }, { to: b } ] } } ] } ]\n");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].contains("no site uses the upstream `a`")) << told[0];
}

}  // namespace
}  // namespace lockgate::config
