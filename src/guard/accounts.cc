#include "guard/accounts.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <span>
#include <system_error>

#include "base/digest.h"
#include "base/fd.h"
#include "base/whole_file.h"
#include "guard/client_key.h"

namespace lockgate::guard {

using Success = std::expected<void, std::string>;

namespace {

constexpr ::mode_t kFileMode = 0600, kFolderMode = 0700;  // there are hashes of passwords in it
constexpr std::size_t kLargest = 4 << 20;

std::unexpected<std::string> cannot(const char* what, const std::string& path) {
  return std::unexpected(
      fmt::format("{} cannot be {}: {}", path, what, std::generic_category().message(errno)));
}

Success write_file(const std::string& path, std::string_view text) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  if (!fd) return cannot("written", path);
  while (!text.empty()) {
    ssize_t written = ::write(fd.number(), text.data(), text.size());
    if (written < 0 && errno != EINTR) return cannot("written", path);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd.number()) != 0) return cannot("written", path);
  return {};
}

// Whoever reads it finds the old one or the new one, whole.
Success replace(const std::string& path, const std::vector<AccountRequest>& requests) {
  std::string folder = path.substr(0, path.rfind('/')), next = path + ".new";
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) return cannot("made", folder);
  if (auto written = write_file(next, account_file(requests)); !written) return written;
  if (::rename(next.c_str(), path.c_str()) != 0) return cannot("written", path);
  return {};
}

Accounts::Waiting read(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0 && errno == ENOENT) return {};
  auto text = read_whole_file(path, kLargest, "4 MiB");
  if (!text) return std::unexpected(text.error());
  auto requests = read_account_file(text->text());
  if (!requests) return std::unexpected(fmt::format("{} cannot be used: {}", path, requests.error()));
  return requests;
}

// A folder that is not there yet is made in the one above it, when the first request comes.
std::string fault_of_folder(const std::string& folder) {
  struct stat found{};
  bool is_there = ::stat(folder.c_str(), &found) == 0 || errno != ENOENT;
  std::string asked = is_there ? folder : folder.substr(0, folder.rfind('/'));
  if (::faccessat(AT_FDCWD, (asked + "/.").c_str(), W_OK | X_OK, AT_EACCESS) == 0) return "";
  return cannot("written", asked).error();
}

// Why the next request could not be filed; empty if it could.
std::string fault_of(const std::string& path) {
  auto requests = read(path);
  if (!requests) return requests.error();
  if (requests->size() >= Accounts::kMostWaiting)
    return fmt::format("{} requests wait already, and no more are taken", requests->size());
  return fault_of_folder(path.substr(0, path.rfind('/')));
}

std::set<std::size_t> lists_to_sign_up_for(const config::Config& config) {
  std::set<std::size_t> lists;
  for (const config::Listener& listener : config.listeners)
    for (const config::Site& site : listener.sites)
      for (const config::Route& route : site.routes)
        if (route.action == config::RouteAction::sign_up) lists.insert(route.sign_up.index);
  return lists;
}

}  // namespace

std::vector<config::Diagnostic> Accounts::check(const config::Config& config) {
  std::vector<config::Diagnostic> warnings;
  for (std::size_t index : lists_to_sign_up_for(config)) {
    const config::UserList& list = config.users.at(index);
    std::string fault = fault_of(file_of(config.state_folder, list.name));
    if (fault.empty()) continue;
    warnings.push_back({config::Diagnostic::Severity::warning, list.place,
                        fmt::format("nobody can sign up for `{}`: {}", list.name, fault),
                        "see `lockgate accounts`, and let the service's user write to the `state_folder`"});
  }
  return warnings;
}

Accounts::Accounts() { random_bytes(std::as_writable_bytes(std::span(&key_, 1))); }

// A list may have any name, and a file may not.
std::string Accounts::file_of(const std::string& state_folder, std::string_view list) {
  std::string name;
  for (char c : list) {
    bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    name += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return fmt::format("{}/accounts/{}", state_folder, name);
}

Taken Accounts::try_once(const Ip& client, Instant now) {
  std::string who = client.is_none() ? "" : client_network(client).text();
  return tries_.take(keyed_hash(key_, who), kTries, 1, now);
}

Accounts::Waiting Accounts::waiting(const std::string& file) const {
  std::lock_guard lock(files_);
  return read(file);
}

// The file is written in any case: who waits must not be told by how long that takes.
std::expected<bool, std::string> Accounts::add(const std::string& file, AccountRequest request) {
  std::lock_guard lock(files_);
  auto requests = read(file);
  if (!requests) return std::unexpected(requests.error());
  if (requests->size() >= kMostWaiting) return false;
  if (std::ranges::find(*requests, request.name, &AccountRequest::name) == requests->end())
    requests->push_back(std::move(request));
  auto kept = replace(file, *requests);
  if (!kept) return std::unexpected(kept.error());
  return true;
}

std::expected<bool, std::string> Accounts::take_off(const std::string& file, std::string_view name) {
  std::lock_guard lock(files_);
  auto requests = read(file);
  if (!requests) return std::unexpected(requests.error());
  if (std::erase_if(*requests, [&](const AccountRequest& one) { return one.name == name; }) == 0)
    return false;
  auto kept = replace(file, *requests);
  if (!kept) return std::unexpected(kept.error());
  return true;
}

}  // namespace lockgate::guard
