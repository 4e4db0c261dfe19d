#include "server/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/parse.h"

namespace lockgate::server {
namespace {

constexpr std::string_view kConfig = R"(
upstreams:
  pool: { endpoints: ["http://192.0.2.1:8080", "http://192.0.2.2:8080"] }
listeners:
  - name: front
    bind: ":80"
    sites:
      - name: app
        names: [app.example.org]
        plain:
          routes:
            - { name: write, path: /app, methods: [POST], to: pool, rewrite: /write }
            - { name: beta, path: /app, fields: { X-Beta: "1" }, to: pool, forward: { host: upstream } }
            - { path: /app, to: pool, rewrite: /new }
            - { name: item, path_regex: "^/item/([0-9]+)$", redirect: "/new/$1" }
            - { name: gone, path_exact: /gone, status: 410, body: "$host has\nnothing" }
            - { name: https, path: /safe, redirect: https }
            - { name: files, path: /static, files: /nowhere/www, rewrite: /v2, fallback: /index.html }
            - { name: closed, path: /closed, files: /nowhere/www, maintenance: { when: always, page: /p, except: 10.0.0.0/8 } }
            - { name: later, path: /later, status: 200, maintenance: { when: /nowhere/sign } }
      - { name: other, names: [other.example.org], plain: { to: "http://192.0.2.3:80" } }
      - { name: bytes, names: [bytes.example.org], plain: { to: "tcp://192.0.2.4:80" } }
)";

nlohmann::json told(const ExplainQuestion& question) {
  auto parsed = config::parse_text(kConfig, "test.yaml");
  for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << words(diagnostic);
  auto text = explain(*parsed.config, question, true);
  EXPECT_TRUE(text) << text.error();
  return text ? nlohmann::json::parse(*text).at(0) : nlohmann::json();
}

nlohmann::json told(const std::string& url) { return told(ExplainQuestion{.name = url}); }

TEST(Explain, TellsTheRouteAndWhatIsSent) {
  auto answer = told("http://app.example.org/app/./x/%7e?y=%2f#z");
  EXPECT_EQ(answer["listener"], "front");
  EXPECT_EQ(answer["site"], "app");
  EXPECT_EQ(answer["why"], "name app.example.org");
  EXPECT_EQ(answer["path"], "/app/x/~");
  EXPECT_EQ(answer["route"], "/app");
  EXPECT_EQ(answer["route_takes"], "path /app");
  EXPECT_EQ(answer["route_place"], "test.yaml:14");
  EXPECT_EQ(answer["action"], "forward");
  EXPECT_EQ(answer["upstream"], "pool");
  EXPECT_EQ(answer["endpoints"].size(), 2u);
  EXPECT_EQ(answer["target"], "/new/x/~?y=%2f");
  EXPECT_EQ(answer["host"], "app.example.org");
}

TEST(Explain, TellsTheFile) {
  auto answer = told("http://app.example.org/static/a%20b/c.html");
  EXPECT_EQ(answer["action"], "files");
  EXPECT_EQ(answer["folder"], "/nowhere/www");
  EXPECT_EQ(answer["file"], "/v2/a b/c.html");
  EXPECT_EQ(answer["fallback"], "/index.html");
  EXPECT_EQ(told("http://app.example.org/static/.git/config")["status"], 404);
}

TEST(Explain, TellsOfMaintenance) {
  auto answer = told("http://app.example.org/closed/x");
  EXPECT_EQ(answer["maintenance"], "always");
  EXPECT_EQ(answer["action"], "refuse");
  EXPECT_EQ(answer["status"], 503);
  EXPECT_EQ(answer["page"], "/p");
  answer = told({.name = "http://app.example.org/closed/x", .client = "10.1.2.3"});
  EXPECT_EQ(answer["maintenance"], "always, but not for this client");
  EXPECT_EQ(answer["action"], "files");
  answer = told("http://app.example.org/later");
  EXPECT_EQ(answer["maintenance"], "while there is /nowhere/sign, which there is not");
  EXPECT_EQ(answer["action"], "answer");
}

TEST(Explain, AsksForTheRequestsMethodAndFields) {
  auto answer = told({.name = "http://app.example.org/app", .method = "POST"});
  EXPECT_EQ(answer["route"], "write");
  EXPECT_EQ(answer["target"], "/write");
  answer = told({.name = "http://app.example.org/app", .fields = {"x-beta: 1"}});
  EXPECT_EQ(answer["route"], "beta");
  EXPECT_EQ(answer["route_takes"], "path /app, field X-Beta: 1");
  EXPECT_EQ(answer["host"], nlohmann::json({"192.0.2.1:8080", "192.0.2.2:8080"}));
}

TEST(Explain, TellsAnswersOfOurOwn) {
  auto answer = told("http://app.example.org/item/17");
  EXPECT_EQ(answer["action"], "redirect");
  EXPECT_EQ(answer["status"], 302);
  EXPECT_EQ(answer["location"], "/new/17");
  answer = told("http://app.example.org/safe?x");
  EXPECT_EQ(answer["status"], 301);
  EXPECT_EQ(answer["location"], "https://app.example.org/safe?x");
  answer = told("http://app.example.org/gone");
  EXPECT_EQ(answer["action"], "answer");
  EXPECT_EQ(answer["status"], 410);
  EXPECT_EQ(answer["body"], "app.example.org has\nnothing");
}

TEST(Explain, TellsWhatIsRefused) {
  auto status = [](const ExplainQuestion& question) {
    auto answer = told(question);
    EXPECT_EQ(answer["action"], "refuse");
    EXPECT_FALSE(answer["reason"].get<std::string>().empty());
    return answer["status"].get<int>();
  };
  EXPECT_EQ(status({.name = "http://app.example.org/nowhere"}), 404);
  EXPECT_EQ(status({.name = "http://app.example.org"}), 404);
  EXPECT_EQ(status({.name = "http://app.example.org/app/..%2fx"}), 400);
  EXPECT_EQ(status({.name = "http://app.example.org/../../x"}), 400);
  EXPECT_EQ(status({.name = "http://app.example.org/a b"}), 400);
  EXPECT_EQ(status({.name = "http://app.example.org/app", .method = "get it"}), 400);
  EXPECT_EQ(status({.name = "http://app.example.org/app", .fields = {"Host: x.example.net"}}), 421);
  EXPECT_EQ(status({.name = "http://app.example.org/app", .fields = {"Host: bytes.example.org"}}), 421);
  EXPECT_EQ(status({.name = "http://app.example.org/" + std::string(9000, 'a')}), 414);
}

TEST(Explain, FollowsTheHostToAnotherSite) {
  auto answer = told({.name = "http://app.example.org/x", .fields = {"Host: other.example.org"}});
  EXPECT_EQ(answer["site"], "app");
  EXPECT_EQ(answer["request_site"], "other");
  EXPECT_EQ(answer["host"], "other.example.org");
}

TEST(Explain, NamesTheRoutesWhereNoRequestIsAsked) {
  auto answer = told({.name = "app.example.org", .plain = true});
  EXPECT_EQ(answer["routes"].size(), 9u);
  EXPECT_FALSE(answer.contains("action"));
  answer = told("http://bytes.example.org/x");
  EXPECT_EQ(answer["upstream"], "tcp://192.0.2.4:80");
  EXPECT_FALSE(answer.contains("route"));
}

TEST(Explain, KeepsALinePerThingInText) {
  auto parsed = config::parse_text(kConfig, "test.yaml");
  auto text = explain(*parsed.config, {.name = "http://app.example.org/gone"}, false);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"(listener front
  site: app
  verdict: plain
  why: name app.example.org
  place: test.yaml:8
  path: /gone
  route: gone
  route_takes: path_exact /gone
  route_place: test.yaml:16
  action: answer
  status: 410
  body: "app.example.org has\nnothing"
)");
}

}  // namespace
}  // namespace lockgate::server
