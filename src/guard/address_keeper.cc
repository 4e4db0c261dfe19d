#include "guard/address_keeper.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "wire/network_list.h"

namespace lockgate::guard {

using config::LogLevel;
using loop::Task;

namespace {

using namespace std::chrono_literals;

constexpr Duration kLookEvery = 2s, kShortestPause = 1s, kRetry = 1min;
constexpr std::size_t kMostAtOnce = 4;

}  // namespace

// One list, for as long as its configuration is in use.
class AddressKeeper::Kept {
 public:
  Kept(AddressKeeper& keeper, std::size_t index, ListSources sources)
      : keeper_(keeper),
        index_(index),
        sources_(std::move(sources)),
        file_troubles_(sources_.files.size()),
        url_troubles_(sources_.urls.size()),
        scope_(keeper.reactor_) {}

  const ListSources& sources() const { return sources_; }

  /// What was fetched already and could not be left on the disk is not lost.
  void take_over(const ListSources& old) {
    for (ListUrl& url : sources_.urls) {
      auto same = std::ranges::find(old.urls, url.url(), &ListUrl::url);
      if (same != old.urls.end() && same->fetched_at() > url.fetched_at()) url.take_over(*same);
    }
  }

  void publish() {
    auto list = keeper_.book_.handle_of(index_);
    if (published_) keeper_.retired_.push_back(published_);
    published_ = std::make_shared<const ListedNetworks>(sources_.now());
    keeper_.post_([list, value = published_](std::size_t worker) { list->take(worker, value); });
  }

  void look() {
    bool changed = false;
    for (std::size_t i = 0; i < sources_.files.size(); ++i) {
      ListFile& file = sources_.files[i];
      if (!file.has_changed()) continue;
      auto read = file.read();
      keeper_.tell_trouble(file_troubles_[i], what(), read ? "" : read.error());
      if (!read) continue;
      changed = true;
      keeper_.tell_(LogLevel::info,
                    fmt::format("{}: {} has changed and was read again", what(), file.path()));
    }
    if (changed) publish();
  }

  void fetch() {
    for (std::size_t i = 0; i < sources_.urls.size(); ++i) {
      const ListUrl& url = sources_.urls[i];
      if (!url.networks())
        keeper_.tell_(LogLevel::warning,
                      fmt::format("{}: nothing was fetched from {} yet; until then it holds nothing of that",
                                  what(), url.shown()));
      scope_.spawn(fetch_forever(i));
    }
  }

 private:
  std::string what() const { return fmt::format("address list `{}`", sources_.config.name); }
  Duration every() const { return std::max(sources_.config.every, kShortestPause); }

  Task<void> fetch_forever(std::size_t number) {
    const ListUrl& url = sources_.urls[number];
    Duration age(keeper_.reactor_.wall() - url.fetched_at());
    Duration pause = url.networks() ? std::clamp(every() - age, Duration::zero(), every()) : Duration::zero();
    for (;;) {
      loop::Sleep sleep(keeper_.reactor_, keeper_.reactor_.now() + pause);
      co_await sleep;
      auto fetching = fetch_once(number);
      bool good = co_await fetching;
      pause = good ? every() : std::min(every(), kRetry);
    }
  }

  Task<bool> fetch_once(std::size_t number) {
    ListUrl& url = sources_.urls[number];
    http::Wish wish{.url = url.url(),
                    .etag = url.networks() ? url.etag() : "",
                    .last_modified = url.networks() ? url.last_modified() : "",
                    .ca_file = sources_.config.ca_file,
                    .most = wire::NetworkListLimits().bytes};
    auto waiting = keeper_.turns_.take();
    loop::Turns::Turn turn = co_await waiting;
    auto fetching = keeper_.fetcher_.fetch(wish, keeper_.resolver_);
    auto fetched = co_await fetching;
    turn.end();
    Success taken;
    if (!fetched)
      taken = std::unexpected(fmt::format("{}: {}", url.shown(), fetched.error()));
    else if (!fetched->unchanged)
      taken = url.take(*fetched);
    std::string why =
        taken ? "" : taken.error() + (url.networks() ? "" : "; there is no good copy of it yet");
    keeper_.tell_trouble(url_troubles_[number], what(), why);
    if (!taken) co_return false;
    url.set_fetched_at(keeper_.reactor_.wall());
    if (!fetched->unchanged) keep(url, *fetched);
    co_return true;
  }

