// Whole exchanges of HTTP/1, from the accept of a connection to the line of each request in the access log:
// whatever the sizes of the pieces, whichever operation goes wrong, whenever they are cut or forgotten.
#include <gtest/gtest.h>

#include "stories/http_stage.h"
#include "stories/http_words.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;

std::vector<HttpPlay> all_plays() {
  std::vector<HttpPlay> all;
  for (auto* some :
       {plays_of_bodies, plays_of_connections, plays_of_trouble, plays_of_routes, plays_of_sticking,
        plays_of_files, plays_of_access, plays_of_signing_in, plays_of_rates}) {
    for (auto& play : some()) all.push_back(std::move(play));
  }
  return all;
}

constexpr Manner kBy100{.most_read = 100, .most_written = 100}, kBy7{.most_read = 7, .most_written = 7},
    kBy1{.most_read = 1, .most_written = 1}, kNarrow{.capacity = 50};

class HttpStory : public testing::TestWithParam<HttpPlay> {
 protected:
  const HttpPlay& play() const { return GetParam(); }
  /// In pieces of many sizes; what is large, in large ones only.
  std::vector<Manner> manners() const {
    if (play().large)
      return {Manner{}, Manner{.capacity = 4096}, Manner{.most_read = 5000, .most_written = 3000}};
    return {Manner{}, kBy100, kBy7, kBy1, kNarrow, Manner{.most_read = 1}, Manner{.most_written = 1}};
  }
  /// Every operation; where there are many, one in so many that `most` are left.
  static std::vector<int> some_of(int count, int most) {
    std::vector<int> numbers;
    int step = std::max(1, count / most);
    for (int nth = 0; nth < count; nth += step) numbers.push_back(nth);
    return numbers;
  }
  /// How many operations it takes if all goes well.
  int operations(const Manner& manner) const {
    HttpStage stage(play(), manner);
    EXPECT_TRUE(stage.run());
    return stage.faults().counted();
  }
  template <class Strike>
  void strike_everywhere(Strike strike) const {
    for (const Manner& manner :
         play().large ? std::vector{Manner{}} : std::vector{Manner{}, kBy100, kBy7, kNarrow}) {
      SCOPED_TRACE(testing::Message()
                   << "pieces of " << manner.most_read << ", room for " << manner.capacity);
      for (int nth : some_of(operations(manner), play().large ? 20 : 70)) {
        SCOPED_TRACE(testing::Message() << "operation " << nth);
        HttpStage stage(play(), manner);
        strike(stage.faults(), nth);
        ASSERT_TRUE(stage.run());
        ASSERT_TRUE(stage.faults().struck());
        stage.expect_lines();
        stage.expect_no_untruth();
        stage.expect_empty();
        if (HasFailure()) return;
      }
    }
  }
};

TEST_P(HttpStory, GoesAsWritten) {
  for (const Manner& manner : manners()) {
    SCOPED_TRACE(testing::Message() << "pieces of " << manner.most_read << " and " << manner.most_written
                                    << ", room for " << manner.capacity);
    HttpStage stage(play(), manner);
    ASSERT_TRUE(stage.run());
    stage.expect_as_written();
    stage.expect_lines();
    stage.expect_empty();
  }
}

TEST_P(HttpStory, TellsNoUntruthWhicheverOperationFails) {
  strike_everywhere(
      [](Faults& faults, int nth) { faults.fail(nth, {.code = Errc::reset, .doing = "testing"}); });
}

TEST_P(HttpStory, EndsInTimeWhicheverOperationBlocks) {
  strike_everywhere([](Faults& faults, int nth) { faults.block(nth); });
}

TEST_P(HttpStory, CanBeCutAtEveryTurn) {
  for (int turns = 1;; turns += play().large ? 7 : 1) {
    SCOPED_TRACE(turns);
    HttpStage stage(play(), play().large ? Manner{} : kBy100);
    stage.begin();
    stage.turn(turns);
    if (stage.is_over() || turns > 150) break;
    stage.connection()->cut(Errc::shutting_down, "draining");
    ASSERT_TRUE(stage.finish());
    stage.expect_lines();
    stage.expect_no_untruth();
    stage.expect_empty();
    for (const std::string& line : stage.journal().lines) {
      std::string outcome = field_of(line, "outcome");
      if (outcome == "shutting_down") EXPECT_EQ(field_of(line, "ended_by"), "here");
    }
    if (HasFailure()) return;
  }
}

