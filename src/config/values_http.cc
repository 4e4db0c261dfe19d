#include "config/values_http.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/regex.h"
#include "config/template.h"
#include "wire/http_head.h"

namespace lockgate::config {
namespace {

using std::unexpected;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// Of a URL, as it is sent: neither white space nor anything beyond ASCII.
bool is_visible(char c) { return c > ' ' && c < 0x7f; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_token_character(char c) {
  return is_upper(c) || is_lower(c) || is_digit(c) || "!#$%&'*+-.^_`|~"sv.contains(c);
}
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);  // RFC 9110, 5.6.2
}

// What Apache httpd's manual calls by these names (mod_log_config).
constexpr std::string_view kCommon =
    R"($client_address - $user [$time_common] "$request_line" $status $body_bytes)";
constexpr std::string_view kCombined =
    R"($client_address - $user [$time_common] "$request_line" $status $body_bytes "$referer" "$user_agent")";

bool has_good_escapes(std::string_view path) {
  for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    if (at + 2 >= path.size() || !is_hex_digit(path[at + 1]) || !is_hex_digit(path[at + 2])) return false;
  }
  return true;
}

/// Whether a segment is `.` or `..`, also as `%2e`, and whatever parameters it has.
bool is_dots(std::string_view segment) {
  std::size_t dots = 0;
  for (segment = segment.substr(0, segment.find(';')); !segment.empty(); ++dots) {
    bool escaped = segment.starts_with("%2e") || segment.starts_with("%2E");
    if (!escaped && segment[0] != '.') return false;
    segment.remove_prefix(escaped ? 3 : 1);
  }
  return dots == 1 || dots == 2;
}

bool has_dot_segments(std::string_view path) {
  for (auto at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
    auto rest = path.substr(at + 1);
    if (is_dots(rest.substr(0, rest.find('/')))) return true;
  }
  return false;
}

Outcome<std::string> parse_path(std::string_view text) {
  auto no_path = [](const char* hint) { return unexpected(Misfit{"a path such as /app", hint}); };
  if (!text.starts_with('/')) return no_path(text.empty() ? "" : "it begins with a slash");
  if (text.contains('?')) return no_path("a path has no query");
  if (text.contains('#')) return no_path("a path has no fragment");
  if (!std::ranges::all_of(text, is_visible))
    return no_path("what has no place in a URL is percent-encoded, as in %20");
  if (!has_good_escapes(text)) return no_path("two hexadecimal digits follow a %");
  if (has_dot_segments(text)) return no_path("`.` and `..` are resolved before paths are compared");
  return std::string(text);
}

/// RFC 9112, 3.2.1.
Outcome<std::string> parse_origin_form(std::string_view text) {
  auto no_path = [](const char* hint) { return unexpected(Misfit{"a path such as /health?full=1", hint}); };
  if (!text.starts_with('/')) return no_path(text.empty() ? "" : "it begins with a slash");
  if (text.contains('#')) return no_path("a path has no fragment");
  if (!std::ranges::all_of(text, is_visible))
    return no_path("what has no place in a URL is percent-encoded, as in %20");
  return std::string(text);
}

Outcome<std::string> parse_rewrite(std::string_view text) {
  auto no_rewrite = [](std::string hint) {
    return unexpected(Misfit{"a path such as /app, or /app/$1", std::move(hint)});
  };
  auto parsed = parse_template(text);
  if (!parsed) return no_rewrite(parsed.error().hint);
  for (const auto& part : parsed->parts) {
    if (part.variable > Variable::capture) return no_rewrite("variables other than $1 have no place in it");
  }
  auto path = parse_path(text);
  return path ? path : no_rewrite(path.error().hint);
}

Outcome<std::string> parse_authority(std::string_view text) {
  if (text == "preserve" || text == "upstream") return std::string(text);
  auto colon = text.rfind(':');
  bool has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
  std::string_view host = has_port ? text.substr(0, colon) : text;
  std::string_view port = has_port ? text.substr(colon + 1) : "80";
  bool good_port = !port.empty() && port.size() <= 5 && std::ranges::all_of(port, is_digit) &&
                   std::stoul(std::string(port)) - 1 < 65535;
  bool bare_ipv6 = host.contains(':') && !host.starts_with('[');
  bool good_host = !bare_ipv6 && (normalized_name(host) || Ip::parse(host));
  if (good_host && good_port) return std::string(text);
  return unexpected(Misfit{"preserve, upstream, or a host such as app.example.com or 192.0.2.1:8080",
                           Ip::parse(text) ? fmt::format("write \"[{}]\"", text) : ""});
}

