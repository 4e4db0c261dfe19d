#include "proxy/conditions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/http_date.h"

namespace lockgate::proxy {
namespace {

constexpr WallTime kSecond = 1'000'000'000;
constexpr WallTime kModified = 784111777 * kSecond + 123'456'789;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr WallTime kNow = kModified + 86400 * kSecond;
constexpr const char* kOwn = R"("a-1")";
const std::string kSame = "Sun, 06 Nov 1994 08:49:37 GMT", kBefore = "Sun, 06 Nov 1994 08:49:36 GMT",
                  kAfter = "Sun, 06 Nov 1994 08:49:38 GMT", kNoDate = "yesterday";

struct Row {
  std::string method;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string outcome;  // the status, and behind it the range
};

std::string outcome_of(const Row& row, WallTime now = kNow) {
  http::Request request;
  request.method = row.method;
  for (const auto& [name, value] : row.fields) request.fields.add(name, value, wire::field_name(name));
  Validators validators{.tag = kOwn, .modified = kModified, .size = 1000};
  Condition condition = condition_of(request, validators, now);
  if (condition == Condition::not_modified) return "304";
  if (condition == Condition::failed) return "412";
  wire::ByteRange part = part_of(request, validators, now);
  if (part.kind == wire::ByteRange::Kind::none) return "416";
  return part.kind == wire::ByteRange::Kind::whole ? "200" : fmt::format("206 {}+{}", part.first, part.size);
}

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    std::string fields;
    for (const auto& [name, value] : row.fields) fields += fmt::format(" {}: {}", name, value);
    EXPECT_EQ(outcome_of(row), row.outcome) << row.method << fields;
  }
}

TEST(Conditions, OfOneFieldDecide) {
  expect({
      {"GET", {}, "200"},
      {"GET", {{"If-Match", kOwn}}, "200"},
      {"GET", {{"If-Match", "*"}}, "200"},
      {"GET", {{"If-Match", R"("b")"}}, "412"},
      {"GET", {{"If-Match", R"(W/"a-1")"}}, "412"},
      {"GET", {{"If-Match", "nonsense"}}, "412"},
      {"GET", {{"If-Match", R"("b")"}, {"if-match", kOwn}}, "200"},
      {"GET", {{"If-Unmodified-Since", kSame}}, "200"},
      {"GET", {{"If-Unmodified-Since", kAfter}}, "200"},
      {"GET", {{"If-Unmodified-Since", kBefore}}, "412"},
      {"GET", {{"If-Unmodified-Since", kNoDate}}, "200"},
      {"GET", {{"If-None-Match", kOwn}}, "304"},
      {"HEAD", {{"If-None-Match", kOwn}}, "304"},
      {"PUT", {{"If-None-Match", kOwn}}, "412"},
      {"GET", {{"If-None-Match", R"(W/"a-1")"}}, "304"},
      {"GET", {{"If-None-Match", "*"}}, "304"},
      {"GET", {{"If-None-Match", R"("b", "c")"}}, "200"},
      {"GET", {{"If-None-Match", R"("b", "a-1")"}}, "304"},
      {"GET", {{"If-None-Match", R"("b")"}, {"If-None-Match", kOwn}}, "304"},
      {"GET", {{"If-None-Match", "nonsense"}}, "200"},
      {"GET", {{"If-Modified-Since", kSame}}, "304"},
      {"HEAD", {{"If-Modified-Since", kAfter}}, "304"},
      {"GET", {{"If-Modified-Since", kBefore}}, "200"},
      {"GET", {{"If-Modified-Since", kNoDate}}, "200"},
      {"GET", {{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}, "304"},
      {"GET", {{"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}}, "304"},
      {"GET", {{"If-Modified-Since", kSame}, {"If-Modified-Since", kBefore}}, "200"},
      {"PUT", {{"If-Modified-Since", kSame}}, "200"},
  });
}

TEST(Conditions, OfSeveralFieldsAreLookedAtInOrder) {
  expect({
      {"GET", {{"If-Unmodified-Since", kBefore}, {"If-Match", kOwn}}, "200"},
      {"GET", {{"If-Unmodified-Since", kAfter}, {"If-Match", R"("b")"}}, "412"},
      {"GET", {{"If-None-Match", R"("b")"}, {"If-Modified-Since", kSame}}, "200"},
      {"GET", {{"If-None-Match", kOwn}, {"If-Modified-Since", kBefore}}, "304"},
      {"GET", {{"If-Match", kOwn}, {"If-None-Match", kOwn}}, "304"},
      {"GET", {{"If-Match", R"("b")"}, {"If-None-Match", kOwn}}, "412"},
      {"GET", {{"If-Unmodified-Since", kBefore}, {"If-None-Match", kOwn}}, "412"},
      {"GET", {{"If-Unmodified-Since", kSame}, {"If-Modified-Since", kSame}}, "304"},
  });
}

TEST(Conditions, ChooseThePartThatIsSent) {
  expect({
      {"GET", {{"Range", "bytes=0-9"}}, "206 0+10"},
      {"GET", {{"Range", "bytes=-10"}}, "206 990+10"},
      {"GET", {{"Range", "bytes=1000-"}}, "416"},
      {"GET", {{"Range", "bytes=0-1,5-6"}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"Range", "bytes=5-6"}}, "200"},
      {"HEAD", {{"Range", "bytes=0-9"}}, "200"},
      {"HEAD", {{"Range", "bytes=1000-"}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", kOwn}}, "206 0+10"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", R"("b")"}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", R"(W/"a-1")"}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", "*"}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", R"("b", "a-1")"}}, "200"},
      {"GET", {{"Range", "bytes=1000-"}, {"If-Range", R"("b")"}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", kSame}}, "206 0+10"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", kAfter}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", kNoDate}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Range", kOwn}, {"If-Range", kOwn}}, "200"},
      {"GET", {{"If-Range", kOwn}}, "200"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-None-Match", kOwn}}, "304"},
      {"GET", {{"Range", "bytes=0-9"}, {"If-Match", R"("b")"}}, "412"},
      {"GET", {{"Range", "bytes=1000-"}, {"If-Modified-Since", kSame}}, "304"},
  });
}

TEST(Conditions, DoNotTrustADateOfTheSameSecond) {
  Row row{"GET", {{"Range", "bytes=0-9"}, {"If-Range", kSame}}, ""};
  EXPECT_EQ(outcome_of(row, kModified + kSecond - 1), "200");
  EXPECT_EQ(outcome_of(row, kModified + kSecond), "206 0+10");
}

}  // namespace
}  // namespace lockgate::proxy
