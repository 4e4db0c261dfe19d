#include "proxy/upward.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "http/head1.h"
#include "proxy/downward.h"
#include "proxy/handed_on.h"
#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using http::FieldName;

constexpr std::string_view kConfig = R"(
upstreams:
  up: {{ endpoints: ["http://192.0.2.1:8080"] }}
listeners:
  - {{ name: front, bind: 127.0.0.1:80, trusted_proxies: {{ from: 10.0.0.9, field: CF-Connecting-IP }}, sites: [ {{ name: web, names: [a.example.org], plain: {{ routes: [ {} ] }} }} ] }}
)";

/// One request through a plan of one route.
class Passing {
 public:
  explicit Passing(const std::string& route, const std::string& path = "/")
      : target_(path), plan_(made_plan(fmt::format(fmt::runtime(kConfig), route), registry_)) {
    for (const auto& pattern : plan_->patterns) regexes_.push_back(*Regex::compile(pattern));
    facts_.site = &plan_->listeners.front().sites.front();
    facts_.route = &facts_.site->routes.routes().front();
    if (facts_.route->regex != RoutePlan::kNoRegex)
      EXPECT_TRUE(regexes_[facts_.route->regex].match(path_of(target_), facts_.captures));
    connection_.client = made_address("203.0.113.5:4711");
    connection_.peer = made_address("10.0.0.9:1234");
    facts_.client = connection_.client;
    request_.method = "GET";
    request_.authority = "a.example.org:8443";
    facts_.host = "a.example.org";
    facts_.method = "GET";
    facts_.scheme = "https";
    facts_.id = "1-1";
  }

  /// What goes up: the target, Host, and all fields, each in a line.
  std::string up() {
    facts_.authority = request_.authority;
    facts_.target = target_;
    facts_.path = path_of(target_);
    facts_.query =
        target_.contains('?') ? std::string_view(target_).substr(target_.find('?') + 1) : std::string_view();
    auto targets = made_targets(plan_->upstreams.front()->config);
    facts_.endpoint = targets->front().endpoint.get();
    endpoint_ = targets->front().endpoint;
    prepare_request(request_, facts_, regexes_, arena_);
    address_request(request_, facts_, targets->front(), arena_);
    return fmt::format("{} {}\n{}", request_.target, request_.authority, lines(request_.fields));
  }
  std::string target() {
    up();
    return std::string(request_.target);
  }
  http::Fields::List trailers(http::Fields::List given) {
    return trailers_handed_on(std::move(given), facts_);
  }
  void come_through_proxy() { facts_.through_proxy = true; }
  std::string down() {
    up();
    prepare_answer(response_, facts_, request_, regexes_, arena_);
    return lines(response_.fields);
  }
  static std::string lines(const http::Fields& fields) {
    std::string text;
    for (const auto& field : fields) text += fmt::format("{}: {}\n", field.name, field.value);
    return text;
  }

  http::Request request_;
  http::Response response_;
  Facts connection_;

 private:
  static std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

  std::string target_;
  MadeRegistry registry_;
  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<Endpoint> endpoint_;
  std::vector<Regex> regexes_;
  Arena arena_;
  RequestFacts facts_{.connection = connection_, .listener = plan_->listeners.front()};
};

const std::string kPlain = "forward: { via: off, client_fields: [] }";

std::string rewritten(const std::string& match, const std::string& rewrite, const std::string& path) {
  return Passing(fmt::format("{{ {}, to: up, rewrite: \"{}\", {} }}", match, rewrite, kPlain), path).target();
}

TEST(Upward, TellsOfTheClient) {
  Passing passing("{ to: up, forward: { via: off, client_fields: [x_forwarded, x_real_ip, forwarded] } }");
  passing.request_.fields.add(FieldName::x_forwarded_for, "1.2.3.4");
  passing.request_.fields.add(FieldName::forwarded, "for=1.2.3.4");
  EXPECT_EQ(passing.up(),
            "/ a.example.org:8443\n"
            "X-Forwarded-For: 203.0.113.5\nX-Forwarded-Proto: https\nX-Forwarded-Host: a.example.org:8443\n"
            "X-Forwarded-Port: 8443\nX-Real-IP: 203.0.113.5\n"
            "Forwarded: for=\"203.0.113.5:4711\";host=\"a.example.org:8443\";proto=https\n");
}

// A proxy sets the field that it is trusted for, and lets through what clients call nearly the same.
TEST(Upward, PassesOnWhatATrustedProxySaysAndNothingThatPassesForIt) {
  Passing passing("{ to: up, " + kPlain + " }");
  passing.come_through_proxy();
  passing.request_.fields.list().push_back({"CF-Connecting-IP", "1.2.3.4", FieldName::other});
  passing.request_.fields.list().push_back({"CF_Connecting.IP", "5.6.7.8", FieldName::other});
  EXPECT_EQ(passing.up(), "/ a.example.org:8443\nCF-Connecting-IP: 1.2.3.4\n");
  EXPECT_TRUE(passing
                  .trailers({{"CF-Connecting-IP", "5.6.7.8", FieldName::other},
                             {"CF_Connecting.IP", "5.6.7.8", FieldName::other}})
                  .empty());
}

