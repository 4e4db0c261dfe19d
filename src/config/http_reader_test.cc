#include <fmt/core.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/parse.h"

// What options mean, and most mistakes, are in the golden files; here is what these cannot say.
namespace lockgate::config {
namespace {

/// The first site of a listener whose verdict is `plain` with `inside`.
Site site_with(std::string_view inside, std::string_view before = "") {
  auto parsed = parse_text(
      fmt::format(
          "{}\nlisteners: [ {{ bind: \":80\", sites: [ {{ names: default, plain: {{ {} }} }} ] }} ]\n",
          before, inside),
      "lockgate.yaml");
  for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << words(diagnostic);
  return parsed.config ? parsed.config->listeners.at(0).sites.at(0) : Site{};
}

TEST(Routes, SayWhatTheyTake) {
  Site site = site_with(R"(routes: [
    { path: /a, methods: [GET, POST], fields: { X-A: "*" }, query: { b: "1" }, status: 200 },
    { path_exact: /b, status: 200 }, { path_regex: "^/c", status: 200 }, { status: 200 } ])");
  ASSERT_EQ(site.routes.size(), 4u);
  EXPECT_TRUE(site.is_http());
  const RouteMatch& match = site.routes[0].match;
  EXPECT_EQ(match.kind, RouteMatch::Path::prefix);
  EXPECT_EQ(match.path, "/a");
  EXPECT_EQ(match.methods, (std::vector<std::string>{"GET", "POST"}));
  EXPECT_EQ(match.fields.at(0).name, "X-A");
  EXPECT_EQ(match.fields.at(0).value, "*");
  EXPECT_EQ(match.query.at(0).value, "1");
  EXPECT_EQ(site.routes[1].match.kind, RouteMatch::Path::exact);
  EXPECT_EQ(site.routes[2].match.kind, RouteMatch::Path::regex);
  EXPECT_EQ(site.routes[3].match.kind, RouteMatch::Path::any);
  EXPECT_EQ(site.routes[3].match.path, "");
  EXPECT_EQ(site.routes[2].place.line, 4);
}

TEST(Routes, SayWhatBecomesOfRequests) {
  Site site = site_with(R"(routes: [
    { to: "http://app:8080/base" }, { to: "http://app:8080", rewrite: /other }, { to: "http://app:8080" },
    { redirect: "/x$path" }, { redirect: https, status: 307 },
    { status: 503, body: "$site", content_type: text/css } ])");
  ASSERT_EQ(site.routes.size(), 6u);
  EXPECT_EQ(site.routes[0].action, RouteAction::forward);
  EXPECT_EQ(site.routes[0].rewrite, "/base");
  EXPECT_EQ(site.routes[1].rewrite, "/other");
  EXPECT_EQ(site.routes[2].rewrite, std::nullopt);
  EXPECT_EQ(site.routes[0].upstream, site.routes[2].upstream);
  EXPECT_EQ(site.routes[3].action, RouteAction::redirect);
  EXPECT_EQ(site.routes[3].redirect.parts.size(), 2u);
  EXPECT_EQ(site.routes[3].status, 0u);
  EXPECT_EQ(site.routes[4].redirect.written, "https");
  EXPECT_EQ(site.routes[4].status, 307u);
  EXPECT_EQ(site.routes[5].action, RouteAction::status);
  EXPECT_EQ(site.routes[5].body.parts.at(0).variable, Variable::site);
  EXPECT_EQ(site.routes[5].content_type, "text/css");
  EXPECT_EQ(upstreams_of(site).size(), 3u);
}

TEST(Routes, HaveNamesThatDiffer) {
  Site site = site_with(
      "routes: [ { path: /a, status: 200 }, { name: /a, status: 201 }, { path: /a, status: 202 }, { status: "
      "203 } ]");
  std::vector<std::string> names;
  for (const Route& route : site.routes) names.push_back(route.name);
  EXPECT_EQ(names, (std::vector<std::string>{"/a#2", "/a", "/a#3", "*"}));
}

TEST(Endpoints, KnowTheirPortByTheirScheme) {
  auto parsed = parse_text(R"(upstreams:
  app: { endpoints: [ "http://app", "https://app", "https://app:8443", "http://192.0.2.1", "https://[2001:db8::1]" ] }
listeners: [ { bind: ":80", sites: [ { names: default, plain: { to: app } } ] } ]
)",
                           "lockgate.yaml");
  ASSERT_TRUE(parsed.config);
  const auto& endpoints = parsed.config->upstreams.at(0).endpoints;
  std::vector<int> ports;
  for (const Endpoint& endpoint : endpoints) {
    EXPECT_TRUE(endpoint.http);
    EXPECT_EQ(endpoint.tls, endpoint.url.starts_with("https"));
    ports.push_back(endpoint.port);
  }
  EXPECT_EQ(ports, (std::vector<int>{80, 443, 8443, 80, 443}));
  EXPECT_EQ(endpoints[3].address.text(), "192.0.2.1:80");
  EXPECT_EQ(endpoints[4].address.text(), "[2001:db8::1]:443");
  EXPECT_EQ(endpoints[0].url, "http://app");
}

TEST(EffectiveAlpn, IsHttpWhereRequestsAreRead) {
  Site site;
  EXPECT_EQ(effective_alpn(site), std::vector<std::string>{});
  site.routes.emplace_back();
  EXPECT_EQ(effective_alpn(site), (std::vector<std::string>{"http/1.1", "http/1.0"}));
  site.tls.alpn = {"http/1.0"};
  EXPECT_EQ(effective_alpn(site), std::vector<std::string>{"http/1.0"});
}

}  // namespace
}  // namespace lockgate::config