Outcome<std::string> parse_method(std::string_view text) {
  if (is_token(text) && std::ranges::none_of(text, is_lower)) return std::string(text);
  return unexpected(Misfit{"a method such as GET", is_token(text) ? "methods are told in capitals" : ""});
}

// What the system would cut at a NUL is another path than the one that is written.
bool is_path(std::string_view text) { return text.starts_with('/') && !text.contains('\0'); }

Outcome<std::string> parse_absolute_path(std::string_view text) {
  if (is_path(text)) return std::string(text);
  return unexpected(Misfit{"an absolute path", ""});
}

Outcome<std::string> parse_sign(std::string_view text) {
  if (is_off(text)) return std::string();
  if (is_path(text) || text == Maintenance::kAlways) return std::string(text);
  return unexpected(Misfit{"an absolute path, always or off", ""});
}

Outcome<std::string> parse_file_name(std::string_view text) {
  bool good = !text.empty() && !text.starts_with('.') && !text.contains('/') && !text.contains('\0');
  if (good) return std::string(text);
  return unexpected(Misfit{"the name of a file such as index.html",
                           text.starts_with('.') ? "hidden files are not served" : ""});
}

Outcome<std::string> parse_error_status(std::string_view text) {
  bool of_class = text == "4xx" || text == "5xx" || text == "default";
  bool one = text.size() == 3 && (text[0] == '4' || text[0] == '5') && std::ranges::all_of(text, is_digit);
  if (of_class || one) return std::string(text);
  return unexpected(Misfit{"a status from 400 to 599, 4xx, 5xx or default", ""});
}

Outcome<std::string> parse_regex(std::string_view text) {
  auto regex = Regex::compile(text);
  if (regex && !text.empty()) return std::string(text);
  return unexpected(Misfit{"a regular expression such as ^/old/(.*)$", regex ? "" : regex.error()});
}

/// Whether it is clear where a redirect leads: a client could make anything of a text that begins with what
/// it sent.
bool has_good_target(const Template& redirect) {
  if (redirect.empty()) return false;
  const auto& first = redirect.parts.front();
  if (first.variable == Variable::scheme)
    return redirect.parts.size() > 1 && redirect.parts[1].text.starts_with("://");
  std::string_view text = first.text;
  for (auto scheme : {"http://"sv, "https://"sv}) {
    if (text.starts_with(scheme)) return text.size() > scheme.size() || redirect.parts.size() > 1;
  }
  return text == "https" ? redirect.parts.size() == 1 : text.starts_with('/') && !text.starts_with("//");
}

/// What is wrong with a template as one of its forms; nothing if nothing is.
std::optional<Misfit> misfit_of(const Template& text, As as) {
  constexpr const char* kRedirect = "https, a path, or a URL such as https://$host/new";
  if (as == As::redirect) {
    if (!has_good_target(text)) return Misfit{kRedirect, ""};
    bool sendable = std::ranges::all_of(text.written, is_visible) && !text.written.contains('\\');
    if (!sendable) return Misfit{kRedirect, "what has no place in a URL is percent-encoded, as in %20"};
    return {};
  }
  if (last_capture(text) > 0)
    return Misfit{"a text without $1 and its kind",
                  "only `rewrite` and `redirect` know groups of `path_regex`"};
  if (as != As::body && std::ranges::any_of(text.written, is_control))
    return Misfit{"a text without control characters", ""};
  return {};
}

}  // namespace

Outcome<std::string> parse_http_text(std::string_view text, As as) {
  switch (as) {
    case As::absolute_path:
      return parse_absolute_path(text);
    case As::sign:
      return parse_sign(text);
    case As::file_name:
      return parse_file_name(text);
    case As::error_status:
      return parse_error_status(text);
    case As::authority:
      return parse_authority(text);
    case As::method:
      return parse_method(text);
    case As::url_path:
      return parse_path(text);
    case As::origin_form:
      return parse_origin_form(text);
    case As::rewrite:
      return parse_rewrite(text);
    case As::regex:
      return parse_regex(text);
    case As::token:
      if (is_token(text)) break;
      return unexpected(Misfit{"a name such as JSESSIONID, without white space", ""});
    case As::field_name:
    case As::edited_field:
      if (is_token(text)) break;
      return unexpected(Misfit{"the name of a field such as X-Forwarded-For", ""});
    default:
      if (std::ranges::none_of(text, is_control)) break;
      return unexpected(Misfit{"a text without control characters", ""});
  }
  return std::string(text);
}

