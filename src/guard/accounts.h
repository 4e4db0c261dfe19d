// Accounts: who wants to become a user and waits for the operator's word, by list of
// users. Each list is a file in the state folder that is replaced as a whole.
//
// Nothing that is filed tells whoever asks who is a user, or waits already. Bounded: so
// many wait at the most, and a client may ask so often. Any thread; what touches files has
// a lock, and is done by the threads of passwords and by the process's own.
#pragma once
#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/keyed_hash.h"
#include "config/config.h"
#include "guard/account_request.h"
#include "guard/rate_table.h"

namespace lockgate::guard {

class Accounts {
 public:
  static constexpr std::size_t kMostWaiting = 1000;
  /// How often a client (of IPv6, a /64) may ask, whatever becomes of it.
  static constexpr Quota kTries{.amount = 5, .period = std::chrono::hours(24), .burst = 5};
  using Waiting = std::expected<std::vector<AccountRequest>, std::string>;

  Accounts();

  /// The file of a list of users; `state_folder` is not empty.
  static std::string file_of(const std::string& state_folder, std::string_view list);

  /// What would lose a request of whoever signs up where `config` lets people: warnings, each at its list.
  /// What this process may write is told, so it is to be asked as the service's user.
  static std::vector<config::Diagnostic> check(const config::Config& config);

  /// Counts a try of a client; not if it had all of them. No lock.
  Taken try_once(const Ip& client, Instant now);

  /// Those in `file`, the oldest first.
  Waiting waiting(const std::string& file) const;
  /// False: too many wait. The first request of a name stays, and whoever made the second cannot tell.
  std::expected<bool, std::string> add(const std::string& file, AccountRequest request);
  /// Takes one off; false if nobody of that name waits.
  std::expected<bool, std::string> take_off(const std::string& file, std::string_view name);

 private:
  mutable std::mutex files_;
  HashSecret key_{};
  RateTable tries_{1 << 12};
};

}  // namespace lockgate::guard
