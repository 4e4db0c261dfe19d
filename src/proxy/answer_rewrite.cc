#include "proxy/answer_rewrite.h"

#include <algorithm>
#include <array>

#include "wire/http_grammar.h"
#include "wire/http_head.h"
#include "wire/url.h"

namespace lockgate::proxy {
namespace {

using wire::equal_in_any_case;

/// A reference that was rewritten, in parts: the whole is written only if it differs from what there was.
struct Rewritten {
  std::string_view scheme, authority;  // both empty in a reference that is a path
  std::string_view prefix, slash, rest;

  std::array<std::string_view, 6> parts() const {
    return {scheme, scheme.empty() ? "" : "://", authority, prefix, slash, rest};
  }
};

std::optional<Rewritten> rewrite(std::string_view value, const Mapping& mapping);
bool differs(const Rewritten& rewritten, std::string_view from);
std::size_t begin_of_url(std::string_view refresh);

/// Copies a value with some of its parts replaced; nothing is copied before the first of them.
class Copy {
 public:
  explicit Copy(std::string_view from) : from_(from) {}

  /// Has `text` instead of what stands at `begin`, behind everything replaced before.
  template <class... Texts>
  void replace(std::size_t begin, std::size_t size, Texts... texts) {
    to_.append(from_.substr(copied_, begin - copied_));
    (to_.append(texts), ...);
    copied_ = begin + size;
    changed_ = true;
  }
  void replace(std::size_t begin, std::size_t size, const Rewritten& rewritten) {
    replace(begin, size);
    for (std::string_view part : rewritten.parts()) to_.append(part);
  }
  std::optional<std::string> finish() {
    if (!changed_) return {};
    to_.append(from_.substr(copied_));
    return std::move(to_);
  }

 private:
  std::string_view from_;
  std::size_t copied_ = 0;
  bool changed_ = false;
  std::string to_;
};

void rewrite_reference(std::string_view value, std::size_t begin, std::size_t size, const Mapping& mapping,
                       Copy& copy) {
  std::string_view reference = value.substr(begin, size);
  auto rewritten = rewrite(reference, mapping);
  if (rewritten && differs(*rewritten, reference)) copy.replace(begin, size, *rewritten);
}

/// One attribute of a cookie, from its semicolon on.
struct Attribute {
  std::size_t begin = 0, size = 0;
  std::string_view name, value;  // without white space
  std::size_t value_begin = 0;
};

class CookieRewrite {
 public:
  CookieRewrite(std::string_view value, const Mapping& mapping, const CookieWishes& wishes)
      : value_(value), mapping_(mapping), wishes_(wishes), copy_(value) {}
  std::optional<std::string> run();

 private:
  Attribute attribute_at(std::size_t begin) const;
  void rewrite_domain(const Attribute& domain);
  void rewrite_path(const Attribute& path);
  void rewrite_attribute(const Attribute& attribute);
  bool is_upstream(std::string_view domain) const;