template <>
Outcome<Template> parse_value(std::string_view text, const Form& form) {
  auto parsed = parse_template(text);
  if (!parsed) return parsed;
  if (auto misfit = misfit_of(*parsed, form.as)) return unexpected(*misfit);
  return parsed;
}

std::string value_text(const Template& value, const Form&) { return value.written; }

template <>
Outcome<LineForm> parse_value(std::string_view text, const Form&) {
  using Kind = LineForm::Kind;
  auto no_form = [](std::string hint) {
    return unexpected(
        Misfit{"text, json, common, combined, or a line with variables such as \"$client_address $status\"",
               std::move(hint)});
  };
  auto kind = from_word<Kind>(text);
  if (kind == Kind::text || kind == Kind::json) return LineForm{.kind = *kind};
  if (kind) text = *kind == Kind::common ? kCommon : kCombined;
  auto line = parse_template(text, TemplateUse::access_log);
  if (!line) return no_form(line.error().hint);
  std::vector<std::string_view> words(kWords<Kind>.begin(), kWords<Kind>.end());
  if (std::ranges::all_of(line->parts, [](const auto& part) { return part.variable == Variable::none; }))
    return no_form(nearest(text, words));
  if (last_capture(*line) > 0) return no_form("logs do not know groups of `path_regex`");
  if (std::ranges::any_of(text, is_control)) return no_form("it has no control characters");
  return LineForm{.kind = kind.value_or(Kind::own), .line = std::move(*line)};
}

std::string value_text(const LineForm& value, const Form&) {
  return value.kind == LineForm::Kind::own ? value.line.written : std::string(word_of(value.kind));
}

template <>
Outcome<StatusRange> parse_value(std::string_view text, const Form&) {
  auto parse_status = [](std::string_view digits) {
    bool good =
        digits.size() == 3 && std::ranges::all_of(digits, is_digit) && digits[0] >= '1' && digits[0] <= '5';
    return good ? static_cast<std::uint32_t>(std::stoul(std::string(digits))) : 0;
  };
  auto dash = std::min(text.find('-'), text.size());
  std::uint32_t first = parse_status(text.substr(0, dash));
  std::uint32_t last = dash == text.size() ? first : parse_status(text.substr(dash + 1));
  if (first > 0 && first <= last) return StatusRange{.first = first, .last = last};
  return unexpected(Misfit{"a status from 100 to 599 such as 204, or a range such as 200-399", ""});
}

std::string value_text(const StatusRange& value, const Form&) {
  return value.first == value.last ? std::to_string(value.first)
                                   : fmt::format("{}-{}", value.first, value.last);
}

SplitUrl split_path(std::string_view url) {
  for (auto scheme : {"http://"sv, "https://"sv}) {
    if (!url.starts_with(scheme)) continue;
    auto end = std::min(url.find_first_of("/?#", scheme.size()), url.size());
    return {std::string(url.substr(0, end)), std::string(url.substr(end))};
  }
  return {std::string(url), ""};
}

std::string_view instead_of_editing(std::string_view field) {
  constexpr std::string_view kConnections =
      "`keepalive` of `http` and of `forward` says how long connections last";
  constexpr std::string_view kFraming = "it follows from the body, which is passed on as it comes";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kGoverned{{
      {"Connection", kConnections},
      {"Content-Length", kFraming},
      {"Transfer-Encoding", kFraming},
      {"Host", "write `forward: { host: ... }`"},
      {"Keep-Alive", kConnections},
      {"Proxy-Connection", kConnections},
      {"TE", kFraming},
      {"Trailer", kFraming},
      {"Upgrade",
       "protocols are switched if both sides want it; `forward: { tunnel: ... }` says for how long"},
      {"Via", "write `forward: { via: ... }`"},
      {"Expect",
       "whether a body is waited for is settled on each side; `forward: { body_limit: ... }` bounds it"},
  }};
  for (auto [name, hint] : kGoverned) {
    if (wire::equal_in_any_case(name, field)) return hint;
  }
  return "";
}

bool is_of_connection(std::string_view field) {
  constexpr std::array<std::string_view, 9> kNames{
      "Connection",       "Content-Length",    "Expect", "Host", "Keep-Alive", "TE",
      "Proxy-Connection", "Transfer-Encoding", "Upgrade"};
  return std::ranges::any_of(kNames,
                             [&](std::string_view name) { return wire::equal_in_any_case(name, field); });
}

}  // namespace lockgate::config