  void keep(const ListUrl& url, const http::Fetched& fetched) {
    publish();
    keeper_.tell_(LogLevel::info, fmt::format("{}: fetched from {}", what(), url.shown()));
    auto kept = url.keep_copy(fetched);
    std::string why = kept ? "" : kept.error();
    if (!why.empty() && why != copy_trouble_)
      keeper_.tell_(
          LogLevel::warning,
          fmt::format("{}: {}; after the next start it holds nothing until it is fetched", what(), why));
    copy_trouble_ = std::move(why);
  }

  AddressKeeper& keeper_;
  std::size_t index_;
  ListSources sources_;
  std::shared_ptr<const ListedNetworks> published_;
  std::vector<std::string> file_troubles_, url_troubles_;  // as they were told
  std::string copy_trouble_;
  loop::Scope scope_;
};

AddressKeeper::AddressKeeper(loop::Reactor& reactor, net::Connector& connector, AddressBook& book, Post post,
                             Tell tell)
    : reactor_(reactor),
      book_(book),
      post_(std::move(post)),
      tell_(std::move(tell)),
      fetcher_(reactor, connector),
      turns_(reactor, kMostAtOnce),
      scope_(reactor) {}

AddressKeeper::~AddressKeeper() = default;

void AddressKeeper::use(AddressSources sources) {
  auto old = std::exchange(kept_, {});
  book_.begin(sources.names());
  for (ListSources& list : sources.lists) {
    auto same = std::ranges::find_if(
        old, [&](const auto& one) { return one->sources().config.name == list.config.name; });
    kept_.push_back(std::make_unique<Kept>(*this, kept_.size(), std::move(list)));
    if (same != old.end()) kept_.back()->take_over((*same)->sources());
    kept_.back()->publish();
  }
  country_file_ = std::move(sources.country_file);
  system_file_ = std::move(sources.system_file);
  geo_ = std::move(sources.geo);
  country_trouble_.clear();
  system_trouble_.clear();
  publish_geo();
}

void AddressKeeper::watch(std::shared_ptr<net::Resolver> resolver) {
  resolver_ = std::move(resolver);
  for (const auto& kept : kept_) kept->fetch();
  if (scope_.size() == 0) scope_.spawn(look_forever());
}

bool AddressKeeper::wants_resolver() const {
  return std::ranges::any_of(kept_, [](const auto& kept) { return !kept->sources().urls.empty(); });
}

Task<void> AddressKeeper::look_forever() {
  for (;;) {
    loop::Sleep pause(reactor_, reactor_.now() + kLookEvery);
    co_await pause;
    look();
  }
}

// What has gone out of use the last time, all workers have let go of.
void AddressKeeper::look() {
  retired_.clear();
  for (const auto& kept : kept_) kept->look();
  look_at(country_file_, geo_.country, country_trouble_);
  look_at(system_file_, geo_.system, system_trouble_);
}

void AddressKeeper::look_at(WatchedFile& file, std::shared_ptr<const GeoDatabase>& database,
                            std::string& trouble) {
  if (file.path().empty() || !file.has_changed()) return;
  auto opened = GeoDatabase::open(file);
  tell_trouble(trouble, "geo", opened ? "" : opened.error());
  if (!opened) return;
  retired_.push_back(std::exchange(database, std::move(*opened)));
  publish_geo();
  tell_(LogLevel::info, fmt::format("geo: {} has changed and was read again", file.path()));
}

void AddressKeeper::publish_geo() {
  post_([book = &book_, value = std::make_shared<const Geo>(geo_)](std::size_t worker) {
    book->geo_to_fill().take(worker, value);
  });
}

void AddressKeeper::tell_trouble(std::string& trouble, std::string_view what, const std::string& why) {
  if (why == trouble) return;
  trouble = why;
  if (why.empty())
    tell_(LogLevel::info, fmt::format("{} is good again", what));
  else
    tell_(LogLevel::error, fmt::format("{}: {}; what was good last stays in use", what, why));
}

}  // namespace lockgate::guard