TEST(Upward, PassesOnNothingThatTheClientSaysOfItself) {
  Passing passing("{ to: up, " + kPlain + " }");
  for (FieldName id : {FieldName::x_forwarded_for, FieldName::x_forwarded_proto, FieldName::x_forwarded_host,
                       FieldName::x_forwarded_port, FieldName::x_real_ip, FieldName::forwarded})
    passing.request_.fields.add(id, "1");
  passing.request_.fields.add("X-Other", "1", FieldName::other);
  EXPECT_EQ(passing.up(), "/ a.example.org:8443\nX-Other: 1\n");
}

TEST(Upward, SignsViaInFourForms) {
  std::string us(own_pseudonym());
  for (const auto& [form, expected] : {std::pair<std::string, std::string>{"off", "Via: 1.0 other\n"},
                                       {"on", "Via: 1.0 other\nVia: 1.1 " + us + "\n"},
                                       {"full", "Via: 1.0 other\nVia: 1.1 " + us + " (lockgate)\n"},
                                       {"block", ""}}) {
    Passing passing("{ to: up, forward: { client_fields: [], via: " + form + " } }");
    passing.request_.fields.add(FieldName::via, "1.0 other");
    EXPECT_FALSE(has_been_here(passing.request_));
    EXPECT_EQ(passing.up(), "/ a.example.org:8443\n" + expected) << form;
    EXPECT_EQ(has_been_here(passing.request_), form == "on" || form == "full");
  }
}

TEST(Upward, ChoosesTheHost) {
  for (auto [host, expected] :
       {std::pair{"preserve", "a.example.org:8443"}, std::pair{"upstream", "192.0.2.1:8080"},
        std::pair{"b.example.org", "b.example.org"}}) {
    Passing passing(fmt::format("{{ to: up, forward: {{ host: {}, via: off, client_fields: [] }} }}", host));
    EXPECT_EQ(passing.up(), fmt::format("/ {}\n", expected));
  }
  Passing nameless("{ to: up, " + kPlain + " }");
  nameless.request_.authority = "";
  EXPECT_EQ(nameless.up(), "/ 192.0.2.1:8080\n");
}

TEST(Upward, JoinsTheRewriteWithOneSlash) {
  for (std::string prefix : {"/app", "/app/"}) {
    for (std::string rewrite : {"/base", "/base/"})
      EXPECT_EQ(rewritten("path: " + prefix, rewrite, "/app/x/y?z"), "/base/x/y?z")
          << prefix << " " << rewrite;
  }
  EXPECT_EQ(rewritten("path: /app", "/base", "/app"), "/base");
  EXPECT_EQ(rewritten("path: /app", "/base", "/app/"), "/base/");
  EXPECT_EQ(rewritten("path: /app", "/", "/app/x"), "/x");
  EXPECT_EQ(rewritten("path: /app", "/", "/app"), "/");
  EXPECT_EQ(rewritten("path: /", "/base", "/x"), "/base/x");
  EXPECT_EQ(rewritten("path_exact: /app", "/other", "/app?x"), "/other?x");
}

TEST(Upward, RewritesWhatAnExpressionHasMatched) {
  EXPECT_EQ(rewritten("path_regex: \"^/u/([0-9]+)/(.*)\"", "/$2/$1", "/u/7/x/y?z"), "/x/y/7?z");
  EXPECT_EQ(rewritten("path_regex: \"/b+\"", "/B", "/a/bbbc"), "/a/Bc");
  EXPECT_EQ(rewritten("path_regex: \"z*\"", "/", "/abc"), "/abc");
}

TEST(Upward, EditsFieldsInItsOrder) {
  Passing passing("{ to: up, " + kPlain +
                  ", request_fields: { remove: [X-Gone], edit: { X-Edit: { pattern: \"b(.)\", with: "
                  "\"<\\\\1>\" } }, set: { X-Set: "
                  "\"$client_address:$client_port $peer_address\", X-Empty: $query }, add: { X-Add: \"$$ "
                  "$scheme $host $site "
                  "$listener $request_id\" } } }");
  for (std::string_view name : {"x-gone", "X-Edit", "x-edit", "X-Set", "X-Empty", "X-Add"})
    passing.request_.fields.add(name, "abcbd", FieldName::other);
  EXPECT_EQ(passing.up(),
            "/ a.example.org:8443\nX-Edit: a<c><d>\nx-edit: a<c><d>\nX-Add: abcbd\n"
            "X-Set: 203.0.113.5:4711 10.0.0.9\nX-Add: $ https a.example.org web front 1-1\n");
}

