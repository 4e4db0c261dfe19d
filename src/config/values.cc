#include "config/values.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>
#include <vector>

#include "config/values_http.h"
#include "config/values_require.h"
#include "wire/http_head.h"
#include "wire/url.h"

namespace lockgate::config {
namespace {

using std::unexpected;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 6> kTimeUnits{{{"ms", 1'000'000},
                                          {"s", 1'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"min", 60'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"d", 86'400'000'000'000}}};
constexpr std::array<Unit, 4> kSizeUnits{{{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
constexpr Duration kLongest = std::chrono::days(3650);
constexpr std::size_t kLongestAlpn = 255;
constexpr std::uint16_t kDnsPort = 53;

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// A number with one of the units behind it; none if it is no such text, or too large.
template <std::size_t Count>
std::optional<std::uint64_t> parse_amount(std::string_view text, const std::array<Unit, Count>& units) {
  auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = parse_digits(text.substr(0, digits));
  auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  std::uint64_t amount = 0;
  if (!number || unit == units.end() || __builtin_mul_overflow(*number, unit->factor, &amount)) return {};
  return amount;
}

/// The number with the largest unit that divides it.
template <std::size_t Count>
std::string amount_text(std::uint64_t amount, const std::array<Unit, Count>& units) {
  const Unit* best = &units[0];
  for (const Unit& unit : units) {
    if (amount != 0 && amount % unit.factor == 0 && unit.factor > best->factor) best = &unit;
  }
  return fmt::format("{}{}", amount / best->factor, best->name);
}

std::string or_zero_word(std::string expected, const Form& form) {
  if (form.zero) expected += fmt::format(", or {}", form.zero);
  return expected;
}

bool is_zero_word(std::string_view text, const Form& form) {
  return form.zero && (text == form.zero || text == "0" || (form.zero == "off"sv && is_off(text)));
}

bool is_admitted(std::uint64_t value, const Form& form) {
  return (value == 0 && form.zero) ||
         (std::cmp_greater_equal(value, form.least) && std::cmp_less_equal(value, form.most));
}

std::string number_words(const Form& form) {
  bool bytes = form.as == As::bytes;
  if (form.as == As::percent) return fmt::format("a share such as 20%, up to {}%", form.most);
  auto text = [&](std::int64_t value) {
    return bytes ? amount_text(static_cast<std::uint64_t>(value), kSizeUnits) : std::to_string(value);
  };
  std::string most = std::cmp_less(form.most, UINT32_MAX) ? text(form.most) : "";
  std::string what = bytes ? "a size such as 4096, 64KiB or 1MiB," : "a whole number";
  if (most.empty()) return or_zero_word(fmt::format("{} of at least {}", what, text(form.least)), form);
  return or_zero_word(fmt::format("{} from {} to {}", what, text(form.least), most), form);
}

Outcome<std::string> parse_host(std::string_view text) {
  auto name = normalized_name(text);
  auto last = name ? std::string_view(*name).substr(name->rfind('.') + 1) : "";
  bool looks_like_ip = !last.empty() && last.find_first_not_of("0123456789") == std::string_view::npos;
  if (name && !looks_like_ip) return *name;
  return unexpected(Misfit{"a host name such as www.example.com",
                           looks_like_ip || is_ip_literal(text) ? "this looks like an address" : ""});
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_ja4(std::string_view text) {
  if (text.size() != 36 || text[10] != '_' || text[23] != '_') return false;
  return "tqd"sv.contains(text[0]) && "di"sv.contains(text[3]) &&
         std::ranges::all_of(text.substr(11, 12), is_hex) && std::ranges::all_of(text.substr(24), is_hex);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  auto port = parse_digits(text);
  if (!port || *port > 65535) return {};
  return static_cast<std::uint16_t>(*port);
}

struct HostAndPort {
  std::string_view host;
  std::string_view port;
};

HostAndPort split_port(std::string_view text) {
  auto colon = text.rfind(':');
  bool inside_brackets = colon != std::string_view::npos && text.find(']', colon) != std::string_view::npos;
  if (colon == std::string_view::npos || inside_brackets) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

constexpr std::string_view kUrlWords =
    "a URL such as tcp://app1:443, https://app1, tcp+srv://_imaps._tcp.example.com or unix:/run/app.sock";

constexpr std::string_view kParentWords =
    "the URL of a proxy with its port, such as http://proxy:8080, https://proxy:3129 or socks5://proxy:1080";

bool is_web_url(std::string_view text) {
  auto url = wire::parse_url(text);
  if (!url || url->has_fragment) return false;
  return wire::equal_in_any_case(url->scheme, "http") || wire::equal_in_any_case(url->scheme, "https");
}

unexpected<Misfit> no_url(std::string hint) {
  return unexpected(Misfit{std::string(kUrlWords), std::move(hint)});
}

/// How a URL begins, and what that says.
struct Scheme {
  std::string_view text;
  std::uint16_t port = 0;  // if none is written; 0: one must be
  bool http = false;
  bool tls = false;
  bool service = false;
};
constexpr std::array<Scheme, 6> kSchemes{{{.text = "tcp://"},
                                          {.text = "tls://", .tls = true},
                                          {.text = "tcp+srv://", .service = true},
                                          {.text = "tls+srv://", .tls = true, .service = true},
                                          {.text = "http://", .port = 80, .http = true},
                                          {.text = "https://", .port = 443, .http = true, .tls = true}}};

Outcome<Endpoint> parse_host_url(Endpoint endpoint, const Scheme& scheme, std::string_view rest) {
  if (rest.find_first_of("/?#@") != std::string_view::npos) {
    if (scheme.http)
      return no_url("only a host and a port belong here; a path stands in `to` or `rewrite` of a route");
    return no_url(fmt::format("a {} URL is only a host and a port", scheme.text));
  }
  auto [host, port_text] = split_port(rest);
  std::string with_port(rest);
  if (scheme.port != 0 && port_text.empty()) {
    if (rest.ends_with(':')) return no_url("a port follows the colon");
    with_port = fmt::format("{}:{}", rest, scheme.port);
    port_text = std::string_view(with_port).substr(rest.size() + 1);
  }
  auto port = parse_port(port_text);
  if (port_text.empty()) return no_url(fmt::format("write a port, as in {}{}:443", scheme.text, rest));
  if (!port || *port == 0) return no_url("a port is a number from 1 to 65535");
  endpoint.port = *port;
  if (auto address = SocketAddress::parse(with_port)) {
    endpoint.kind = Endpoint::Kind::address;
    endpoint.address = *address;
    return endpoint;
  }
  if (Ip::parse(host) && host.contains(':'))
    return no_url(fmt::format("write {}[{}]:{}", scheme.text, host, *port));
  auto name = parse_host(host);
  if (!name) return no_url(fmt::format("`{}` is neither a host name nor an address", host));
  endpoint.kind = Endpoint::Kind::name;
  endpoint.name = *name;
  return endpoint;
}

// A parent's: its scheme says how it is asked.
Outcome<Endpoint> parse_parent_url(std::string_view text) {
  constexpr std::array<Scheme, 3> kParents{
      {{.text = "http://"}, {.text = "https://", .tls = true}, {.text = "socks5://"}}};
  for (const Scheme& scheme : kParents) {
    if (!text.starts_with(scheme.text)) continue;
    Endpoint endpoint;
    endpoint.url = text;
    endpoint.tls = scheme.tls;
    std::string_view rest = text.substr(scheme.text.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    auto parsed = parse_host_url(endpoint, scheme, rest);
    if (parsed) return parsed;
    return unexpected(Misfit{std::string(kParentWords),
                             rest.contains('@') ? "user and password stand in `credentials_file`" : ""});
  }
  return unexpected(Misfit{std::string(kParentWords), ""});
}

Outcome<Endpoint> parse_service_url(Endpoint endpoint, std::string_view rest) {
  auto name = normalized_name(rest);
  auto dot = name ? name->find('.') : std::string::npos;
  bool is_service =
      dot != std::string::npos && name->starts_with('_') && name->compare(dot, 6, "._tcp.") == 0;
  if (!is_service)
    return no_url("an SRV name begins with a service and its protocol, as in _imaps._tcp.example.com");
  endpoint.kind = Endpoint::Kind::service;
  endpoint.name = *name;
  return endpoint;
}

/// Letters to add, drop, replace or swap with their neighbour (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, row[j - 1] + 1, last[j] + 1});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

bool is_on(std::string_view text) { return text == "on" || text == "true" || text == "yes"; }
bool is_off(std::string_view text) { return text == "off" || text == "false" || text == "no"; }

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kShortest = 2, kLongestWord = 100;
  if (word.size() < kShortest || word.size() > kLongestWord) return "";
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (auto candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    bool begins_it = word.size() > kShortest && candidate.starts_with(word);
    std::size_t distance = begins_it ? 1 : edit_distance(word, candidate);
    if (distance < best_distance && 2 * distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? "" : fmt::format("did you mean `{}`?", best);
}

template <>
Outcome<bool> parse_value(std::string_view text, const Form&) {
  if (is_on(text)) return true;
  if (is_off(text)) return false;
  return unexpected(Misfit{"on or off", ""});
}

template <>
Outcome<std::uint64_t> parse_value(std::string_view text, const Form& form) {
  if (is_zero_word(text, form)) return 0;
  if (form.as == As::percent && text.ends_with('%')) text.remove_suffix(1);
  auto amount = form.as == As::bytes ? parse_amount(text, kSizeUnits) : parse_digits(text);
  if (!amount || !is_admitted(*amount, form)) return unexpected(Misfit{number_words(form), ""});
  return *amount;
}

template <>
Outcome<std::uint32_t> parse_value(std::string_view text, const Form& form) {
  auto amount = parse_value<std::uint64_t>(text, form);
  if (!amount) return unexpected(amount.error());
  if (*amount > UINT32_MAX) return unexpected(Misfit{number_words(form), ""});
  return static_cast<std::uint32_t>(*amount);
}

template <>
Outcome<Duration> parse_value(std::string_view text, const Form& form) {
  if (is_zero_word(text, form)) return Duration(0);
  auto amount = text == "0" ? 0 : parse_amount(text, kTimeUnits);
  Misfit misfit{or_zero_word("a duration such as 500ms, 5s, 10m, 2h or 1d", form), ""};
  if (!amount) {
    if (parse_digits(text)) misfit.hint = fmt::format("write a unit, as in {}s", text);
    return unexpected(misfit);
  }
  if (std::cmp_greater(*amount, kLongest.count()))
    misfit.hint = "ten years is the longest";
  else if (!is_admitted(*amount, form))
    misfit.hint = "it cannot be 0";
  else
    return Duration(static_cast<Duration::rep>(*amount));
  return unexpected(misfit);
}

template <>
Outcome<std::string> parse_value(std::string_view text, const Form& form) {
  switch (form.as) {
    case As::path:
      if (is_off(text)) return std::string();
      if (text.starts_with('/')) break;
      return unexpected(Misfit{"an absolute path or off", ""});
    case As::web_url:
      if (is_web_url(text)) break;
      return unexpected(Misfit{"a URL such as https://example.org/list.txt, without a user", ""});
    case As::url:
      if (auto endpoint = parse_value<Endpoint>(text, form); !endpoint) return unexpected(endpoint.error());
      break;
    case As::host:
      return parse_host(text);
    case As::alpn:
      if (!text.empty() && text.size() <= kLongestAlpn) break;
      return unexpected(Misfit{"a protocol such as h2 or acme-tls/1", ""});
    case As::ja3:
      if (text.size() == 32 && std::ranges::all_of(text, is_hex)) break;
      return unexpected(Misfit{"a JA3 fingerprint such as ada70206e40642a3e4461f35503241d5", ""});
    case As::ja4:
      if (is_ja4(text)) break;
      return unexpected(Misfit{"a JA4 fingerprint such as t13d1516h2_8daaf6152771_e5627efa2ab1", ""});
    case As::token:
    case As::absolute_path:
    case As::sign:
    case As::file_name:
    case As::error_status:
    case As::authority:
    case As::method:
    case As::url_path:
    case As::origin_form:
    case As::rewrite:
    case As::regex:
    case As::replacement:
    case As::field_name:
    case As::edited_field:
    case As::field_value:
      return parse_http_text(text, form.as);
    case As::field_or_off:
    case As::text_or_regex:
    case As::fingerprint:
      return parse_access_text(text, form.as);
    default:
      if (!text.empty()) break;
      return unexpected(Misfit{"a text", ""});
  }
  return std::string(text);
}

template <>
Outcome<LogTarget> parse_value(std::string_view text, const Form&) {
  using Kind = LogTarget::Kind;
  if (is_off(text)) return LogTarget{Kind::off, ""};
  if (text == "stdout") return LogTarget{Kind::standard_output, ""};
  if (text == "stderr") return LogTarget{Kind::standard_error, ""};
  if (text == "syslog") return LogTarget{Kind::syslog, ""};
  if (text.starts_with('/') && !text.ends_with('/')) return LogTarget{Kind::file, std::string(text)};
  return unexpected(Misfit{"off, stdout, stderr, syslog or the absolute path of a file", ""});
}

template <>
Outcome<SocketAddress> parse_value(std::string_view text, const Form& form) {
  bool of_name_server = form.as == As::name_server;
  if (of_name_server) {
    if (auto ip = Ip::parse(text)) return SocketAddress(*ip, kDnsPort);
  }
  auto address = SocketAddress::parse(text);
  if (address && !(of_name_server && address->is_unix())) return *address;
  return unexpected(Misfit{of_name_server
                               ? "the address of a name server such as 192.0.2.53 or [2001:db8::1]:5353"
                               : "an address with a port such as 127.0.0.1:9180 or [::1]:9180",
                           ""});
}

template <>
Outcome<std::optional<SocketAddress>> parse_value(std::string_view text, const Form& form) {
  if (is_off(text)) return std::nullopt;
  auto address = parse_value<SocketAddress>(text, form);
  if (!address) return unexpected(Misfit{address.error().expected + ", or off", ""});
  return *address;
}

template <>
Outcome<Network> parse_value(std::string_view text, const Form&) {
  if (auto network = Network::parse(text)) return *network;
  Misfit misfit{"a network such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1", ""};
  auto slash = std::min(text.find('/'), text.size());
  if (auto ip = Ip::parse(text.substr(0, slash))) {
    std::string zero = fmt::format("{}{}", ip->is_v4() ? "0.0.0.0" : "::", text.substr(slash));
    bool good_prefix = Network::parse(zero).has_value();
    misfit.hint = good_prefix ? "the address must be 0 behind the prefix" : "the prefix is too long";
  }
  return unexpected(misfit);
}

template <>
Outcome<NamePattern> parse_value(std::string_view text, const Form&) {
  Misfit misfit{"a name such as www.example.com, *.example.com or default, or ~ and a regular expression",
                ""};
  if (text.starts_with('~')) {
    auto pattern = NamePattern::of_regex(text.substr(1));
    if (pattern) return *pattern;
    misfit.hint = pattern.error();
    return unexpected(misfit);
  }
  auto pattern = NamePattern::parse(text);
  if (pattern && is_ip_literal(text))
    misfit.hint = "TLS has no names that are addresses";
  else if (pattern)
    return *pattern;
  else if (text == "*")
    misfit.hint = "write default";
  else if (text.contains('*'))
    misfit.hint = "a star stands for the whole first part of a name";
  else if (text.contains(':'))
    misfit.hint = "a name has no port and no scheme";
  return unexpected(misfit);
}

template <>
Outcome<Destination> parse_value(std::string_view text, const Form&) {
  Destination destination{.network = Network::parse(text), .names = {}, .text = std::string(text)};
  if (!destination.network) {
    std::string name = (text.starts_with('.') ? "*" : "") + std::string(text);
    destination.names = NamePattern::parse(name);
  }
  if (destination.network || destination.names) return destination;
  return unexpected(Misfit{"a name such as www.example.com, *.example.com or default, or a network", ""});
}

template <>
Outcome<Endpoint> parse_value(std::string_view text, const Form& form) {
  if (form.as == As::parent_url) return parse_parent_url(text);
  constexpr std::string_view kUnix = "unix:";
  Endpoint endpoint;
  endpoint.url = text;
  for (const Scheme& scheme : kSchemes) {
    if (!text.starts_with(scheme.text)) continue;
    endpoint.http = scheme.http;
    endpoint.tls = scheme.tls;
    std::string_view rest = text.substr(scheme.text.size());
    return scheme.service ? parse_service_url(endpoint, rest) : parse_host_url(endpoint, scheme, rest);
  }
  if (text.starts_with(kUnix)) {
    auto address = SocketAddress::parse(text);
    if (!address || !address->path().starts_with('/'))
      return no_url("the path is absolute and at most 107 bytes long");
    endpoint.kind = Endpoint::Kind::unix_path;
    endpoint.address = *address;
    return endpoint;
  }
  if (auto scheme = text.find("://"); scheme != std::string_view::npos) {
    return no_url(fmt::format("the scheme {}:// is not known here", text.substr(0, scheme)));
  }
  bool has_port = !split_port(text).port.empty();
  return no_url(has_port ? fmt::format("write tcp://{}", text) : "");
}

template <>
Outcome<Bind> parse_value(std::string_view text, const Form&) {
  constexpr std::string_view kSystemd = "systemd:";
  Misfit misfit{"an address such as :443, 192.0.2.1:443, [::1]:443, unix:/run/x.sock or systemd:tls", ""};
  Bind bind;
  bind.text = text;
  if (text.starts_with(kSystemd) && text.size() > kSystemd.size()) {
    bind.kind = Bind::Kind::systemd;
    bind.descriptor = text.substr(kSystemd.size());
    return bind;
  }
  if (auto address = SocketAddress::parse(text);
      address && (!address->is_unix() || address->path()[0] == '/')) {
    bind.address = *address;
    return bind;
  }
  auto [host, port_text] = split_port(text);
  auto port = parse_port(port_text);
  if (port && host.empty()) {
    bind.kind = Bind::Kind::both_families;
    bind.address = SocketAddress(*Ip::parse("::"), *port);
    return bind;
  }
  if (parse_port(text))
    misfit.hint = fmt::format("write \":{}\"", text);
  else if (port && host == "*")
    misfit.hint = fmt::format("write \":{}\"", *port);
  else if (port && Ip::parse(host))
    misfit.hint = fmt::format("write [{}]:{}", host, *port);
  else if (port && normalized_name(host))
    misfit.hint = "give an address, not a name";
  else if (Ip::parse(text))
    misfit.hint = "the port is missing";
  return unexpected(misfit);
}

std::string value_text(bool value, const Form&) { return value ? "on" : "off"; }

std::string value_text(std::uint32_t value, const Form& form) {
  return value_text(std::uint64_t{value}, form);
}

std::string value_text(std::uint64_t value, const Form& form) {
  if (value == 0 && form.zero) return form.zero;
  if (form.as == As::percent) return fmt::format("{}%", value);
  return form.as == As::bytes ? amount_text(value, kSizeUnits) : std::to_string(value);
}

std::string value_text(Duration value, const Form& form) {
  if (value == Duration(0)) return form.zero ? form.zero : "0s";
  return amount_text(static_cast<std::uint64_t>(value.count()), kTimeUnits);
}

std::string value_text(const std::string& value, const Form& form) {
  bool may_be_off = form.as == As::path || form.as == As::sign || form.as == As::field_or_off;
  return value.empty() && may_be_off ? "off" : value;
}

std::string value_text(const LogTarget& value, const Form&) {
  constexpr std::array kNames{"off", "stdout", "stderr", "syslog"};
  return value.kind == LogTarget::Kind::file ? value.path : kNames[static_cast<std::size_t>(value.kind)];
}

std::string value_text(const SocketAddress& value, const Form&) { return value.text(); }

std::string value_text(const std::optional<SocketAddress>& value, const Form&) {
  return value ? value->text() : "off";
}

std::string value_text(const Network& value, const Form&) { return value.text(); }

std::string value_text(const NamePattern& value, const Form&) { return value.text(); }

std::string value_text(const Bind& value, const Form&) { return value.text; }

std::string value_text(const Destination& value, const Form&) { return value.text; }

}  // namespace lockgate::config
