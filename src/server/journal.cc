#include "server/journal.h"

#include <functional>

#include "base/line_builder.h"
#include "config/words.h"
#include "proxy/access_log.h"

namespace lockgate::server {
namespace {

constexpr Duration kSameAgain = std::chrono::seconds(1);

}  // namespace

void LogRules::apply(const config::Config& config, std::uint16_t target) {
  format_.store(config.log.format, std::memory_order_relaxed);
  target_.store(target, std::memory_order_relaxed);
  set_level(config.log.level);
  for (const auto& known : site_levels_) known->level.store(kAsTheLog, std::memory_order_relaxed);
  for (const config::Listener& listener : config.listeners) {
    for (const config::Site& site : listener.sites) {
      if (site.log_level) set_site_level(site.name, site.log_level);
    }
  }
}

void LogRules::set_site_level(std::string_view site, std::optional<config::LogLevel> level) {
  int value = level ? static_cast<int>(*level) : kAsTheLog;
  if (SiteLevel* known = find(site)) {
    known->level.store(value, std::memory_order_relaxed);
    return;
  }
  Chain& chain = chains_[chain_of(site)];
  SiteLevel* first = chain.load(std::memory_order_relaxed);
  site_levels_.push_back(std::make_unique<SiteLevel>(std::string(site), value, first));
  chain.store(site_levels_.back().get(), std::memory_order_release);
}

config::LogLevel LogRules::level(std::string_view site) const {
  const SiteLevel* known = site.empty() ? nullptr : find(site);
  int level = known ? known->level.load(std::memory_order_relaxed) : kAsTheLog;
  return level == kAsTheLog ? level_.load(std::memory_order_relaxed) : static_cast<config::LogLevel>(level);
}

std::size_t LogRules::chain_of(std::string_view site) const {
  return std::hash<std::string_view>{}(site) % chains_.size();
}

LogRules::SiteLevel* LogRules::find(std::string_view site) const {
  SiteLevel* known = chains_[chain_of(site)].load(std::memory_order_acquire);
  while (known && known->site != site) known = known->next;
  return known;
}

void Journal::line(std::uint16_t target, std::string_view line) {
  if (target != proxy::kNoLog) producer_.line(target, config::LogLevel::info, line);
}

void Journal::tell(config::LogLevel level, std::uint64_t connection, std::string_view site,
                   std::string_view message) {
  if (rules_.target() == proxy::kNoLog || !wants(level, site)) return;
  std::hash<std::string_view> hash;
  std::size_t key = hash(message) ^ (hash(site) << 1);
  Told& told = told_[key % told_.size()];
  Instant now = clock_.now();
  bool again = told.key == key && told.when != Instant{};
  if (again && now - told.when < kSameAgain) {
    ++told.left_out;
    return;
  }
  std::uint64_t left_out = again ? told.left_out : 0;
  told = {key, now, 0};

  bool json = rules_.format() == config::LogFormat::json;
  LineBuilder builder(json ? LineFormat::json : LineFormat::text);
  builder.time("time", clock_.wall());
  builder.field("level", config::word_of(level));
  if (connection != 0) builder.field("connection", proxy::connection_name(connection));
  builder.optional("site", site);
  if (left_out > 0) builder.field("left_out", left_out);
  builder.sentence("message", message);
  producer_.line(rules_.target(), level, builder.line());
}

}  // namespace lockgate::server
