#include "guard/address_sources.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/parse.h"

namespace lockgate::guard {
namespace {

class Sources : public testing::Test {
 protected:
  Sources()
      : folder_(std::filesystem::path(testing::TempDir()) / ("lockgate-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Sources() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  auto of(const std::string& lists) const {
    auto parsed = config::parse_text(
        fmt::format(
            "state_folder: {}\n{}\nlisteners: [{{ bind: ':1', sites: [{{ names: default, reject: }}] }}]\n",
            folder_.string(), lists),
        "test.yaml");
    EXPECT_TRUE(parsed.config);
    return AddressSources::of(*parsed.config);
  }
  std::string trouble_of(const std::string& lists) const {
    auto sources = of(lists);
    if (sources) return "";
    return fmt::format("{}: {}", sources.error().front().place.line, sources.error().front().message);
  }

  std::filesystem::path folder_;
};

bool holds(const ListSources& list, const char* ip) { return list.now().contains(Ip::parse(ip).value()); }

TEST_F(Sources, AListHoldsWhatAllItsPartsHold) {
  auto sources = of(fmt::format("address_lists: {{ all: {{ networks: 10.0.0.0/8, file: [{}, {}] }} }}",
                                write("a", "192.0.2.1\n"), write("b", "2001:db8::/32 # six\n")));
  ASSERT_TRUE(sources);
  const ListSources& list = sources->lists.front();
  for (const char* ip : {"10.1.2.3", "192.0.2.1", "2001:db8::1"}) EXPECT_TRUE(holds(list, ip)) << ip;
  EXPECT_FALSE(holds(list, "192.0.2.2"));
}

TEST_F(Sources, AFileThatCannotBeUsedIsToldWithItsLine) {
  EXPECT_EQ(trouble_of("address_lists: { bad: { file: " + write("bad", "192.0.2.1\nnonsense\n") + " } }"),
            fmt::format("2: the address list `bad`: {}:2: `nonsense` is no network, address or range",
                        path("bad")));
  EXPECT_EQ(trouble_of("address_lists: { bad: { file: " + path("none") + " } }"),
            fmt::format("2: the address list `bad`: {} cannot be read: No such file or directory; see "
                        "whether the name is right",
                        path("none")));
  EXPECT_TRUE(trouble_of("address_lists: { bad: { file: " + folder_.string() + " } }")
                  .ends_with(" is a folder; name a file inside it"));
}

TEST_F(Sources, AFileThatGoesBadKeepsWhatItHeld) {
  ListFile file(write("list", "192.0.2.0/24\n"));
  ASSERT_TRUE(file.read());
  EXPECT_FALSE(file.has_changed());
  write("list", "rubbish, and longer\n");
  EXPECT_TRUE(file.has_changed());
  EXPECT_FALSE(file.read());
  EXPECT_FALSE(file.has_changed()) << "it is told once";
  EXPECT_TRUE(file.networks()->contains(Ip::parse("192.0.2.1").value()));
  std::filesystem::remove(path("list"));
  EXPECT_TRUE(file.has_changed());
  EXPECT_FALSE(file.read());
  EXPECT_FALSE(file.has_changed());
  write("list", "198.51.100.0/24\n");
  EXPECT_TRUE(file.has_changed());
  ASSERT_TRUE(file.read());
  EXPECT_FALSE(file.networks()->contains(Ip::parse("192.0.2.1").value()));
}

TEST_F(Sources, WhatWasFetchedIsThereAtTheNextStart) {
  std::string url = "https://lists.example/drop.txt?key=secret";
  ListUrl first(url, folder_.string());
  first.read_copy();
  EXPECT_FALSE(first.networks());
  EXPECT_EQ(first.shown(), "https://lists.example/drop.txt");
  http::Fetched fetched{.body = "192.0.2.0/24 ; SBL1\n", .etag = "\"v1\"", .last_modified = "yesterday"};
  ASSERT_TRUE(first.take(fetched));
  ASSERT_TRUE(first.keep_copy(fetched));
  ListUrl second(url, folder_.string());
  second.read_copy();
  ASSERT_TRUE(second.networks());
  EXPECT_TRUE(second.networks()->contains(Ip::parse("192.0.2.9").value()));
  EXPECT_EQ(second.etag(), "\"v1\"");
  EXPECT_EQ(second.last_modified(), "yesterday");
  EXPECT_GT(second.fetched_at(), 0);
}

TEST_F(Sources, WhatWasFetchedAndIsNoListChangesNothing) {
  ListUrl url("http://lists.example/x", folder_.string());
  ASSERT_TRUE(url.take({.body = "192.0.2.0/24\n"}));
  auto taken = url.take({.body = "<html>down for maintenance</html>"});
  ASSERT_FALSE(taken);
  EXPECT_TRUE(taken.error().starts_with("http://lists.example/x:1: ")) << taken.error();
  EXPECT_TRUE(url.networks()->contains(Ip::parse("192.0.2.9").value()));
}

TEST_F(Sources, ADatabaseThatIsNoneIsRefused) {
  for (const std::string& text : {std::string(), std::string("no database"), std::string(200'000, '\xab')}) {
    std::string told = trouble_of("geo: { country: " + write("x.mmdb", text) + " }");
    EXPECT_TRUE(told.contains("x.mmdb is no database of addresses that can be used: ")) << told;
  }
  EXPECT_TRUE(trouble_of("geo: { system: /nowhere/x.mmdb }").contains("/nowhere/x.mmdb cannot be read: "));
}

}  // namespace
}  // namespace lockgate::guard
