#include "base/password_hash.h"

#include <apr-1.0/apr_md5.h>
#include <crypt.h>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/digest.h"
#include "base/secret.h"

namespace lockgate {

using std::unexpected;

namespace {

using Scheme = PasswordScheme;

// What a check may cost. More than that is a slip of the pen, or somebody's way to stop this process.
constexpr unsigned kMostBcrypt = 17;         // as htpasswd: some 10 s
constexpr unsigned kMostRounds = 1'000'000;  // of sha256 and sha512: about 1 s
constexpr std::size_t kMostMemory = 15;      // of yescrypt, as it writes it: 256 MiB
constexpr std::size_t kMostBlock = 31;       // the same: 4 KiB, what everybody uses
constexpr std::size_t kLongestSalt = 64;     // of {SSHA}
constexpr std::size_t kBcryptPassword = 72;  // the rest of a password is not looked at
constexpr std::string_view kAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct Known {
  Scheme scheme;
  std::string_view name;
  std::string_view prefix;                  // of what is made, and of what is crypt's
  unsigned least = 0, usual = 0, most = 0;  // cost, if there is one to choose
};
constexpr Known kKnown[] = {
    {Scheme::bcrypt, "bcrypt", "$2y$", 4, 10, kMostBcrypt},
    {Scheme::yescrypt, "yescrypt", "$y$", 1, 5, 9},
    {Scheme::gost_yescrypt, "gost-yescrypt", "$gy$", 1, 5, 9},
    {Scheme::sha512, "sha512", "$6$", 1000, 100'000, kMostRounds},
    {Scheme::sha256, "sha256", "$5$", 1000, 100'000, kMostRounds},
    {Scheme::apr1, "apr1", "$apr1$"},
    {Scheme::md5, "md5", "$1$"},
    {Scheme::ssha512, "ssha512", "{SSHA512}"},
    {Scheme::ssha256, "ssha256", "{SSHA256}"},
    {Scheme::ssha, "ssha", "{SSHA}"},
    {Scheme::sha, "sha", "{SHA}"},
    {Scheme::des, "des", ""},
};

const Known& known(Scheme scheme) { return *std::ranges::find(kKnown, scheme, &Known::scheme); }

bool is_coded(std::string_view text, std::size_t size) {
  return text.size() == size && text.find_first_not_of(kAlphabet) == text.npos;
}

/// Whether libxcrypt takes it as a salt.
bool is_salt(std::string_view text, std::size_t most) {
  auto fits = [](char c) { return c > ' ' && c <= '~' && !std::string_view("!*:;\\").contains(c); };
  return text.size() <= most && std::ranges::all_of(text, fits);
}

/// What stands before the next `$`, which is taken off with it.
std::string_view take_part(std::string_view& rest) {
  auto end = std::min(rest.find('$'), rest.size());
  std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::optional<unsigned> number(std::string_view digits) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return value;
}

using Outcome = std::expected<Scheme, std::string>;

unexpected<std::string> damaged(std::string_view scheme) {
  return unexpected(fmt::format("has a hash of {} that is damaged; make the line anew", scheme));
}
unexpected<std::string> too_dear(std::string_view scheme) {
  return unexpected(
      fmt::format("has a hash of {} that costs too much to check; make the line anew, with less", scheme));
}

// $2y$10$ and 22 characters of salt, 31 of hash.
Outcome read_bcrypt(std::string_view hash) {
  auto cost = number(hash.substr(4, 2));
  if (hash.size() != 60 || !cost || hash[6] != '$' || !is_coded(hash.substr(7), 53) || *cost < 4)
    return damaged("bcrypt");
  if (*cost > kMostBcrypt) return too_dear("bcrypt");
  return Scheme::bcrypt;
}

// $6$, maybe rounds=5000$, salt$hash.
Outcome read_sha_crypt(Scheme scheme, std::string_view rest, std::size_t size) {
  std::string_view salt = take_part(rest);
  if (salt.starts_with("rounds=")) {
    auto rounds = number(salt.substr(7));
    if (!rounds) return damaged(name_of(scheme));
    if (*rounds > kMostRounds) return too_dear(name_of(scheme));
    salt = take_part(rest);
  }
  if (!is_salt(salt, 16) || !is_coded(rest, size)) return damaged(name_of(scheme));
  return scheme;
}

// $y$, then flavour, memory and size of a block, a character each; salt$hash.
Outcome read_yescrypt(Scheme scheme, std::string_view rest) {
  std::string_view parameters = take_part(rest), salt = take_part(rest);
  if (salt.empty() || salt.size() > 86 || !is_coded(salt, salt.size()) || !is_coded(rest, 43) ||
      parameters.size() < 3)
    return damaged(name_of(scheme));
  if (parameters.size() > 3 || parameters[0] != 'j' || kAlphabet.find(parameters[1]) > kMostMemory ||
      kAlphabet.find(parameters[2]) > kMostBlock)
    return too_dear(name_of(scheme));
  return scheme;
}

Outcome read_md5(Scheme scheme, std::string_view rest) {
  std::string_view salt = take_part(rest);
  if (!is_salt(salt, 8) || !is_coded(rest, 22)) return damaged(name_of(scheme));
  return scheme;
}

/// Standard base64 with its padding; nothing if it is not.
std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 1024) return {};
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::vector<std::byte> bytes(text.size() / 4 * 3);
  int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0 || static_cast<std::size_t>(size) != bytes.size()) return {};
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::size_t digest_size(Scheme scheme) {
  return scheme == Scheme::ssha512 ? 64 : scheme == Scheme::ssha256 ? 32 : 20;
}

Outcome read_braced(Scheme scheme, std::string_view rest) {
  auto bytes = from_base64(rest);
  std::size_t size = digest_size(scheme), salt = scheme == Scheme::sha ? 0 : kLongestSalt;
  if (!bytes || bytes->size() < size || bytes->size() > size + salt) return damaged(known(scheme).prefix);
  return scheme;
}

bool starts_alike(std::string_view text, std::string_view prefix) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return text.size() >= prefix.size() &&
         std::ranges::equal(text.substr(0, prefix.size()), prefix, {}, lower, lower);
}

Outcome unusable(std::string_view hash) {
  constexpr std::string_view kClear[] = {"{PLAIN}", "{CLEAR}", "{CLEARTEXT}"};
  auto begins = [&](std::string_view prefix) { return starts_alike(hash, prefix); };
  if (hash.empty()) return unexpected("has no hash of a password");
  if (std::ranges::any_of(kClear, begins))
    return unexpected(
        "has a password in clear, which is never taken; make the line with `lockgate password`");
  if (begins("$argon2"))
    return unexpected("has a hash of argon2, which is not known here; use bcrypt or yescrypt");
  return unexpected(
      "has no hash that is known here; is it a password in clear? Make the line with `lockgate password`");
}

/// A copy of a password as C libraries want it, wiped in the end.
class CText {
 public:
  explicit CText(std::string_view text) : bytes_(text.size() + 1) {
    std::ranges::copy(as_bytes(text), bytes_.room().begin());
    start_ = reinterpret_cast<const char*>(bytes_.room().data());
  }
  CText(CText&&) = delete;
  const char* start() const { return start_; }

