// Users: who can sign in, as the files of one entry of `users` said when they were read.
// Immutable; published to all workers, anew when the files change.
#pragma once
#include <optional>
#include <string_view>

#include "base/keyed_hash.h"
#include "wire/group_file.h"
#include "wire/user_file.h"

namespace lockgate::guard {

class Users {
 public:
  explicit Users(wire::UserFile users, wire::GroupFile groups = {})
      : users_(std::move(users)), groups_(std::move(groups)) {}

  /// The stored hash of whom it knows.
  std::optional<std::string_view> hash_of(std::string_view name) const { return users_.hash_of(name); }
  bool is_in(std::string_view name, std::string_view group) const { return groups_.is_in(name, group); }
  bool has_group(std::string_view group) const { return groups_.has_group(group); }
  std::size_t size() const { return users_.size(); }

  /// A hash for whom it does not know, so that asking for them costs what it costs for somebody: always the
  /// same one for a name, and nobody who lacks the key knows whose. Not of an empty list.
  std::string_view hash_instead(std::string_view name, const HashSecret& key) const {
    return users_.hash(keyed_hash(key, name) % users_.size());
  }

  const wire::UserFile& users() const { return users_; }
  const wire::GroupFile& groups() const { return groups_; }

 private:
  wire::UserFile users_;
  wire::GroupFile groups_;
};

}  // namespace lockgate::guard