TEST(Downward, RewritesWhatTheUpstreamSaysOfItself) {
  Passing passing(
      "{ path: /app, to: up, rewrite: /base, forward: { host: upstream, via: off, client_fields: [] } }",
      "/app/x");
  passing.response_.fields.add(FieldName::location, "http://192.0.2.1:8080/base/y?z");
  passing.response_.fields.add(FieldName::content_location, "/base/w");
  passing.response_.fields.add(FieldName::set_cookie, "a=b; Path=/base; Domain=192.0.2.1");
  passing.response_.fields.add("X-Other", "http://192.0.2.1:8080/base", FieldName::other);
  std::string down = passing.down();
  EXPECT_TRUE(down.contains("Location: https://a.example.org:8443/app/y?z\n")) << down;
  EXPECT_TRUE(down.contains("Content-Location: /app/w\n")) << down;
  EXPECT_TRUE(down.contains("Path=/app")) << down;
  EXPECT_TRUE(down.contains("X-Other: http://192.0.2.1:8080/base\n")) << down;
}

TEST(Downward, LeavesAnswersAloneWhereItShall) {
  Passing passing(
      "{ to: up, forward: { host: upstream, rewrite_answers: off, via: off, client_fields: [] } }");
  passing.response_.fields.add(FieldName::location, "http://192.0.2.1:8080/y");
  EXPECT_EQ(passing.down(), "Location: http://192.0.2.1:8080/y\n");
}

TEST(Downward, EditsFieldsWithExpressionsOfItsOwn) {
  Passing passing("{ to: up, " + kPlain +
                  ", request_fields: { edit: { X: { pattern: a, with: up } } }, response_fields: { remove: "
                  "Server, edit: { X: { "
                  "pattern: a, with: down } }, add: { Y: $method } } }");
  passing.request_.fields.add("X", "a", FieldName::other);
  passing.response_.fields.add("X", "a", FieldName::other);
  passing.response_.fields.add("server", "secret", FieldName::other);
  EXPECT_EQ(passing.down(), "X: down\nY: GET\n");
  EXPECT_EQ(Passing::lines(passing.request_.fields), "X: up\n");
}

TEST(Upward, NobodyTellsInAnotherSpellingWhatTheOperatorTells) {
  Passing passing("{ path: /, to: up, request_fields: { set: { X-Client-Cert: $client_certificate_pem } } }");
  for (const char* name : {"X-Client-Cert", "x-client-cert", "X_Client_Cert", "X-CLIENT_CERT"})
    passing.request_.fields.add(name, "forged", FieldName::other);
  EXPECT_FALSE(passing.up().contains("forged"));
}

TEST(Upward, NobodyTellsInAnotherSpellingWhatWeTell) {
  Passing passing("{ to: up, forward: { client_fields: [request_id] } }");
  for (const char* name : {"X_Forwarded_For", "x-forwarded_proto", "X.Forwarded.Host", "X_FORWARDED_PORT",
                           "X_Real_IP", "FORWARDED", "X_Request_ID", "Client_Cert", "Client_Cert_Chain"})
    passing.request_.fields.add(name, "forged", wire::field_name(name));
  std::string up = passing.up();
  EXPECT_FALSE(up.contains("forged")) << up;
  EXPECT_TRUE(up.contains("X-Request-ID: 1-1\n")) << up;
}

TEST(Upward, LeavesARequestsIdentityToTheClientUnlessWeTellOne) {
  Passing passing("{ to: up, " + kPlain + " }");
  passing.request_.fields.add(FieldName::x_request_id, "7");
  passing.request_.fields.add("X_Request_ID", "8", FieldName::other);
  EXPECT_EQ(passing.up(), "/ a.example.org:8443\nX-Request-ID: 7\nX_Request_ID: 8\n");
}

TEST(Upward, TakesWhatWeTellOutOfTrailers) {
  Passing passing("{ to: up, request_fields: { remove: X-Gone } }");
  http::Fields::List trailers = {
      {"X_Forwarded_For", "1"}, {"X-Real_IP", "1"}, {"Client_Cert", "1"}, {"X_Gone", "1"}, {"X-Sum", "1"}};
  trailers = passing.trailers(trailers);
  ASSERT_EQ(trailers.size(), 1u);
  EXPECT_EQ(trailers.front().name, "X-Sum");
}

TEST(Upward, WhatIsRemovedIsRemovedInEverySpelling) {
  Passing passing("{ path: /, to: up, request_fields: { remove: [X-User] } }");
  passing.request_.fields.add("X_User", "root", FieldName::other);
  passing.request_.fields.add("X-User-Agent", "stays", FieldName::other);
  std::string up = passing.up();
  EXPECT_FALSE(up.contains("root"));
  EXPECT_TRUE(up.contains("stays"));
}

}  // namespace
}  // namespace lockgate::proxy
