#include "proxy/sticky.h"

#include <fmt/format.h>

#include <charconv>
#include <span>

#include "base/digest.h"
#include "wire/cookie.h"

namespace lockgate::proxy {

using http::FieldName;

namespace {

constexpr std::size_t kDigits = 16;

std::uint64_t mark_in(std::string_view value) {
  std::uint64_t mark = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mark, 16);
  bool good = value.size() == kDigits && error == std::errc() && end == value.data() + value.size();
  return good ? mark : 0;
}

// Of several names, one of which ends like another, the longest.
std::uint64_t named_at_end_of(std::string_view session, const Targets& targets) {
  const Target* best = nullptr;
  for (const Target& target : targets) {
    bool named = !target.name.empty() && session.size() > target.name.size() &&
                 session.ends_with(target.name) && session[session.size() - target.name.size() - 1] == '.';
    if (named && (!best || target.name.size() > best->name.size())) best = &target;
  }
  return best ? best->mark : 0;
}

}  // namespace

std::uint64_t mark_of(std::string_view upstream, std::string_view name_or_label) {
  std::string text = fmt::format("lockgate sticky\n{}\n{}", upstream, name_or_label);
  auto digest = sha256(as_bytes(text));
  std::uint64_t mark = 0;
  for (std::byte byte : std::span(digest).first<sizeof mark>())
    mark = mark << 8 | std::to_integer<std::uint64_t>(byte);
  return mark == 0 ? 1 : mark;
}

bool keeps_its_clients(const Target& target, Instant now) {
  const Endpoint& endpoint = *target.endpoint;
  return endpoint.usable(now) && endpoint.takes_known() && !target.backup;
}

void Sticky::read(http::Request& request, std::string_view path, const Targets& targets, Instant now,
                  Arena& arena) {
  if (!config().own_cookie.empty()) read_own_cookie(request, arena);
  if (!config().cookie.empty()) read_session(request, path, targets, now);
}

void Sticky::read_own_cookie(http::Request& request, Arena& arena) {
  const std::string& name = config().own_cookie;
  for (wire::HeadField& field : request.fields.list()) {
    if (field.id != FieldName::cookie) continue;
    for (std::string_view unread = field.value; auto cookie = wire::take_cookie(unread);) {
      if (mark_ == 0 && cookie->name == name) mark_ = mark_in(cookie->value);
    }
    field.value = wire::without_cookie(field.value, name, arena);
  }
  std::erase_if(request.fields.list(), [](const wire::HeadField& field) {
    return field.id == FieldName::cookie && field.value.empty();
  });
}

// A cookie outweighs the path: it is what applications themselves look at first.
void Sticky::read_session(const http::Request& request, std::string_view path, const Targets& targets,
                          Instant now) {
  for (const wire::HeadField& field : request.fields) {
    if (field.id != FieldName::cookie) continue;
    for (std::string_view unread = field.value; auto cookie = wire::take_cookie(unread);) {
      if (!wire::is_wanted(cookie->name, config().cookie)) continue;
      if (take_session(cookie->value, targets, now)) return;
    }
  }
  if (config().path_parameter.empty()) return;
  for (std::string_view unread = path; auto parameter = wire::take_path_parameter(unread);) {
    if (!wire::is_wanted(parameter->name, config().path_parameter)) continue;
    if (take_session(parameter->value, targets, now)) return;
  }
}

// True if it is known where it is; a client may have several, of which only one tells.
bool Sticky::take_session(std::string_view session, const Targets& targets, Instant now) {
  if (session.empty()) return false;
  session_ = session;
  mark_ = named_at_end_of(session, targets);
  if (mark_ == 0) mark_ = upstream_.commons->sessions->find(session, now, config::effective_expire(config()));
  return mark_ != 0;
}

void Sticky::learn(const http::Response& answer, const Target& from, Instant now) {
  answered_by_ = from.mark;
  if (config().cookie.empty()) return;
  Sessions& sessions = *upstream_.commons->sessions;
  const Sessions::Bounds bounds{.most = config().entries, .expire = config::effective_expire(config())};
  bool begun = false;
  for (const wire::HeadField& field : answer.fields) {
    if (field.id != FieldName::set_cookie) continue;
    wire::Cookie cookie = wire::cookie_set_by(field.value);
    if (!wire::is_wanted(cookie.name, config().cookie) || cookie.value.empty()) continue;
    sessions.learn(cookie.value, from.mark, now, bounds);
    begun = true;
  }
  // Where sessions are shared, another endpoint goes on with one without a word.
  bool moved = !begun && mark_ != 0 && mark_ != from.mark;
  if (moved) sessions.move(session_, from.mark);
}

void Sticky::sign(http::Response& answer, bool secure, Arena& arena) const {
  const std::string& name = config().own_cookie;
  bool runs_out = config().expire > Duration::zero();
  if (name.empty() || answered_by_ == 0 || (mark_ == answered_by_ && !runs_out)) return;
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), "{}={:016x}; Path=/; HttpOnly; SameSite=Lax", name, answered_by_);
  if (secure) text.append(std::string_view("; Secure"));
  if (runs_out)
    fmt::format_to(std::back_inserter(text), "; Max-Age={}",
                   std::chrono::ceil<std::chrono::seconds>(config().expire).count());
  answer.fields.add(FieldName::set_cookie, arena.copy({text.data(), text.size()}));
}

}  // namespace lockgate::proxy