TEST_P(HttpStory, LeavesNothingIfItsOwnerGoesAtAnyTurn) {
  for (int turns = 1;; turns += play().large ? 7 : 1) {
    SCOPED_TRACE(turns);
    HttpStage stage(play(), play().large ? Manner{} : kBy100);
    stage.begin();
    stage.turn(turns);
    if (stage.is_over() || turns > 150) break;
    stage.forget();
    stage.expect_empty();
    stage.turn(20);
    EXPECT_FALSE(stage.is_over());
  }
}

INSTANTIATE_TEST_SUITE_P(All, HttpStory, testing::ValuesIn(all_plays()),
                         [](const auto& story) { return story.param.title; });

HttpPlay play_of(const std::string& title) {
  auto all = all_plays();
  return *std::ranges::find(all, title, &HttpPlay::title);
}

TEST(HttpRetryStory, AsksAgainWhateverTheMethodIfNothingWasSent) {
  HttpPlay play = play_of("OneAfterTheOther");  // GET, and then POST over the same connection
  int retried = 0;
  for (int nth = 0; nth < 40; ++nth) {
    SCOPED_TRACE(nth);
    HttpStage stage(play);
    stage.faults().fail(nth, {.code = Errc::reset, .doing = "testing"});
    ASSERT_TRUE(stage.run());
    const auto& struck = stage.faults().struck();
    if (!struck || struck->operation != Operation::write || struck->label == "client") continue;
    if (stage.lines() == play.lines && stage.connections() == 2) ++retried;
    stage.expect_no_untruth();
  }
  EXPECT_EQ(retried, 1);
}

TEST(HttpTimeStory, GivesTheAnswerItsTimeFromTheEndOfTheRequest) {
  HttpPlay play = play_of("ClientStopsInTheBody");
  std::string head = play.client.front().text, rest(100, 'b');
  play.client = {says(head), waits(5s), says(rest), whole()};
  play.replies = {{"POST /a", {listens()}}};
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  EXPECT_EQ(stage.lines(), std::vector<std::string>{"504 timed_out"});
  EXPECT_GE(stage.took(), 20s);  // five seconds of body, fifteen until the first byte
  EXPECT_LE(stage.took(), 22s);
}

TEST(HttpTimeStory, WaitsASecondForThePermissionToSendTheBody) {
  HttpPlay play = play_of("ContinueOfOurOwn");
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  EXPECT_GE(stage.took(), 1s);
  EXPECT_LE(stage.took(), 2s);
}

TEST(HttpTimeStory, BreaksTheAnswerOffOnceTheClientHasReset) {
  HttpPlay play = play_of("UpstreamStopsInTheBody");
  play.client = {play.client.front(), hears("hello"), leaves()};
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  stage.expect_empty();
  EXPECT_EQ(stage.lines(), std::vector<std::string>{"200 reset"});
  EXPECT_LT(stage.took(), 1s);  // though the upstream may be silent for eight
}

TEST(HttpRateStory, TakesAsLongAsItsTurnsDo) {
  HttpPlay play = play_of("RateLetsWaitForTheirTurn");
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  EXPECT_GE(stage.took(), 4s);
  EXPECT_LE(stage.took(), 5s);
  EXPECT_TRUE(field_of(stage.journal().lines.front(), "delay_ms").empty());
  EXPECT_FALSE(field_of(stage.journal().lines.at(2), "delay_ms").empty());
}

TEST(HttpRateStory, ForgetsAClientThatLeavesWhileItWaits) {
  HttpPlay play = play_of("RateLetsWaitForTheirTurn");
  play.client = {says(get("/a") + get("/b")), whole(), leaves()};
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  stage.expect_empty();
  EXPECT_EQ(stage.lines(), (std::vector<std::string>{"200 finished", "none reset"}));
  EXPECT_LT(stage.took(), 1s);
}