 private:
  Secret bytes_;
  const char* start_;
};

PasswordMatch match_of(bool same) { return same ? PasswordMatch::yes : PasswordMatch::no; }

PasswordMatch compared(std::string_view made, std::string_view stored) {
  return match_of(made.size() == stored.size() &&
                  CRYPTO_memcmp(made.data(), stored.data(), stored.size()) == 0);
}

// libxcrypt works in the memory it is given; it is wiped, for the password is in it. What yescrypt needs
// beside it may not be to be had: the hash that comes back then begins with a `*`, as no hash does.
PasswordMatch crypt_matches(const char* password, const std::string& hash) {
  auto memory = std::make_unique<crypt_data>();
  const char* made = ::crypt_r(password, hash.c_str(), memory.get());
  PasswordMatch match = made && *made != '*' ? compared(made, hash) : PasswordMatch::unknown;
  OPENSSL_cleanse(memory.get(), sizeof(crypt_data));
  return match;
}

std::string apr1_of(const char* password, const std::string& salt) {
  std::array<char, 120> text{};
  CHECK(::apr_md5_encode(password, salt.c_str(), text.data(), text.size()) == APR_SUCCESS);
  return text.data();
}

const EVP_MD* digest_of(Scheme scheme) {
  return scheme == Scheme::ssha512 ? EVP_sha512() : scheme == Scheme::ssha256 ? EVP_sha256() : EVP_sha1();
}

std::vector<std::byte> salted(Scheme scheme, std::string_view password, Bytes salt) {
  Secret text(password.size() + salt.size());
  std::ranges::copy(as_bytes(password), text.room().begin());
  std::ranges::copy(salt, text.room().begin() + static_cast<std::ptrdiff_t>(password.size()));
  std::vector<std::byte> result(digest_size(scheme));
  CHECK(EVP_Digest(text.text().data(), text.text().size(), reinterpret_cast<unsigned char*>(result.data()),
                   nullptr, digest_of(scheme), nullptr) == 1);
  result.insert(result.end(), salt.begin(), salt.end());
  return result;
}

PasswordMatch braced_matches(Scheme scheme, std::string_view password, std::string_view hash) {
  auto stored = from_base64(hash.substr(known(scheme).prefix.size()));
  CHECK(stored && stored->size() >= digest_size(scheme));
  auto made = salted(scheme, password, Bytes(*stored).subspan(digest_size(scheme)));
  return match_of(CRYPTO_memcmp(made.data(), stored->data(), made.size()) == 0);
}

std::expected<std::string, std::string> made_by_crypt(const Known& how, unsigned cost, const char* password) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (!::crypt_gensalt_rn(std::string(how.prefix).c_str(), cost, nullptr, 0, setting.data(), setting.size()))
    return unexpected(fmt::format("the C library cannot make a hash of {}", how.name));
  auto memory = std::make_unique<crypt_data>();
  const char* made = ::crypt_r(password, setting.data(), memory.get());
  std::string hash = made && *made == '$' ? made : "";
  OPENSSL_cleanse(memory.get(), sizeof(crypt_data));
  if (hash.empty()) return unexpected(fmt::format("the C library cannot make a hash of {}", how.name));
  return hash;
}

