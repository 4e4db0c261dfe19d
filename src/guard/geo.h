// Geo: in which country an address is, and to which autonomous system it belongs, out of
// databases in the MMDB format.
//
// A database is copied before it is looked into, so that nobody can cut it short beneath
// us. Immutable; any thread, without locks. Whatever is broken in one is not known.
#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/owned.h"
#include "guard/watched_file.h"

struct MMDB_s;

namespace lockgate::guard {

void close_database(MMDB_s* database);

class GeoDatabase {
 public:
  /// An error is a sentence.
  static std::expected<std::shared_ptr<const GeoDatabase>, std::string> open(WatchedFile& file);

  /// "DE"; empty if it is not known. It looks into the database.
  std::string_view country_of(const Ip& ip) const;
  /// 3320; 0 if it is not known.
  std::uint32_t system_of(const Ip& ip) const;

 private:
  using Handle = Owned<MMDB_s, close_database>;
  explicit GeoDatabase(Handle handle) : handle_(std::move(handle)) {}

  Handle handle_;
};

/// The databases that are there; null are those that are not.
struct Geo {
  std::shared_ptr<const GeoDatabase> country, system;

  std::string_view country_of(const Ip& ip) const { return country ? country->country_of(ip) : ""; }
  std::uint32_t system_of(const Ip& ip) const { return system ? system->system_of(ip) : 0; }
};

}  // namespace lockgate::guard
