#include "guard/geo.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <maxminddb.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <vector>

namespace lockgate::guard {
namespace {

constexpr std::size_t kMostBytes = std::size_t{512} << 20;
constexpr std::size_t kPiece = 256 * 1024;

using Unusable = std::unexpected<std::string>;

Unusable unusable(const std::string& path, const std::string& why) {
  return Unusable(fmt::format("{} is no database of addresses that can be used: {}", path, why));
}
Unusable no_copy(const std::string& path) {
  return Unusable(
      fmt::format("{} cannot be copied into memory: {}", path, std::generic_category().message(errno)));
}

bool write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

// What is mapped and then cut short by somebody ends whoever looks into it (SIGBUS).
std::expected<Fd, std::string> copy_of(const Fd& file, const std::string& path) {
  Fd copy(::memfd_create("lockgate-mmdb", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return no_copy(path);
  std::vector<std::byte> room(kPiece);
  for (std::size_t copied = 0;;) {
    ssize_t got = ::read(file.number(), room.data(), room.size());
    if (got < 0) return no_copy(path);
    if (got == 0) break;
    copied += static_cast<std::size_t>(got);
    if (copied > kMostBytes) return unusable(path, fmt::format("it has more than {} bytes", kMostBytes));
    if (!write_all(copy.number(), Bytes(room).first(static_cast<std::size_t>(got)))) return no_copy(path);
  }
  if (::fcntl(copy.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return no_copy(path);
  return copy;
}

std::optional<MMDB_entry_s> entry_of(const MMDB_s& database, const Ip& ip) {
  if (ip.is_none()) return {};
  sockaddr_storage address{};
  SocketAddress(ip, 0).to_system(address);
  int error = MMDB_SUCCESS;
  auto found = MMDB_lookup_sockaddr(&database, reinterpret_cast<const sockaddr*>(&address), &error);
  if (error != MMDB_SUCCESS || !found.found_entry) return {};
  return found.entry;
}

// What stands at a path of names, which ends with a null, and has that type.
std::optional<MMDB_entry_data_s> value_at(MMDB_entry_s entry, std::span<const char* const> path,
                                          std::uint32_t type) {
  MMDB_entry_data_s value{};
  int status = MMDB_aget_value(&entry, &value, path.data());
  if (status != MMDB_SUCCESS || !value.has_data || value.type != type) return {};
  return value;
}

std::string_view text_at(const MMDB_entry_s& entry, std::span<const char* const> path) {
  auto value = value_at(entry, path, MMDB_DATA_TYPE_UTF8_STRING);
  return value ? std::string_view(value->utf8_string, value->data_size) : std::string_view();
}

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

void close_database(MMDB_s* database) {
  MMDB_close(database);
  delete database;
}

std::expected<std::shared_ptr<const GeoDatabase>, std::string> GeoDatabase::open(WatchedFile& file) {
  auto fd = file.open();
  if (!fd) return Unusable(fd.error());
  auto copy = copy_of(*fd, file.path());
  if (!copy) return Unusable(copy.error());
  auto opened = std::make_unique<MMDB_s>();
  int status =
      MMDB_open(fmt::format("/proc/self/fd/{}", copy->number()).c_str(), MMDB_MODE_MMAP, opened.get());
  if (status != MMDB_SUCCESS) return unusable(file.path(), MMDB_strerror(status));
  Handle handle(opened.release());
  return std::shared_ptr<const GeoDatabase>(new GeoDatabase(std::move(handle)));
}

// As MaxMind and DB-IP write it, or as IPinfo does.
std::string_view GeoDatabase::country_of(const Ip& ip) const {
  static constexpr std::array<const char*, 3> kPath{"country", "iso_code", nullptr};
  static constexpr std::array<const char*, 2> kCode{"country_code", nullptr}, kPlain{"country", nullptr};
  auto entry = entry_of(*handle_, ip);
  if (!entry) return {};
  std::string_view code = text_at(*entry, kPath);
  if (code.empty()) code = text_at(*entry, kCode);
  if (code.empty()) code = text_at(*entry, kPlain);
  return code.size() == 2 && is_capital(code[0]) && is_capital(code[1]) ? code : std::string_view();
}

std::uint32_t GeoDatabase::system_of(const Ip& ip) const {
  static constexpr std::array<const char*, 2> kPath{"autonomous_system_number", nullptr},
      kText{"asn", nullptr};
  auto entry = entry_of(*handle_, ip);
  if (!entry) return 0;
  if (auto number = value_at(*entry, kPath, MMDB_DATA_TYPE_UINT32)) return number->uint32;
  std::string_view text = text_at(*entry, kText);
  if (text.starts_with("AS")) text.remove_prefix(2);
  std::uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace lockgate::guard
