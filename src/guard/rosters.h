// Rosters: the users of all entries of `users`, read from their files before a
// configuration takes effect, and again when a file changes.
//
// What cannot be read then leaves the last good one in use. Who asks for an entry gets the
// same place as long as its files keep their names, over reloads. The process's thread only.
#pragma once
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/whole_file.h"
#include "config/config.h"
#include "guard/published.h"
#include "guard/users.h"

namespace lockgate::guard {

class Rosters {
 public:
  using Diagnostics = std::vector<config::Diagnostic>;
  using Place = std::shared_ptr<Published<Users>>;
  /// Has each worker take the users; before they run it may do so itself.
  using Publish = std::function<void(const Place&, const std::shared_ptr<const Users>&)>;

  /// What one entry's files were, and said.
  struct Read {
    FileStamp file, groups;
    std::shared_ptr<const Users> users;
  };
  using Reading = std::map<std::string, Read>;  // by the names of the files
  /// What is to be told of files that changed while they were in use.
  struct News {
    bool good;
    std::string sentence;
  };

  explicit Rosters(std::size_t workers) : workers_(workers) {}

  /// All that `config` names, or each file that cannot be used.
  static std::expected<Reading, Diagnostics> read(const config::Config& config);
  /// Warnings of what `config` names: hashes that do not protect, members of groups that are no users.
  static Diagnostics check(const config::Config& config, const Reading& reading);
  /// Makes it what is in use; what it does not name is looked at no more.
  void use(Reading reading, const Publish& publish);
  /// Reads what has changed and then stayed the same between two looks: files are not always replaced at
  /// once. Each change for the worse or the better is told once.
  std::vector<News> look_again(const Publish& publish);

  /// Where workers find the users of an entry of the configuration in use.
  std::shared_ptr<const Published<Users>> published(const config::UserList& list);

 private:
  struct InUse {
    std::string file, groups;  // names
    Place place;
    FileStamp file_read, groups_read;  // when they were last read, well or not
    FileStamp file_seen, groups_seen;  // by the last look
    std::string trouble;               // since when they cannot be used
  };

  static std::string key_of(const config::UserList& list) { return list.file + '\n' + list.groups; }
  Place& place_of(const std::string& key);
  static std::optional<News> read_again(InUse& roster, const Publish& publish);

  std::size_t workers_;
  std::map<std::string, Place> places_;  // of all that were ever asked for, and are still used
  std::map<std::string, InUse> in_use_;
};

}  // namespace lockgate::guard
