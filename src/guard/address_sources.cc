#include "guard/address_sources.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/digest.h"
#include "wire/network_list.h"

namespace lockgate::guard {
namespace {

constexpr std::string_view kEtag = "# etag: ", kLastModified = "# last-modified: ";
constexpr std::size_t kName = 32;  // of a copy, in characters
constexpr mode_t kFolderMode = 0750, kFileMode = 0640;

std::expected<SharedNetworks, std::string> networks_in(std::string_view text, std::string_view where) {
  auto networks = wire::read_network_list(text);
  if (networks) return std::make_shared<const NetworkSet>(*networks);
  const wire::NetworkListFault& fault = networks.error();
  if (fault.line == 0) return std::unexpected(fmt::format("{}: {}", where, fault.why));
  return std::unexpected(fmt::format("{}:{}: {}", where, fault.line, fault.why));
}

/// What stands behind `beginning` in one of the first lines.
std::string noted(std::string_view text, std::string_view beginning) {
  while (text.starts_with('#')) {
    std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(beginning)) return std::string(line.substr(beginning.size()));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return "";
}

std::unexpected<std::string> cannot_write(const std::string& path) {
  return std::unexpected(
      fmt::format("{} cannot be written: {}", path, std::generic_category().message(errno)));
}

Success write_file(const std::string& path, std::string_view text) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  if (!fd) return cannot_write(path);
  while (!text.empty()) {
    ssize_t written = ::write(fd.number(), text.data(), text.size());
    if (written < 0 && errno != EINTR) return cannot_write(path);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Success ListFile::read() {
  auto text = file_.read(wire::NetworkListLimits().bytes, "64 MiB");
  if (!text) return std::unexpected(text.error());
  auto networks = networks_in(text->text(), path());
  if (!networks) return std::unexpected(networks.error());
  networks_ = std::move(*networks);
  return {};
}

ListUrl::ListUrl(std::string url, const std::string& state_folder)
    : url_(std::move(url)),
      folder_(state_folder.empty() ? "" : state_folder + "/address_lists"),
      copy_(fmt::format("{}/{}.txt", folder_, hex(sha256(as_bytes(url_))).substr(0, kName))) {}

void ListUrl::read_copy() {
  constexpr std::size_t kNotes = 4096;
  auto text = copy_.read(wire::NetworkListLimits().bytes + kNotes, "64 MiB");
  if (!text) return;
  auto networks = networks_in(text->text(), copy_.path());
  if (!networks) return;
  networks_ = std::move(*networks);
  etag_ = noted(text->text(), kEtag);
  last_modified_ = noted(text->text(), kLastModified);
  fetched_at_ = copy_.written();
}

Success ListUrl::take(const http::Fetched& fetched) {
  auto networks = networks_in(fetched.body, shown());
  if (!networks) return std::unexpected(networks.error());
  networks_ = std::move(*networks);
  etag_ = fetched.etag;
  last_modified_ = fetched.last_modified;
  return {};
}

// Behind its notes, which are comments of the list. Whoever reads it finds the old one or the new one, whole.
Success ListUrl::keep_copy(const http::Fetched& fetched) const {
  if (folder_.empty()) return {};
  if (::mkdir(folder_.c_str(), kFolderMode) != 0 && errno != EEXIST) return cannot_write(folder_);
  std::string next = copy_.path() + ".new";
  std::string text =
      fmt::format("{}{}\n{}{}\n{}", kEtag, fetched.etag, kLastModified, fetched.last_modified, fetched.body);
  if (auto written = write_file(next, text); !written) return written;
  if (::rename(next.c_str(), copy_.path().c_str()) != 0) return cannot_write(copy_.path());
  return {};
}

void ListUrl::take_over(const ListUrl& other) {
  etag_ = other.etag_;
  last_modified_ = other.last_modified_;
  fetched_at_ = other.fetched_at_;
  networks_ = other.networks_;
}

ListedNetworks ListSources::now() const {
  ListedNetworks networks{.parts = {in_place}};
  for (const ListFile& file : files) networks.parts.push_back(file.networks());
  for (const ListUrl& url : urls) {
    if (url.networks()) networks.parts.push_back(url.networks());
  }
  return networks;
}

std::expected<AddressSources, AddressSources::Diagnostics> AddressSources::of(const config::Config& config) {
  AddressSources sources;
  Diagnostics mistakes;
  auto mistake = [&](const config::Place& place, std::string message) {
    mistakes.push_back({.place = place, .message = std::move(message), .hint = ""});
  };
  for (const config::AddressList& list : config.address_lists) {
    ListSources& one = sources.lists.emplace_back(
        ListSources{.config = list, .in_place = std::make_shared<const NetworkSet>(list.networks)});
    for (const std::string& path : list.files) {
      auto read = one.files.emplace_back(path).read();
      if (!read) mistake(list.place, fmt::format("the address list `{}`: {}", list.name, read.error()));
    }
    for (const std::string& url : list.urls) one.urls.emplace_back(url, config.state_folder).read_copy();
  }
  sources.country_file = WatchedFile(config.geo.country);
  sources.system_file = WatchedFile(config.geo.system);
  auto open = [&](WatchedFile& file, std::shared_ptr<const GeoDatabase>& database) {
    if (file.path().empty()) return;
    auto opened = GeoDatabase::open(file);
    if (opened)
      database = std::move(*opened);
    else
      mistake(config.geo.place, opened.error());
  };
  open(sources.country_file, sources.geo.country);
  open(sources.system_file, sources.geo.system);
  if (!mistakes.empty()) return std::unexpected(std::move(mistakes));
  return sources;
}

void AddressSources::fill(AddressBook& book, std::size_t worker) const {
  book.begin(names());
  for (std::size_t i = 0; i < lists.size(); ++i)
    book.handle_of(i)->take(worker, std::make_shared<const ListedNetworks>(lists[i].now()));
  book.geo_to_fill().take(worker, std::make_shared<const Geo>(geo));
}

std::vector<std::string> AddressSources::names() const {
  std::vector<std::string> names;
  for (const ListSources& list : lists) names.push_back(list.config.name);
  return names;
}

}  // namespace lockgate::guard
