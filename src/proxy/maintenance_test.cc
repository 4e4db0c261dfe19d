#include "proxy/maintenance.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "proxy/made_house.h"
#include "proxy/written_page.h"
#include "tls/made_folder.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

const SocketAddress kClient = made_address("192.0.2.1:1234"), kInside = made_address("10.1.2.3:1234");

Maintenance made(const config::Maintenance& config) {
  return {config, std::make_shared<const Sign>(config.when), nullptr};
}

TEST(Maintenance, HoldsWhileItsFileIsThere) {
  tls::made::Folder folder;
  config::Maintenance config{.when = folder.path("closed")};
  Maintenance maintenance = made(config);
  Instant now{1};
  EXPECT_FALSE(maintenance.holds_for(kClient, now));
  folder.file("closed", "");
  EXPECT_FALSE(maintenance.holds_for(kClient, now + 999ms));  // nobody looks before a second is over
  EXPECT_TRUE(maintenance.holds_for(kClient, now + 1s));
  std::filesystem::remove(folder.path("closed"));
  EXPECT_TRUE(maintenance.holds_for(kClient, now + 1999ms));
  EXPECT_FALSE(maintenance.holds_for(kClient, now + 2s));
}

TEST(Maintenance, HoldsFromTheBeginningIfItsFileIsThereAlready) {
  tls::made::Folder folder;
  config::Maintenance config{.when = folder.file("closed", "")};
  EXPECT_TRUE(made(config).holds_for(kClient, Instant{1}));
}

TEST(Maintenance, SparesSomeClients) {
  config::Maintenance config{.when = "always", .except = {*Network::parse("10.0.0.0/8")}};
  EXPECT_TRUE(made(config).holds_for(kClient, Instant{1}));
  EXPECT_FALSE(made(config).holds_for(kInside, Instant{1}));
  EXPECT_TRUE(made(config).holds_for(*SocketAddress::parse("unix:/run/x"), Instant{1}));
}

TEST(Maintenance, IsNotMeantUnlessItIsSaid) { EXPECT_FALSE(Maintenance().holds_for(kClient, Instant{1})); }

TEST(Shelf, TellsWhatCannotBeUsedAtItsPlace) {
  auto config = made_config(R"(
defaults: { error_pages: { 404: /nowhere/404.html } }
listeners:
  - bind: 127.0.0.1:80
    sites:
      - names: [a.example.org]
        maintenance: { when: /nowhere/sign, page: /nowhere/later.html }
        plain:
          routes:
            - { path: /a, files: /nowhere/www }
            - { path: /b, files: /nowhere/www, error_pages: { 404: /nowhere/other.html } }
)");
  auto shelf = Shelf::filled_for(*config);
  ASSERT_FALSE(shelf);
  std::vector<std::string> told;
  for (const auto& mistake : shelf.error()) told.push_back(words(mistake));
  ASSERT_EQ(told.size(), 4u);
  EXPECT_TRUE(told[0].starts_with("test.yaml:2:33: error: /nowhere/404.html cannot be read: No such"))
      << told[0];
  EXPECT_TRUE(told[1].starts_with("test.yaml:10:15: error: the folder /nowhere/www cannot be opened"))
      << told[1];
}

}  // namespace
}  // namespace lockgate::proxy
