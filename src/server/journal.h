// Journal: what one thread writes to the logs, and the rules that all threads share.
//
// Access lines come finished; messages for the error log become lines here, if their
// level is wanted. The same message of the same site is written at most once per second;
// the next line of it tells how many were left out. Nothing here waits or takes a lock.
#pragma once
#include <fmt/core.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "proxy/house.h"
#include "server/log_producer.h"

namespace lockgate::server {

/// What the error log writes, where to and how. One thread changes it, any thread asks.
class LogRules {
 public:
  LogRules() = default;
  LogRules(const LogRules&) = delete;
  LogRules& operator=(const LogRules&) = delete;

  /// Takes all that the configuration says, and so undoes what was set at run time. `target` is the number of
  /// config.log.to, proxy::kNoLog for none.
  void apply(const config::Config& config, std::uint16_t target);
  void set_level(config::LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  /// None: as the whole log.
  void set_site_level(std::string_view site, std::optional<config::LogLevel> level);

  /// The least important level that is written for a site; an empty name is for what belongs to no site.
  config::LogLevel level(std::string_view site) const;
  config::LogFormat format() const { return format_.load(std::memory_order_relaxed); }
  std::uint16_t target() const { return target_.load(std::memory_order_relaxed); }

 private:
  // Sites whose level was ever set. They are added and never removed, so that others may read without a lock;
  // a reload that names the same sites adds none.
  struct SiteLevel {
    std::string site;
    std::atomic<int> level;  // -1: as the whole log
    SiteLevel* next;
  };
  static constexpr int kAsTheLog = -1;
  using Chain = std::atomic<SiteLevel*>;
  std::size_t chain_of(std::string_view site) const;
  SiteLevel* find(std::string_view site) const;

  std::atomic<config::LogLevel> level_ = config::ErrorLog{}.level;
  std::atomic<config::LogFormat> format_ = config::ErrorLog{}.format;
  std::atomic<std::uint16_t> target_ = 0xffff;
  std::array<Chain, 256> chains_{};
  std::vector<std::unique_ptr<SiteLevel>> site_levels_;  // the owner's
};

class Journal final : public proxy::Journal {
 public:
  Journal(LogProducer& producer, const LogRules& rules, const Clock& clock)
      : producer_(producer), rules_(rules), clock_(clock) {}

  void line(std::uint16_t target, std::string_view line) override;
  void tell(config::LogLevel level, std::uint64_t connection, std::string_view site,
            std::string_view message) override;
  bool wants(config::LogLevel level, std::string_view site) const override {
    return level <= rules_.level(site);
  }

  /// A message that belongs to no connection, formatted only if it is written.
  template <class... Args>
  void at(config::LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (wants(level, "")) tell(level, 0, "", fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  // What was written last of the messages that share a place in the table.
  struct Told {
    std::size_t key = 0;
    Instant when{};
    std::uint64_t left_out = 0;
  };

  LogProducer& producer_;
  const LogRules& rules_;
  const Clock& clock_;
  std::array<Told, 64> told_{};
};

}  // namespace lockgate::server
