// Maintenance: whether requests of a route are put off, and what is said then.
//
// A sign is the file during whose existence it holds. It is looked for at most once a
// second, by whichever worker comes first; the others find what it has seen. Any thread.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/clock.h"
#include "config/answers.h"

namespace lockgate::proxy {

class WrittenPage;

class Sign {
 public:
  /// `path` as in config::Maintenance::when.
  explicit Sign(std::string path) : path_(std::move(path)), up_(is_there()) {}
  bool is_up(Instant now) const;

 private:
  bool is_there() const;

  std::string path_;
  mutable std::atomic<std::int64_t> next_look_ = INT64_MIN;
  mutable std::atomic<bool> up_;
};

class Maintenance {
 public:
  /// Never.
  Maintenance() = default;
  /// `config` outlives this; `page` is null if errors' will do.
  Maintenance(const config::Maintenance& config, std::shared_ptr<const Sign> sign,
              std::shared_ptr<const WrittenPage> page)
      : config_(&config), sign_(std::move(sign)), page_(std::move(page)) {}

  bool holds_for(const SocketAddress& client, Instant now) const;
  const WrittenPage* page() const { return page_.get(); }
  /// When clients are told to come back; zero: not told.
  Duration retry_after() const { return config_ ? config_->retry_after : Duration{}; }

 private:
  const config::Maintenance* config_ = nullptr;
  std::shared_ptr<const Sign> sign_;
  std::shared_ptr<const WrittenPage> page_;
};

}  // namespace lockgate::proxy
