#include "proxy/request_tally.h"

#include <gtest/gtest.h>

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

TEST(RequestTally, HasAPlaceForEveryStatus) {
  EXPECT_TRUE(std::ranges::is_sorted(kStatuses));
  for (int status : kStatuses) {
    EXPECT_EQ(text_of_place(place_of_status(status)), std::to_string(status));
    EXPECT_EQ(class_of_place(place_of_status(status)), static_cast<std::size_t>(status) / 100);
  }
  for (int status = -1000; status < 2000; ++status) EXPECT_LT(place_of_status(status), kAnswers);
  EXPECT_EQ(text_of_place(place_of_status(299)), "2xx");
  EXPECT_EQ(text_of_place(place_of_status(599)), "5xx");
  EXPECT_EQ(text_of_place(place_of_status(0)), "none");
  EXPECT_EQ(text_of_place(place_of_status(600)), "none");
}

TEST(RequestTally, SumsTheRowsOfItsWorkers) {
  RequestTally tally("front", "app", "/", 2);
  tally.row(0).answers[place_of_status(200)].add(2);
  tally.row(1).answers[place_of_status(200)].add(3);
  tally.row(1).durations.add(3ms);
  tally.row(0).durations.add(2min);
  EXPECT_EQ(tally.sum([](const auto& row) { return row.answers[place_of_status(200)].value(); }), 5u);
  HistogramSum durations = tally.durations();
  EXPECT_EQ(durations.counts[2], 1u);
  EXPECT_EQ(durations.counts.back(), 1u);
  EXPECT_EQ(durations.nanoseconds, 120'003'000'000u);
}

TEST(Histogram, CountsWhatEndsWithABucketInIt) {
  Histogram histogram;
  for (Duration time : {Duration(-5ms), Duration(0ms), Duration(1ms), Duration(1ms + 1ns), Duration(60s),
                        Duration(60s + 1ns)})
    histogram.add(time);
  EXPECT_EQ(histogram.count(0), 3u);
  EXPECT_EQ(histogram.count(1), 1u);
  EXPECT_EQ(histogram.count(kBuckets.size() - 1), 1u);
  EXPECT_EQ(histogram.count(kBuckets.size()), 1u);
}

}  // namespace
}  // namespace lockgate::proxy
