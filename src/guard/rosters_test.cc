#include "guard/rosters.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/parse.h"

namespace lockgate::guard {
namespace {

constexpr std::string_view kStrong = "{SSHA}64NHIAE0LIDpkJ7ArEqFh+ujys8MjeDy";
constexpr std::string_view kWeak = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

class Rostered : public testing::Test {
 protected:
  Rostered() { std::filesystem::create_directories(folder_); }
  ~Rostered() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  std::string line(const std::string& user, std::string_view hash = kStrong) {
    return user + ":" + std::string(hash) + "\n";
  }
  config::Config config(const std::string& groups = "") {
    config::Config config;
    config.users.push_back({.name = "staff",
                            .file = folder_ / "users",
                            .groups = groups.empty() ? "" : std::string(folder_ / groups),
                            .place = {.file = "lockgate.yaml", .line = 2, .column = 3}});
    return config;
  }
  void use(const config::Config& config) {
    auto reading = Rosters::read(config);
    ASSERT_TRUE(reading) << words(reading.error().front());
    rosters_.use(std::move(*reading), publish_);
  }
  // Two looks, between which nothing changes, as it takes for a change to count.
  std::vector<Rosters::News> look_twice() {
    auto first = rosters_.look_again(publish_);
    EXPECT_TRUE(first.empty());
    return rosters_.look_again(publish_);
  }
  const Users& users(const config::Config& config) { return *rosters_.published(config.users[0])->at(0); }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("rosters_" + std::to_string(::getpid()));
  Rosters rosters_{1};
  Rosters::Publish publish_ = [](const Rosters::Place& place, const std::shared_ptr<const Users>& users) {
    place->take(0, users);
  };
};

TEST_F(Rostered, AreReadWithTheirGroups) {
  write("users", line("alice") + line("bob"));
  write("groups", "staff: alice\n");
  auto wanted = config("groups");
  use(wanted);
  EXPECT_EQ(users(wanted).size(), 2u);
  EXPECT_EQ(users(wanted).hash_of("alice"), kStrong);
  EXPECT_TRUE(users(wanted).is_in("alice", "staff"));
  EXPECT_FALSE(users(wanted).is_in("bob", "staff"));
}

TEST_F(Rostered, RefuseAFileThatCannotBeUsedWithItsLine) {
  write("users", line("alice") + "bob:hunter2\n");
  auto reading = Rosters::read(config());
  ASSERT_FALSE(reading);
  std::string told = words(reading.error().front());
  EXPECT_TRUE(told.starts_with("lockgate.yaml:2:3: error: ")) << told;
  EXPECT_TRUE(told.contains("users:2: the line has no hash that is known here")) << told;
  EXPECT_FALSE(told.contains("hunter2"));
  write("users", line("alice"));
  EXPECT_TRUE(Rosters::read(config("groups")).error().front().message.contains("groups cannot be read"));
}

TEST_F(Rostered, AreReadAgainWhenAFileHasChangedAndStaysSo) {
  write("users", line("alice"));
  auto wanted = config();
  use(wanted);
  EXPECT_TRUE(look_twice().empty());
  write("users", line("alice") + line("bob"));
  EXPECT_TRUE(rosters_.look_again(publish_).empty());
  EXPECT_EQ(users(wanted).size(), 1u);
  auto news = rosters_.look_again(publish_);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_TRUE(news[0].good);
  EXPECT_EQ(users(wanted).size(), 2u);
  EXPECT_TRUE(look_twice().empty());
}

TEST_F(Rostered, KeepTheLastGoodOneSayItOnceAndRecoverByThemselves) {
  write("users", line("alice"));
  auto wanted = config();
  use(wanted);
  write("users", "bob\n");
  auto news = look_twice();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_FALSE(news[0].good);
  EXPECT_TRUE(news[0].sentence.contains("users:1: the line has no colon")) << news[0].sentence;
  EXPECT_TRUE(users(wanted).hash_of("alice"));
  EXPECT_TRUE(look_twice().empty());
  write("users", "bob\n");  // written again, and no better
  EXPECT_TRUE(look_twice().empty());
  std::filesystem::remove(folder_ / "users");
  news = look_twice();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_TRUE(news[0].sentence.contains("cannot be read"));
  EXPECT_TRUE(users(wanted).hash_of("alice"));
  write("users", line("carol"));
  news = look_twice();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_TRUE(news[0].good);
  EXPECT_TRUE(users(wanted).hash_of("carol"));
}

TEST_F(Rostered, FollowTheFileOfGroupsToo) {
  write("users", line("alice"));
  write("groups", "staff: bob\n");
  auto wanted = config("groups");
  use(wanted);
  write("groups", "staff: alice bob\n");
  EXPECT_EQ(look_twice().size(), 1u);
  EXPECT_TRUE(users(wanted).is_in("alice", "staff"));
}

TEST_F(Rostered, AreFoundAtTheSamePlaceOverReloads) {
  write("users", line("alice"));
  auto wanted = config();
  use(wanted);
  auto place = rosters_.published(wanted.users[0]);
  write("users", line("bob"));
  wanted.users[0].name = "renamed";
  use(wanted);
  EXPECT_EQ(rosters_.published(wanted.users[0]), place);
  EXPECT_TRUE(place->at(0)->hash_of("bob"));
}

TEST_F(Rostered, AreWarnedOfWithWeakHashesAndUnknownMembers) {
  write("users", line("alice", kWeak) + line("bob") + line("carol", "6MFdfFge6ORoQ"));
  write("groups", "staff: alice dave\n");
  auto wanted = config("groups");
  auto reading = Rosters::read(wanted);
  ASSERT_TRUE(reading);
  auto warnings = Rosters::check(wanted, *reading);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_TRUE(warnings[0].message.contains("soon guessed (DES, {SHA}): alice and 1 more"))
      << warnings[0].message;
  EXPECT_TRUE(warnings[1].message.ends_with("does not have: dave in staff")) << warnings[1].message;
  write("users", line("alice") + line("dave"));
  EXPECT_TRUE(Rosters::check(wanted, *Rosters::read(wanted)).empty());
}

}  // namespace
}  // namespace lockgate::guard
