// Where lists of addresses come from: files, and URLs with a copy of each in the state
// folder. Every part of a list keeps what it held when it was last good.
//
// On the process's thread; it looks at the disk.
#pragma once
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "guard/address_book.h"
#include "guard/watched_file.h"
#include "http/fetch.h"

namespace lockgate::guard {

/// Nothing, or a sentence that says why not.
using Success = std::expected<void, std::string>;
using SharedNetworks = std::shared_ptr<const NetworkSet>;

/// A list in a file.
class ListFile {
 public:
  explicit ListFile(std::string path) : file_(std::move(path)) {}

  const std::string& path() const { return file_.path(); }
  bool has_changed() const { return file_.has_changed(); }
  /// What it holds now is what it holds from now on, unless it cannot be read.
  Success read();
  const SharedNetworks& networks() const { return networks_; }

 private:
  WatchedFile file_;
  SharedNetworks networks_;
};

/// A list at a URL.
class ListUrl {
 public:
  ListUrl(std::string url, const std::string& state_folder);

  const std::string& url() const { return url_; }
  /// For logs: without what may be secret.
  std::string_view shown() const { return std::string_view(url_).substr(0, url_.find('?')); }
  /// Takes the copy of the last time, if there is a good one.
  void read_copy();
  /// Takes what was fetched, unless it is no list.
  Success take(const http::Fetched& fetched);
  /// Leaves a copy of what was fetched for the next start.
  Success keep_copy(const http::Fetched& fetched) const;
  /// Takes what another one has of the same URL.
  void take_over(const ListUrl& other);

  /// Null as long as there was none.
  const SharedNetworks& networks() const { return networks_; }
  WallTime fetched_at() const { return fetched_at_; }
  void set_fetched_at(WallTime when) { fetched_at_ = when; }
  const std::string& etag() const { return etag_; }
  const std::string& last_modified() const { return last_modified_; }

 private:
  std::string url_, folder_;
  WatchedFile copy_;
  std::string etag_, last_modified_;
  WallTime fetched_at_ = 0;
  SharedNetworks networks_;
};

/// One list of a configuration.
struct ListSources {
  config::AddressList config;
  SharedNetworks in_place;
  std::vector<ListFile> files;
  std::vector<ListUrl> urls;

  ListedNetworks now() const;
};

/// All that a configuration wants to know of addresses.
struct AddressSources {
  using Diagnostics = std::vector<config::Diagnostic>;

  std::vector<ListSources> lists;
  WatchedFile country_file{""}, system_file{""};
  Geo geo;

  /// Read from the disk; or what of it cannot be used, each at its place.
  static std::expected<AddressSources, Diagnostics> of(const config::Config& config);
  /// Fills `book` with what they hold now, for one worker alone.
  void fill(AddressBook& book, std::size_t worker) const;
  /// Names of the lists.
  std::vector<std::string> names() const;
};

}  // namespace lockgate::guard