  std::string_view value_;
  const Mapping& mapping_;
  const CookieWishes& wishes_;
  std::string_view same_site_;  // as it is to be; empty if it is to be kept
  bool has_secure_ = false, has_same_site_ = false;
  Copy copy_;
};

std::string_view skipped(std::string_view text, std::string_view what) {
  text.remove_prefix(std::min(text.find_first_not_of(what), text.size()));
  return text;
}

}  // namespace

std::optional<std::string> rewritten_location(std::string_view value, const Mapping& mapping) {
  Copy copy(value);
  rewrite_reference(value, 0, value.size(), mapping, copy);
  return copy.finish();
}

std::optional<std::string> rewritten_refresh(std::string_view value, const Mapping& mapping) {
  Copy copy(value);
  std::size_t begin = begin_of_url(value), end = value.size();
  if (begin == 0 || begin == end) return {};
  if (value[begin] == '"' || value[begin] == '\'') {
    char quote = value[begin++];
    end = std::min(value.find(quote, begin), end);
  }
  rewrite_reference(value, begin, end - begin, mapping, copy);
  return copy.finish();
}

std::optional<std::string> rewritten_link(std::string_view value, const Mapping& mapping) {
  Copy copy(value);
  for (std::size_t at = 0; at < value.size();) {
    at = value.size() - skipped(value.substr(at), " \t,").size();
    auto end = value.find('>', at);
    if (at == value.size() || value[at] != '<' || end == value.npos) break;
    rewrite_reference(value, at + 1, end - at - 1, mapping, copy);
    bool quoted = false;
    for (at = end + 1; at < value.size() && (quoted || value[at] != ','); ++at) {
      if (value[at] == '"') quoted = !quoted;
      if (quoted && value[at] == '\\') ++at;
    }
  }
  return copy.finish();
}

std::optional<std::string> rewritten_cookie(std::string_view value, const Mapping& mapping,
                                            const CookieWishes& wishes) {
  return CookieRewrite(value, mapping, wishes).run();
}

namespace {

/// An absolute reference, or a path; neither of them has its path, query and fragment looked into.
struct Reference {
  std::optional<wire::Url> origin;  // nothing for a path
  std::string_view rest;            // path, query and fragment
};

/// Nothing for what is relative to a path, and for what is not understood.
std::optional<Reference> read_reference(std::string_view value) {
  if (value.starts_with('/') && !value.starts_with("//")) return Reference{.rest = value};
  auto slashes = value.find("//");
  if (slashes == value.npos) return {};
  // Applications write URLs with characters that do not belong there, so only the host is read strictly.
  auto end = std::min(value.find_first_of("/?#", slashes + 2), value.size());
  auto origin = wire::parse_url(value.substr(0, end));
  if (!origin) return {};
  return Reference{.origin = origin, .rest = value.substr(end)};
}

std::string_view without_last_slash(std::string_view prefix) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return prefix;
}

/// What stands behind a prefix that ends where a segment does.
std::optional<std::string_view> beneath(std::string_view rest, std::string_view prefix) {
  prefix = without_last_slash(prefix);
  if (!rest.starts_with(prefix)) return {};
  rest.remove_prefix(prefix.size());
  if (!rest.empty() && !std::string_view("/?#").contains(rest.front())) return {};
  return rest;
}

/// Whether a URL is at an address that a request of this scheme was sent to. A URL without a scheme has that
/// of whoever reads it, and so the one it is compared with.
bool is_at(const wire::Url& url, std::string_view scheme, std::string_view authority) {
  auto other = wire::parse_authority(authority);
  if (!other || !wire::same_host(url.host, other->host)) return false;
  auto port = url.port ? url.port : wire::default_port(url.scheme.empty() ? scheme : url.scheme);
  auto other_port = other->port ? other->port : wire::default_port(scheme);
  return port && port == other_port;
}

/// Many servers take their name from Host and add the port that they listen on.
bool is_at_own_port(const wire::Url& url, const Mapping& mapping) {
  auto named = wire::parse_authority(mapping.authority), endpoint = wire::parse_authority(mapping.endpoint);
  if (!named || !endpoint || !url.port || !wire::same_host(url.host, named->host)) return false;
  return url.port == (endpoint->port ? endpoint->port : wire::default_port(mapping.scheme));
}

bool is_own(const wire::Url& url, const Mapping& mapping) {
  if (is_at(url, mapping.scheme, mapping.authority) || is_at(url, mapping.scheme, mapping.endpoint))
    return true;
  if (equal_in_any_case(mapping.authority, mapping.public_authority) &&
      is_at(url, mapping.public_scheme, mapping.public_authority))
    return true;
  return is_at_own_port(url, mapping);
}

/// The new path; "/" at least if there was a path.
Rewritten moved(std::string_view scheme, std::string_view authority, std::string_view prefix,
                std::string_view rest, bool had_path) {
  prefix = without_last_slash(prefix);
  bool needs_slash = had_path && prefix.empty() && !rest.starts_with('/');
  return {scheme, authority, prefix, needs_slash ? "/" : "", rest};
}

/// What stands behind the prefix that is to be replaced, if this replacement is the one.
std::optional<std::string_view> taken(const Replacement& one, const Reference& reference,
                                      const Mapping& mapping) {
  if (one.from.starts_with('/') && !one.from.starts_with("//")) {
    if (reference.origin && !is_own(*reference.origin, mapping)) return {};
    return beneath(reference.rest, one.from);
  }
  auto from = wire::parse_url(one.from);
  if (!from) return {};
  bool same = reference.origin ? is_at(*reference.origin,
                                       from->scheme.empty() ? mapping.scheme : from->scheme, from->authority)
                               : is_own(*from, mapping);
  return same ? beneath(reference.rest, from->path) : std::nullopt;
}

std::optional<Rewritten> rewrite(std::string_view value, const Mapping& mapping) {
  auto reference = read_reference(value);
  if (!reference) return {};
  bool absolute = reference->origin.has_value(), had_path = reference->rest.starts_with('/');
  std::optional<Rewritten> rewritten;
  for (const Replacement& one : mapping.replacements) {
    auto rest = taken(one, *reference, mapping);
    if (!rest) continue;
    auto url = wire::parse_url(one.to);
    if (!url && !one.to.starts_with('/')) continue;
    rewritten = url ? moved(url->scheme, url->authority, url->path, *rest, had_path)
                    : moved("", "", one.to, *rest, had_path);
    if (url && url->scheme.empty()) rewritten->scheme = mapping.public_scheme;
    break;
  }
  if (!rewritten) {
    std::string_view from = without_last_slash(mapping.prefix),
                     to = without_last_slash(mapping.public_prefix);
    if (from == to) from = to = "";  // all paths are the same on both sides
    auto rest = beneath(reference->rest, from);
    if (!rest || (absolute ? !is_own(*reference->origin, mapping) : from == to)) return {};
    rewritten = moved("", "", to, *rest, had_path);
  }
  if (!rewritten->authority.empty()) return rewritten;
  // Clients read a backslash as a slash.
  std::string_view rest = rewritten->rest;
  bool looks_absolute = rewritten->prefix.empty() && rewritten->slash.empty() && rest.size() > 1 &&
                        (rest[1] == '/' || rest[1] == '\\');
  if (absolute || looks_absolute) {
    rewritten->scheme = mapping.public_scheme;
    rewritten->authority = mapping.public_authority;
  }
  return rewritten;
}

bool differs(const Rewritten& rewritten, std::string_view from) {
  for (std::string_view part : rewritten.parts()) {
    if (!from.starts_with(part)) return true;
    from.remove_prefix(part.size());
  }
  return !from.empty();
}

/// Where the URL begins, or its quote, as HTML reads it ("shared declarative refresh steps"); 0 if there is
/// none.
std::size_t begin_of_url(std::string_view refresh) {
  constexpr std::string_view kSpaces = " \t", kUrl = "url";
  std::string_view rest = skipped(skipped(refresh, kSpaces), "0123456789.");
  if (rest.size() == skipped(refresh, kSpaces).size() || rest.empty()) return 0;
  if (!std::string_view(" \t;,").contains(rest.front())) return 0;
  rest = skipped(rest, kSpaces);
  if (rest.starts_with(';') || rest.starts_with(',')) rest.remove_prefix(1);
  rest = skipped(rest, kSpaces);
  if (equal_in_any_case(rest.substr(0, kUrl.size()), kUrl)) {
    std::string_view behind = skipped(rest.substr(kUrl.size()), kSpaces);
    if (behind.starts_with('=')) rest = skipped(behind.substr(1), kSpaces);
  }
  return refresh.size() - rest.size();
}

std::string_view name_of(SameSite same_site) {
  static constexpr std::array<std::string_view, 4> kNames = {"", "Lax", "Strict", "None"};
  return kNames[static_cast<std::size_t>(same_site)];
}

std::string_view without_dot(std::string_view domain) {
  return domain.substr(domain.starts_with('.') ? 1 : 0);
}

std::optional<std::string> CookieRewrite::run() {
  constexpr std::string_view kOfHost = "__host-";
  same_site_ = name_of(wishes_.same_site);
  bool of_host = equal_in_any_case(skipped(value_, " \t").substr(0, kOfHost.size()), kOfHost);
  for (auto at = value_.find(';'); at < value_.size();) {
    Attribute attribute = attribute_at(at);
    if (!of_host) rewrite_domain(attribute);
    if (!of_host) rewrite_path(attribute);
    rewrite_attribute(attribute);
    at += attribute.size;
  }
  bool secure = wishes_.secure && equal_in_any_case(mapping_.public_scheme, "https");
  if (secure && !has_secure_) copy_.replace(value_.size(), 0, "; Secure");
  if (!same_site_.empty() && !has_same_site_) copy_.replace(value_.size(), 0, "; SameSite=", same_site_);
  return copy_.finish();
}

Attribute CookieRewrite::attribute_at(std::size_t begin) const {
  auto end = std::min(value_.find(';', begin + 1), value_.size());
  auto equals = std::min(value_.find('=', begin), end);
  Attribute attribute{.begin = begin, .size = end - begin};
  attribute.name = wire::trimmed(value_.substr(begin + 1, equals - begin - 1));
  std::string_view value = equals < end ? value_.substr(equals + 1, end - equals - 1) : "";
  attribute.value = wire::trimmed(value);
  attribute.value_begin = end - skipped(value, " \t").size();
  return attribute;
}

void CookieRewrite::rewrite_domain(const Attribute& domain) {
  if (!equal_in_any_case(domain.name, "domain") || domain.value.empty()) return;
  auto matches = [&](const Replacement& one) {
    return equal_in_any_case(without_dot(one.from), without_dot(domain.value));
  };
  auto wish = std::ranges::find_if(wishes_.domains, matches);
  bool wished = wish != wishes_.domains.end();
  if (wished && !wish->to.empty()) {
    if (domain.value != wish->to) copy_.replace(domain.value_begin, domain.value.size(), wish->to);
  } else if (wished || is_upstream(without_dot(domain.value))) {
    copy_.replace(domain.begin, domain.size);
  }
}

bool CookieRewrite::is_upstream(std::string_view domain) const {
  auto is_host_of = [&](std::string_view authority) {
    auto parsed = wire::parse_authority(authority);
    return parsed && wire::same_host(parsed->host, domain);
  };
  return !is_host_of(mapping_.public_authority) &&
         (is_host_of(mapping_.authority) || is_host_of(mapping_.endpoint));
}

void CookieRewrite::rewrite_path(const Attribute& path) {
  if (!equal_in_any_case(path.name, "path") || !path.value.starts_with('/')) return;
  auto rest = beneath(path.value, mapping_.prefix);
  std::string_view to = mapping_.public_prefix;
  for (const Replacement& one : wishes_.paths) {
    auto wished = beneath(path.value, one.from);
    if (!wished) continue;
    rest = wished;
    to = one.to;
    break;
  }
  if (!rest) return;
  to = without_last_slash(to);
  // All of the upstream is all of the prefix; a path that ends with a slash would leave out the one that does
  // not (RFC 6265, 5.1.4).
  if (path.value == "/" && !to.empty()) rest = "";
  std::string_view slash = to.empty() && !rest->starts_with('/') ? "/" : "";
  if (differs({.prefix = to, .slash = slash, .rest = *rest}, path.value)) {
    copy_.replace(path.value_begin, path.value.size(), to, slash, *rest);
  }
}

void CookieRewrite::rewrite_attribute(const Attribute& attribute) {
  if (equal_in_any_case(attribute.name, "secure")) has_secure_ = true;
  if (same_site_.empty() || !equal_in_any_case(attribute.name, "samesite")) return;
  has_same_site_ = true;
  if (equal_in_any_case(attribute.value, same_site_)) return;
  copy_.replace(attribute.begin, attribute.size, "; SameSite=", same_site_);
}

}  // namespace
}  // namespace lockgate::proxy
