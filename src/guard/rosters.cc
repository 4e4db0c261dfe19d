#include "guard/rosters.h"

#include <fmt/core.h>

#include "base/password_hash.h"
#include "guard/user_files.h"

namespace lockgate::guard {

using config::Diagnostic;
using std::unexpected;

namespace {

FileStamp stamp_of_any(const std::string& path) { return path.empty() ? FileStamp() : stamp_of(path); }

// Files are large, and mistakes alike: the first one stands for all.
class Finding {
 public:
  void take(std::string_view name) {
    if (count_++ == 0) first_ = name;
  }
  void tell(const config::UserList& list, std::string_view what, std::string_view hint,
            std::vector<Diagnostic>& out) const {
    if (count_ == 0) return;
    std::string who = count_ == 1 ? first_ : fmt::format("{} and {} more", first_, count_ - 1);
    out.push_back({.severity = Diagnostic::Severity::warning,
                   .place = list.place,
                   .message = fmt::format("{}: {}", what, who),
                   .hint = std::string(hint)});
  }

 private:
  std::size_t count_ = 0;
  std::string first_;
};

}  // namespace

std::expected<Rosters::Reading, Rosters::Diagnostics> Rosters::read(const config::Config& config) {
  Reading reading;
  Diagnostics unusable;
  for (const config::UserList& list : config.users) {
    auto [entry, is_new] = reading.try_emplace(key_of(list));
    if (!is_new) continue;
    entry->second.file = stamp_of_any(list.file);
    entry->second.groups = stamp_of_any(list.groups);
    auto users = read_users(list.file, list.groups);
    if (users)
      entry->second.users = std::move(*users);
    else
      unusable.push_back({.place = list.place, .message = std::move(users.error()), .hint = ""});
  }
  if (!unusable.empty()) return unexpected(std::move(unusable));
  return reading;
}

void Rosters::use(Reading reading, const Publish& publish) {
  std::map<std::string, InUse> next;
  for (auto& [key, read] : reading) {
    auto newline = key.find('\n');
    next[key] = {.file = key.substr(0, newline),
                 .groups = key.substr(newline + 1),
                 .place = place_of(key),
                 .file_read = read.file,
                 .groups_read = read.groups,
                 .file_seen = read.file,
                 .groups_seen = read.groups,
                 .trouble = ""};
    std::shared_ptr<const Users> users = std::move(read.users);
    publish(next[key].place, users);
  }
  in_use_ = std::move(next);
  std::erase_if(places_, [](const auto& place) { return place.second.use_count() == 1; });
}

std::vector<Rosters::News> Rosters::look_again(const Publish& publish) {
  std::vector<News> news;
  for (auto& [key, roster] : in_use_) {
    FileStamp file = stamp_of_any(roster.file), groups = stamp_of_any(roster.groups);
    bool same = file == roster.file_seen && groups == roster.groups_seen;
    roster.file_seen = file;
    roster.groups_seen = groups;
    if (!same || (file == roster.file_read && groups == roster.groups_read)) continue;
    if (auto one = read_again(roster, publish)) news.push_back(std::move(*one));
  }
  return news;
}

std::optional<Rosters::News> Rosters::read_again(InUse& roster, const Publish& publish) {
  roster.file_read = roster.file_seen;
  roster.groups_read = roster.groups_seen;
  auto users = read_users(roster.file, roster.groups);
  if (users) {
    publish(roster.place, *users);
    roster.trouble.clear();
    return News{true, fmt::format("users are as {} says now: {}", roster.file, (*users)->size())};
  }
  bool known = users.error() == roster.trouble;
  roster.trouble = users.error();
  if (known) return {};
  return News{false, fmt::format("a file of users has changed and cannot be used, the users before stay: {}",
                                 roster.trouble)};
}

std::shared_ptr<const Published<Users>> Rosters::published(const config::UserList& list) {
  return place_of(key_of(list));
}

Rosters::Place& Rosters::place_of(const std::string& key) {
  Place& place = places_[key];
  if (!place) place = std::make_shared<Published<Users>>(workers_);
  return place;
}

Rosters::Diagnostics Rosters::check(const config::Config& config, const Reading& reading) {
  Diagnostics warnings;
  for (const config::UserList& list : config.users) {
    const Users& users = *reading.at(key_of(list)).users;
    Finding weak, unknown;
    for (std::size_t i = 0; i < users.size(); ++i) {
      if (is_weak(*scheme_of(users.users().hash(i)))) weak.take(users.users().name(i));
    }
    users.groups().for_each_member([&](std::string_view group, std::string_view user) {
      if (!users.hash_of(user)) unknown.take(fmt::format("{} in {}", user, group));
    });
    weak.tell(list, fmt::format("{} has hashes that are soon guessed (DES, {{SHA}})", list.file),
              "make them anew with `lockgate password`", warnings);
    unknown.tell(list, fmt::format("{} names users that {} does not have", list.groups, list.file),
                 "take them out, or see whether they are written alike", warnings);
  }
  return warnings;
}

}  // namespace lockgate::guard