TEST(HttpRateStory, LetsInWhoComesWhenItWasTold) {
  HttpPlay play = play_of("RateRefuses");
  play.site = "rates: [{ by: connection, rate: 1/5s }],";
  play.client = {says(get("/a") + get("/b")),
                 whole(),
                 hears("Retry-After: 5\r\n"),
                 whole(),
                 waits(5s),
                 says(get("/c")),
                 whole()};
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  EXPECT_EQ(stage.lines(), (std::vector<std::string>{"200 finished", "429 limited", "200 finished"}));
}

TEST(HttpRateStory, SaysWhichRateItWas) {
  HttpPlay play = play_of("RateRefuses");
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  EXPECT_EQ(field_of(stage.journal().lines.at(1), "rate"), "requests");
  EXPECT_EQ(field_of(stage.journal().lines.at(1), "ended_by"), "client");
  for (config::LogLevel level : stage.journal().levels) EXPECT_NE(level, config::LogLevel::warning);
}

TEST(HttpRateStory, KeepsToTheBandwidth) {
  HttpPlay play = play_of("LargeWithinABandwidth");
  HttpStage stage(play);
  ASSERT_TRUE(stage.run());
  EXPECT_GE(stage.took(), 2s);  // a mebibyte at half a megabyte a second, in steps of the stage's clock
}

TEST(HttpFileStory, EndsWithAClientThatLeavesInTheMiddle) {
  HttpPlay play = play_of("LargeFile");
  play.client = {play.client.front(), hears("0050000 "), leaves()};
  HttpStage stage(play, {.capacity = 4096});
  ASSERT_TRUE(stage.run());
  stage.expect_empty();
  EXPECT_EQ(stage.lines(), std::vector<std::string>{"200 reset"});
  EXPECT_LT(stage.took(), 1s);
}

TEST(HttpFileStory, GivesUpAClientThatTakesNothing) {
  HttpPlay play = play_of("LargeFile");
  HttpStage stage(play, {.capacity = 4096});
  stage.faults().block(4);
  ASSERT_TRUE(stage.run());
  stage.expect_empty();
  EXPECT_EQ(stage.lines(), std::vector<std::string>{"200 timed_out"});
  EXPECT_GE(stage.took(), 6s);  // `body_timeout`
  EXPECT_LE(stage.took(), 8s);
}

TEST(HttpDrainStory, AnswersTheRequestUnderWayAndNoOther) {
  HttpPlay play = play_of("ThreeInOneGo");
  play.client = {says(play.client.front().text), whole(), whole()};
  HttpStage stage(play);
  stage.begin();
  stage.turn(12);
  ASSERT_FALSE(stage.is_over());
  stage.connection()->close_soon();
  ASSERT_TRUE(stage.finish());
  stage.expect_lines();
  stage.expect_empty();
  EXPECT_EQ(stage.lines(), std::vector<std::string>{"200 finished"});
  EXPECT_TRUE(stage.by_client().text.contains("Connection: close\r\n")) << stage.by_client().text;
  EXPECT_TRUE(stage.by_client().text.ends_with("one"));
}

TEST(HttpDrainStory, ClosesAnIdleConnectionAtOnce) {
  HttpPlay play = play_of("ClosedWhenIdle");
  HttpStage stage(play);
  stage.begin();
  stage.turn(100);
  ASSERT_EQ(stage.lines().size(), 1u);
  ASSERT_FALSE(stage.is_over());
  stage.connection()->close_soon();
  stage.turn(3);
  EXPECT_TRUE(stage.is_over());
  stage.expect_empty();
  stage.turn(3);
  EXPECT_TRUE(stage.by_client().ended);
}

TEST(HttpCutStory, SaysThatItWasUs) {
  HttpPlay play = play_of("ClientEndsWhileItWaits");
  play.client = {says(play.client.front().text), listens()};
  HttpStage stage(play);
  stage.begin();
  stage.turn(100);
  ASSERT_FALSE(stage.is_over());
  stage.connection()->cut(Errc::shutting_down, "draining");
  ASSERT_TRUE(stage.finish());
  EXPECT_EQ(stage.lines(), std::vector<std::string>{"none shutting_down"});
  EXPECT_EQ(field_of(stage.journal().lines.front(), "ended_by"), "here");
  EXPECT_TRUE(stage.by_client().error);
  stage.expect_empty();
}

}  // namespace
}  // namespace lockgate::stories
