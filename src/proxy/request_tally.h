// RequestTally: what is counted of the requests of one route, of those of a site that no
// route took, or of those of a listener that no site took.
//
// Each worker has its own row, as in a Tally; it outlives reloads in the same way.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/histogram.h"
#include "proxy/tally.h"

namespace lockgate::proxy {

/// Statuses that are counted one by one; any other is counted with those of its class.
inline constexpr std::array<std::uint16_t, 62> kStatuses{
    101, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402,
    403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425,
    426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 522, 524};

/// Classes of statuses: none at all, then 1xx to 5xx.
inline constexpr std::array<std::string_view, 6> kStatusClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

/// Answers are counted by class, where the status has no place of its own, and behind that by status.
inline constexpr std::size_t kAnswers = kStatusClasses.size() + kStatuses.size();
/// The place of a status among them; 0 stands for a request without an answer.
std::size_t place_of_status(int status);
/// The number of the class of such a place.
std::size_t class_of_place(std::size_t place);
/// "404", or "4xx" for what has no place of its own.
std::string text_of_place(std::size_t place);

inline constexpr std::size_t kSides = 4;

class RequestTally {
 public:
  struct alignas(64) Row {
    std::array<Counter, kAnswers> answers;
    std::array<Counter, kErrcCount * kSides> errors;  // by code, then by side
    Counter bytes_up, bytes_down;                     // of bodies
    Counter retries;                                  // further endpoints that were asked
    Counter failed_sign_ins;                          // names with wrong passwords
    Counter stale;                                    // connections from the pool that were of no use
    Histogram durations;
  };

  RequestTally(std::string listener, std::string site, std::string route, std::size_t workers)
      : listener_(std::move(listener)), site_(std::move(site)), route_(std::move(route)), rows_(workers) {}

  /// The row of one worker; only that worker's thread writes it.
  Row& row(std::size_t worker) { return rows_[worker]; }

  const std::string& listener() const { return listener_; }
  const std::string& site() const { return site_; }
  const std::string& route() const { return route_; }
  /// Any thread: the sum over all workers of what `pick(row)` gives.
  template <class Pick>
  std::uint64_t sum(Pick pick) const {
    std::uint64_t total = 0;
    for (const Row& row : rows_) total += pick(row);
    return total;
  }
  HistogramSum durations() const {
    HistogramSum sum;
    for (const Row& row : rows_) sum.add(row.durations);
    return sum;
  }

 private:
  std::string listener_, site_, route_;
  std::vector<Row> rows_;
};

constexpr std::size_t place_of_error(const Error& error) {
  return static_cast<std::size_t>(error.code) * kSides + static_cast<std::size_t>(error.side);
}

}  // namespace lockgate::proxy
