#include "proxy/route_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>

namespace lockgate::proxy {
namespace {

using config::RouteMatch;
using Path = RouteMatch::Path;

class Routes : public testing::Test {
 protected:
  config::Route& add(Path kind, const std::string& path) {
    config::Route& route = routes_.emplace_back();
    route.match.kind = kind;
    route.match.path = path;
    RoutePlan plan{.route = &route, .rewrite = {}};
    if (kind == Path::regex) {
      plan.regex = static_cast<std::uint32_t>(regexes_.size());
      regexes_.push_back(*Regex::compile(path));
    }
    table_.add(std::move(plan));
    return route;
  }
  /// The number of the route that is found; -1: none.
  int find(std::string_view path, std::string_view method = "GET", std::string_view query = "") {
    request_.method = method;
    const RoutePlan* found =
        table_.find({.path = path, .query = query, .request = request_, .regexes = regexes_});
    for (int number = 0; const config::Route& route : routes_) {
      if (found && found->route == &route) return number;
      ++number;
    }
    return -1;
  }

  std::deque<config::Route> routes_;
  std::vector<Regex> regexes_;
  RouteTable table_;
  http::Request request_;
};

TEST_F(Routes, AreNoneWhereNoneIsGiven) { EXPECT_EQ(find("/"), -1); }

TEST_F(Routes, EndPrefixesWhereSegmentsEnd) {
  add(Path::prefix, "/a/b");
  add(Path::prefix, "/dir/");
  for (std::string_view path : {"/a/b", "/a/b/", "/a/b/c", "/a/b//c"}) EXPECT_EQ(find(path), 0) << path;
  for (std::string_view path : {"/a/bc", "/a", "/a/", "/", "/A/b", "/b/a/b", "*"})
    EXPECT_EQ(find(path), -1) << path;
  for (std::string_view path : {"/dir/", "/dir/x", "/dir//"}) EXPECT_EQ(find(path), 1) << path;
  for (std::string_view path : {"/dir", "/dirx", "/di"}) EXPECT_EQ(find(path), -1) << path;
}

TEST_F(Routes, TakeEverythingBeneathTheRoot) {
  add(Path::prefix, "/");
  for (std::string_view path : {"/", "/a", "/a/b/", "//"}) EXPECT_EQ(find(path), 0) << path;
  EXPECT_EQ(find("*"), -1);
}

TEST_F(Routes, TakeExactlyOnePath) {
  add(Path::exact, "/a");
  EXPECT_EQ(find("/a"), 0);
  for (std::string_view path : {"/a/", "/a/b", "/ab", "/"}) EXPECT_EQ(find(path), -1) << path;
}

TEST_F(Routes, AreTakenInTheirOrderWhateverTheirKind) {
  const std::vector<std::pair<Path, std::string>> kinds = {{Path::prefix, "/a"},    {Path::prefix, "/a/b"},
                                                           {Path::prefix, "/"},     {Path::exact, "/a/b"},
                                                           {Path::regex, "^/a/.$"}, {Path::any, ""}};
  for (std::size_t first = 0; first < kinds.size(); ++first) {
    for (std::size_t second = 0; second < kinds.size(); ++second) {
      routes_.clear();
      regexes_.clear();
      table_ = RouteTable();
      add(Path::prefix, "/other");
      add(kinds[first].first, kinds[first].second);
      add(kinds[second].first, kinds[second].second);
      EXPECT_EQ(find("/a/b"), 1) << first << " " << second;
    }
  }
}

TEST_F(Routes, GoOnToTheNextWhereAConditionDoesNotHold) {
  add(Path::prefix, "/a").match.methods = {"POST"};
  add(Path::exact, "/a").match.methods = {"GET"};
  add(Path::any, "").match.methods = {"HEAD", "PUT"};
  EXPECT_EQ(find("/a", "POST"), 0);
  EXPECT_EQ(find("/a", "GET"), 1);
  EXPECT_EQ(find("/a", "HEAD"), 1);  // GET stands for it
  EXPECT_EQ(find("/a", "PUT"), 2);
  EXPECT_EQ(find("/b", "HEAD"), 2);
  EXPECT_EQ(find("/b", "GET"), -1);
  EXPECT_EQ(find("/a", "post"), -1);
}

TEST_F(Routes, LookAtFields) {
  add(Path::any, "").match.fields = {{"X-Beta", "1"}, {"x-any", "*"}};
  EXPECT_EQ(find("/"), -1);
  request_.fields.add("x-beta", "1", http::FieldName::other);
  EXPECT_EQ(find("/"), -1);
  request_.fields.add("X-Any", "", http::FieldName::other);
  EXPECT_EQ(find("/"), 0);
  request_.fields.remove("X-Beta");
  request_.fields.add("X-Beta", "2", http::FieldName::other);
  EXPECT_EQ(find("/"), -1);
  request_.fields.add("X-Beta", "1", http::FieldName::other);
  EXPECT_EQ(find("/"), 0);
}

TEST_F(Routes, LookAtTheQuery) {
  add(Path::any, "").match.query = {{"debug", "*"}, {"a b", ""}, {"v", "1"}};
  for (std::string_view query : {"debug&a b&v=1", "v=1&a b=&debug=x", "v=2&v=1&debug&a b"})
    EXPECT_EQ(find("/", "GET", query), 0) << query;
  for (std::string_view query : {"", "debug", "debug&a b&v=11", "debug&a b=x&v=1", "ddebug&a b&v=1", "&&&=&"})
    EXPECT_EQ(find("/", "GET", query), -1) << query;
}

TEST_F(Routes, LeaveChallengesToBeAnsweredBeforeTheRedirect) {
  config::Route& redirect = add(Path::any, "");
  redirect.action = config::RouteAction::redirect;
  redirect.redirect.written = "https";
  add(Path::any, "");
  EXPECT_EQ(find("/"), 0);
  EXPECT_EQ(find("/.well-known/acme-challenge/x"), 1);
  EXPECT_EQ(find("/.well-known/acme-challenge"), 0);
}

TEST_F(Routes, AreFoundAmongTenThousand) {
  for (int i = 0; i < 10'000; ++i)
    add(i % 2 == 0 ? Path::prefix : Path::exact, fmt::format("/app{}/{}", i / 10, i));
  add(Path::any, "");
  for (int i : {0, 1, 2, 777, 5000, 9998, 9999}) EXPECT_EQ(find(fmt::format("/app{}/{}", i / 10, i)), i);
  EXPECT_EQ(find("/app500/5000/x/y"), 5000);
  EXPECT_EQ(find("/app500/5001/x/y"), 10'000);
  EXPECT_EQ(find("/app500"), 10'000);
}

TEST_F(Routes, AreFoundUnderPathsOfManySegments) {
  std::string deep;
  for (int i = 0; i < 40; ++i) {
    deep += fmt::format("/{}", i);
    add(Path::prefix, deep);
  }
  EXPECT_EQ(find(deep + "/x"), 0);
  routes_.front().match.methods = {"POST"};
  EXPECT_EQ(find(deep + "/x"), 1);
  EXPECT_EQ(find("/0/1"), 1);
}

// Each segment may have two entries, with its slash and without.
TEST_F(Routes, AreNotLostHoweverManyPrefixesFit) {
  std::string deep;
  for (int i = 0; i < 100; ++i) {
    deep += "/x";
    add(Path::prefix, deep).match.methods = {"POST"};
    add(Path::prefix, deep + "/").match.methods = {"POST"};
  }
  add(Path::prefix, deep);
  EXPECT_EQ(find(deep + "/"), 200);
  EXPECT_EQ(find(deep), 200);
}

}  // namespace
}  // namespace lockgate::proxy
