// AddressKeeper: keeps the address book as the world is: reads files again when they have
// changed, fetches lists from their URLs, and hands out what is new to all workers.
//
// It runs on the process's own thread. What goes wrong leaves the last good state in use,
// is told once, and is tried again until it is good.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guard/address_book.h"
#include "guard/address_sources.h"
#include "http/fetch.h"
#include "loop/scope.h"
#include "loop/turns.h"

namespace lockgate::guard {

class AddressKeeper {
 public:
  /// Has the letter called on each worker's thread with its number.
  using Post = std::function<void(std::function<void(std::size_t worker)> letter)>;
  using Tell = std::function<void(config::LogLevel level, std::string_view message)>;

  AddressKeeper(loop::Reactor& reactor, net::Connector& connector, AddressBook& book, Post post, Tell tell);
  ~AddressKeeper();

  /// Puts a configuration's sources into effect, before its plan is compiled.
  void use(AddressSources sources);
  /// Begins to watch files and to fetch. `resolver` is null only if there are no URLs.
  void watch(std::shared_ptr<net::Resolver> resolver);
  /// Whether some list has URLs.
  bool wants_resolver() const;

 private:
  class Kept;

  loop::Task<void> look_forever();
  void look();
  void look_at(WatchedFile& file, std::shared_ptr<const GeoDatabase>& database, std::string& trouble);
  void publish_geo();
  /// What goes wrong with `what`; an empty `why` is good again.
  void tell_trouble(std::string& trouble, std::string_view what, const std::string& why);

  loop::Reactor& reactor_;
  AddressBook& book_;
  Post post_;
  Tell tell_;
  http::Fetcher fetcher_;
  loop::Turns turns_;  // of fetching
  std::shared_ptr<net::Resolver> resolver_;
  std::vector<std::unique_ptr<Kept>> kept_;  // as in the configuration
  WatchedFile country_file_{""}, system_file_{""};
  std::string country_trouble_, system_trouble_;
  Geo geo_;
  std::vector<std::shared_ptr<const void>> retired_;  // so that no worker has to take them apart
  loop::Scope scope_;
};

}  // namespace lockgate::guard
