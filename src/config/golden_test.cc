// Golden files: a configuration, a line of dashes, and what it means: the configuration in effect, or the
// mistakes. LOCKGATE_UPDATE=1 in the environment rewrites them, and the generated documents, with what is
// true now.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/check.h"
#include "config/parse.h"
#include "config/print.h"
#include "config/reference.h"

namespace lockgate::config {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = LOCKGATE_SOURCE_DIR;
constexpr std::string_view kDashes = "----------------------------------------\n";

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool updates() { return std::getenv("LOCKGATE_UPDATE") != nullptr; }

std::string meaning(const Parsed& parsed) {
  std::string text;
  for (const auto& diagnostic : parsed.diagnostics) text += words(diagnostic) + "\n";
  return parsed.config ? text + print(*parsed.config) : text;
}

/// Stands in the folder of golden files while it lives, so that their includes and diagnostics have short
/// names.
struct InGoldenFolder {
  fs::path before = fs::current_path();
  InGoldenFolder() { fs::current_path(kSource / "src/config/golden"); }
  ~InGoldenFolder() { fs::current_path(before); }
};

std::vector<fs::path> golden_files() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(kSource / "src/config/golden")) {
    if (entry.path().extension() == ".golden") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

TEST(Golden, FilesMeanWhatTheySay) {
  InGoldenFolder here;
  auto paths = golden_files();
  EXPECT_GE(paths.size(), 60u);
  for (const auto& path : paths) {
    SCOPED_TRACE(path.filename());
    std::string text = read(path);
    auto dashes = text.find(kDashes);
    ASSERT_NE(dashes, std::string::npos) << "a line of 40 dashes parts the configuration from its meaning";
    std::string config = text.substr(0, dashes);
    std::string now = meaning(parse_text(config, "lockgate.yaml"));
    if (updates())
      std::ofstream(path) << config << kDashes << now;
    else
      EXPECT_EQ(now, text.substr(dashes + kDashes.size()));
  }
}

TEST(Print, ReadsBackToTheSame) {
  InGoldenFolder here;
  for (const auto& path : golden_files()) {
    SCOPED_TRACE(path.filename());
    std::string text = read(path);
    auto parsed = parse_text(text.substr(0, text.find(kDashes)), "lockgate.yaml");
    if (!parsed.config) continue;
    std::string printed = print(*parsed.config);
    EXPECT_EQ(meaning(parse_text(printed, "printed.yaml")), printed);
  }
}

void expect_generated(const fs::path& path, const std::string& now, const char* command) {
  if (updates())
    std::ofstream(path) << now;
  else
    EXPECT_EQ(read(path), now) << path << " is out of date; make it anew: lockgate " << command;
}

TEST(Reference, IsTheOneInTheDocuments) {
  expect_generated(kSource / "docs/reference.md", reference(), "config-reference > docs/reference.md");
}

TEST(Schema, IsTheOneInTheDocuments) {
  expect_generated(kSource / "docs/lockgate.schema.json", schema(),
                   "config-reference --schema > docs/lockgate.schema.json");
}

TEST(Example, IsReadWithoutMistakes) {
  auto parsed = parse_file(kSource / "examples/lockgate.yaml");
  for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << words(diagnostic);
  ASSERT_TRUE(parsed.config);
  EXPECT_EQ(parsed.config->listeners.at(0).sites.size(), 3u);
}

}  // namespace
}  // namespace lockgate::config
