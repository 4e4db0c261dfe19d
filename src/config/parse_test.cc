#include "config/parse.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/print.h"

// What options mean, and most mistakes, are in the golden files; here is what these cannot say.
namespace lockgate::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSmallest =
    "listeners: [ { bind: \":443\", sites: [ { names: default, reject: {} } ] } ]\n";

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

/// The first diagnostic in words; empty if there is none.
std::string first_of(const Parsed& parsed) {
  return parsed.diagnostics.empty() ? "" : words(parsed.diagnostics.front());
}

class Folder {
 public:
  Folder() { fs::create_directories(path_); }
  ~Folder() { fs::remove_all(path_); }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }

 private:
  fs::path path_ = fs::temp_directory_path() / fmt::format("lockgate_parse_test.{}", ::getpid());
};

TEST(Parse, KnowsWhereEachThingWasWritten) {
  auto parsed = parse_text(R"(upstreams:
  app: { endpoints: [ "tcp://a:1" ] }
listeners:
  - bind: ":443"
    sites:
      - names: default
        pass: { to: app }
)",
                           "lockgate.yaml");
  ASSERT_TRUE(parsed.config) << first_of(parsed);
  const Config& config = *parsed.config;
  auto text = [](const Place& place) {
    return fmt::format("{}:{}:{}", place.file, place.line, place.column);
  };
  EXPECT_EQ(text(config.upstreams.at(0).place), "lockgate.yaml:2:3");
  EXPECT_EQ(text(config.upstreams.at(0).endpoints.at(0).place), "lockgate.yaml:2:23");
  EXPECT_EQ(text(config.listeners.at(0).place), "lockgate.yaml:4:5");
  EXPECT_EQ(text(config.listeners.at(0).bind.at(0).place), "lockgate.yaml:4:11");
  EXPECT_EQ(text(config.listeners.at(0).sites.at(0).place), "lockgate.yaml:6:9");
}

TEST(Parse, ListsEveryFileThatWasRead) {
  Folder folder;
  auto other = folder.write("b.yaml", "workers: 3\n");
  auto first = folder.write("a.yaml", fmt::format("include: b.yaml\n{}", kSmallest));
  auto parsed = parse_file(first);
  ASSERT_TRUE(parsed.config) << first_of(parsed);
  EXPECT_EQ(parsed.config->workers, 3u);
  EXPECT_EQ(parsed.config->files, (std::vector{first, other}));
}

TEST(Parse, TellsThatAFileCannotBeRead) {
  auto parsed = parse_file("/nowhere/lockgate.yaml");
  EXPECT_FALSE(parsed.config);
  EXPECT_EQ(first_of(parsed), "/nowhere/lockgate.yaml: error: cannot be read: No such file or directory");
  EXPECT_EQ(first_of(parse_file("/tmp")), "/tmp: error: cannot be read: Is a directory");
}

TEST(Parse, RefusesIncludesWhereTheyAreNotWanted) {
  auto parsed = parse_text(fmt::format("include: /etc/passwd\n{}", kSmallest), "f.yaml", Includes::refuse);
  EXPECT_EQ(first_of(parsed), "f.yaml:1:10: error: `include` is not possible here");
}

TEST(Parse, TakesNoFileLargerThanItsLimit) {
  std::string text = std::string(kSmallest) + "#" + std::string((16 << 20) - kSmallest.size(), 'x');
  EXPECT_EQ(first_of(parse_text(text, "f.yaml")), "f.yaml: error: the file is larger than 16 MiB");
}

TEST(Parse, BoundsTheNumberOfValues) {
  std::string text = "log: [" + repeated("1,", 1'000'001) + "]\n";
  auto parsed = parse_text(text, "f.yaml");
  ASSERT_EQ(parsed.diagnostics.size(), 1u);
  EXPECT_EQ(parsed.diagnostics[0].message, "there are more values than a configuration may hold");
}

TEST(Parse, BoundsHowDeepIncludesGo) {
  Folder folder;
  for (int i = 0; i < 20; ++i)
    folder.write(fmt::format("{}.yaml", i), fmt::format("include: {}.yaml\n", i + 1));
  auto parsed = parse_file(folder.write("first.yaml", "include: 0.yaml\n"));
  ASSERT_FALSE(parsed.diagnostics.empty());
  EXPECT_EQ(parsed.diagnostics[0].message, "files include each other more than 10 deep");
}

TEST(Parse, SurvivesNestingThatWouldExhaustTheStack) {
  for (std::string_view opening : {"[", "{a: ", "- ", "? ", "[a: ", "{? ", "!!str [", "[[], ", "'a': ["}) {
    SCOPED_TRACE(opening);
    auto parsed = parse_text(repeated(opening, 100'000), "f.yaml");
    EXPECT_FALSE(parsed.config);
    EXPECT_FALSE(parsed.diagnostics.empty());
  }
  std::string block;
  for (int i = 0; i < 2'000; ++i) block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(parse_text(block, "f.yaml").diagnostics.at(0).message, "values are nested more than 32 deep");
}

TEST(Parse, RefusesAliasesSoThatNoneCanMultiply) {
  auto parsed = parse_text("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "f.yaml");
  EXPECT_EQ(first_of(parsed),
            "f.yaml:1:4: error: anchors and aliases, `&name` and `*name`, are not supported");
}

TEST(Parse, ReadsThousandsOfSites) {
  std::string text = "listeners:\n  - bind: \":443\"\n    sites:\n";
  for (int i = 0; i < 5'000; ++i) {
    text += fmt::format(
        "      - {{ names: s{}.example.com, pass: {{ to: \"tcp://b{}.example.com:443\" }} }}\n", i, i % 50);
  }
  auto parsed = parse_text(text, "f.yaml");
  ASSERT_TRUE(parsed.config) << first_of(parsed);
  EXPECT_EQ(parsed.config->listeners.at(0).sites.size(), 5'000u);
  EXPECT_EQ(parsed.config->upstreams.size(), 50u);
}

TEST(Parse, CutsNoCharacterInTwoWhenItQuotes) {
  auto parsed =
      parse_text(fmt::format("log: {{ to: \"x{}\" }}\n{}", repeated("\u00e9", 100), kSmallest), "f.yaml");
  EXPECT_TRUE(first_of(parsed).ends_with(fmt::format("not `x{}...`", repeated("\u00e9", 29))))
      << first_of(parsed);
}

TEST(Parse, TakesUtf8Only) {
  for (std::string_view text : {"\u00e9", "\u20ac", "\U0001f512", "\x7f", "\ud7ff", "\ue000"}) {
    EXPECT_FALSE(first_of(parse_text(fmt::format("# {}\n", text), "f.yaml")).contains("UTF-8")) << text;
  }
  for (std::string_view text : {"\x80", "\xc3", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                "\xff\xfe", "\xe0\x80\x80"}) {
    EXPECT_EQ(first_of(parse_text(fmt::format("user: x\n# {}\n", text), "f.yaml")),
              "f.yaml:2:3: error: this is not UTF-8");
  }
}

TEST(Words, HoldPlaceSeverityAndHint) {
  Diagnostic diagnostic{.place = {"f.yaml", 12, 7}, .message = "it is wrong", .hint = "do this"};
  EXPECT_EQ(words(diagnostic), "f.yaml:12:7: error: it is wrong (do this)");
  diagnostic = {.severity = Diagnostic::Severity::warning, .place = {}, .message = "it is odd", .hint = ""};
  EXPECT_EQ(words(diagnostic), "warning: it is odd");
}

}  // namespace
}  // namespace lockgate::config
