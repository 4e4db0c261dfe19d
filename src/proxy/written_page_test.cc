#include "proxy/written_page.h"

#include <gtest/gtest.h>

#include "proxy/error_pages.h"
#include "proxy/made_house.h"
#include "tls/made_folder.h"

namespace lockgate::proxy {
namespace {

std::string filled_in(std::string_view name, std::string_view text) {
  static const config::Listener kListener{.name = "front"};
  static const ListenerPlan kPlan{.listener = &kListener};
  static const Facts kConnection;
  RequestFacts facts{.connection = kConnection, .listener = kPlan};
  facts.host = "a<b>\"c\"&'d'";
  facts.path = "/x\\y";
  facts.id = "1-1";
  facts.status = 404;
  Arena arena;
  return std::string(WrittenPage(name, text).filled_in(facts, arena));
}

TEST(WrittenPage, HasItsVariablesFilledIn) {
  EXPECT_EQ(filled_in("a.txt", "$status: $request_id, ${listener}s"), "404: 1-1, fronts");
  EXPECT_EQ(filled_in("a.html", "<p>nothing</p>"), "<p>nothing</p>");
  EXPECT_EQ(filled_in("a.html", ""), "");
}

TEST(WrittenPage, KeepsDollarsOfItsOwn) {
  constexpr std::string_view kScript = "$(function() { cost = '$5' + `${x}` + '$$'; $hosts; $ }) $";
  EXPECT_EQ(filled_in("a.html", kScript), kScript);
  EXPECT_EQ(filled_in("a.txt", "$$status $1 $duration_ms"), "$404 $1 $duration_ms");
}

TEST(WrittenPage, IsNotWrittenByItsClients) {
  EXPECT_EQ(filled_in("a.html", "$host"), "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;");
  EXPECT_EQ(filled_in("a.xml", "$host"), "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;");
  EXPECT_EQ(filled_in("page", "$host"), "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;");
  EXPECT_EQ(filled_in("a.json", "{\"host\": \"$host\", \"path\": \"$path\"}"),
            R"({"host": "a<b>\"c\"&'d'", "path": "/x\\y"})");
  EXPECT_EQ(filled_in("a.txt", "$host"), "a<b>\"c\"&'d'");
}

TEST(WrittenPage, IsReadWithinLimits) {
  tls::made::Folder folder;
  auto page = WrittenPage::read(folder.file("a.json", "{}"));
  ASSERT_TRUE(page);
  EXPECT_EQ((*page)->content_type(), "application/json");
  EXPECT_TRUE(WrittenPage::read(folder.file("largest", std::string(WrittenPage::kLargest, 'a'))));
  auto large = WrittenPage::read(folder.file("large", std::string(WrittenPage::kLargest + 1, 'a')));
  ASSERT_FALSE(large);
  EXPECT_TRUE(large.error().contains("at most 65536")) << large.error();
  std::string many;
  for (int i = 0; i < 101; ++i) many += "$target ";
  auto varied = WrittenPage::read(folder.file("varied", many));
  ASSERT_FALSE(varied);
  EXPECT_TRUE(varied.error().contains("101 variables")) << varied.error();
  EXPECT_FALSE(WrittenPage::read(folder.path("nowhere")));
  EXPECT_FALSE(WrittenPage::read(folder.path()));
}

TEST(ErrorPages, AreChosenByStatusThenClassThenAll) {
  auto page = [] { return std::make_shared<const WrittenPage>("a", ""); };
  auto one = page(), class4 = page(), all = page();
  ErrorPages pages;
  EXPECT_EQ(pages.find(404), nullptr);
  pages.add("default", all);
  pages.add("4xx", class4);
  pages.add("404", one);
  pages.add("500", nullptr);
  EXPECT_EQ(pages.find(404), one.get());
  EXPECT_EQ(pages.find(403), class4.get());
  EXPECT_EQ(pages.find(500), all.get());
  EXPECT_EQ(pages.find(200), nullptr);
  EXPECT_EQ(pages.find(304), nullptr);
}

}  // namespace
}  // namespace lockgate::proxy