std::string apr1_salt() {
  std::array<std::byte, 8> random{};
  random_bytes(random);
  std::string salt = "$apr1$";
  for (std::byte b : random) salt += kAlphabet[static_cast<unsigned>(b) & 63];
  return salt + "$";
}

bool is_usable(std::string_view password) {
  return password.size() <= kLongestPassword && !password.contains('\0');
}

}  // namespace

std::string_view name_of(Scheme scheme) { return known(scheme).name; }

std::optional<Scheme> scheme_named(std::string_view name) {
  auto found = std::ranges::find(kKnown, name, &Known::name);
  return found == std::end(kKnown) ? std::nullopt : std::optional(found->scheme);
}

Outcome scheme_of(std::string_view hash) {
  auto rest = [&](Scheme scheme) { return hash.substr(known(scheme).prefix.size()); };
  auto begins = [&](Scheme scheme) { return hash.starts_with(known(scheme).prefix); };
  if (begins(Scheme::bcrypt) || hash.starts_with("$2a$") || hash.starts_with("$2b$"))
    return read_bcrypt(hash);
  if (begins(Scheme::sha512)) return read_sha_crypt(Scheme::sha512, rest(Scheme::sha512), 86);
  if (begins(Scheme::sha256)) return read_sha_crypt(Scheme::sha256, rest(Scheme::sha256), 43);
  for (Scheme scheme : {Scheme::yescrypt, Scheme::gost_yescrypt}) {
    if (begins(scheme)) return read_yescrypt(scheme, rest(scheme));
  }
  for (Scheme scheme : {Scheme::apr1, Scheme::md5}) {
    if (begins(scheme)) return read_md5(scheme, rest(scheme));
  }
  for (Scheme scheme : {Scheme::ssha512, Scheme::ssha256, Scheme::ssha, Scheme::sha}) {
    if (begins(scheme)) return read_braced(scheme, rest(scheme));
  }
  if (is_coded(hash, 13)) return Scheme::des;
  return unusable(hash);
}

bool is_weak(Scheme scheme) { return scheme == Scheme::des || scheme == Scheme::sha; }

PasswordMatch verify_password(std::string_view password, std::string_view hash) {
  auto scheme = scheme_of(hash);
  CHECK(scheme);
  bool usable = is_usable(password);
  CText given(usable ? password : "");
  PasswordMatch match = PasswordMatch::no;
  switch (*scheme) {
    case Scheme::apr1:
      match = compared(apr1_of(given.start(), std::string(hash)), hash);
      break;
    case Scheme::ssha512:
    case Scheme::ssha256:
    case Scheme::ssha:
    case Scheme::sha:
      match = braced_matches(*scheme, usable ? password : "", hash);
      break;
    default:
      match = crypt_matches(given.start(), std::string(hash));
  }
  return usable ? match : PasswordMatch::no;
}

std::expected<std::string, std::string> make_password_hash(Scheme scheme, std::optional<unsigned> cost,
                                                           std::string_view password) {
  const Known& how = known(scheme);
  if (!is_usable(password))
    return unexpected(fmt::format("a password has at most {} bytes, none of them NUL", kLongestPassword));
  if (is_weak(scheme) || scheme == Scheme::md5)
    return unexpected(fmt::format("{} is too weak to be made anew; use bcrypt", how.name));
  if (scheme == Scheme::bcrypt && password.size() > kBcryptPassword)
    return unexpected(
        "bcrypt looks at the first 72 bytes of a password only; use yescrypt, or a shorter one");
  if (cost && how.most == 0) return unexpected(fmt::format("{} has no cost to choose", how.name));
  if (cost && (*cost < how.least || *cost > how.most))
    return unexpected(fmt::format("the cost of {} is {} to {}", how.name, how.least, how.most));
  CText text(password);
  if (scheme == Scheme::apr1) return apr1_of(text.start(), apr1_salt());
  if (how.most != 0) return made_by_crypt(how, cost.value_or(how.usual), text.start());
  std::array<std::byte, 8> salt{};
  random_bytes(salt);
  return std::string(how.prefix) + base64(salted(scheme, password, salt));
}

}  // namespace lockgate
