// Shelf: what a configuration takes from the file system for answers of our own: pages,
// folders, and the signs of maintenance. It is filled before the configuration takes
// effect, and what it hands out lives as long as the plans that use it.
//
// Filled and asked on the process's thread; it looks at the disk.
#pragma once
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/config.h"
#include "proxy/folder.h"
#include "proxy/maintenance.h"

namespace lockgate::proxy {

class WrittenPage;

class Shelf {
 public:
  /// All that `config` names; or what of it cannot be used, each at its place.
  static std::expected<Shelf, std::vector<config::Diagnostic>> filled_for(const config::Config& config);

  // What is not there is null.
  std::shared_ptr<const WrittenPage> page(const std::string& path) const { return at(pages_, path); }
  std::shared_ptr<const Folder> folder(const std::string& path) const { return at(folders_, path); }
  std::shared_ptr<const Sign> sign(const std::string& path) const { return at(signs_, path); }
  std::shared_ptr<const Secret> password(const std::string& path) const { return at(passwords_, path); }

 private:
  template <class Thing>
  using Things = std::map<std::string, std::shared_ptr<const Thing>>;
  class Filling;

  template <class Thing>
  static std::shared_ptr<const Thing> at(const Things<Thing>& things, const std::string& path) {
    auto found = things.find(path);
    return found == things.end() ? nullptr : found->second;
  }

  Things<WrittenPage> pages_;
  Things<Folder> folders_;
  Things<Sign> signs_;
  Things<Secret> passwords_;
};

}  // namespace lockgate::proxy
