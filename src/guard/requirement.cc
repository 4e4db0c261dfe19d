#include "guard/requirement.h"

#include <algorithm>
#include <ctime>

namespace lockgate::guard {

using config::TimeCondition;
using std::ranges::all_of;
using std::ranges::any_of;

namespace {

using Admits = config::Requirement::Admits;

constexpr WallTime kSecond = 1'000'000'000;
constexpr std::int64_t kMinutesOfDay = 24 * 60;

Finding finding(bool holds) { return holds ? Finding::granted : Finding::denied; }

Finding opposite(Finding finding) {
  switch (finding) {
    case Finding::denied:
      return Finding::granted;
    case Finding::undecided:
      return Finding::undecided;
    case Finding::granted:
      break;
  }
  return Finding::denied;
}

// GET stands for HEAD, too (RFC 9110, 9.3.2), as for routes and for Apache's `Require method`.
bool has_method(const std::vector<std::string>& methods, std::string_view method) {
  std::string_view stands_for = method == "HEAD" ? "GET" : method;
  return any_of(methods, [&](std::string_view one) { return one == method || one == stands_for; });
}

// In a time that tells nothing of where the two differ: the value may be a secret.
bool is_same(std::string_view value, std::string_view secret) {
  if (value.size() != secret.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < value.size(); ++i)
    difference |= static_cast<unsigned char>(value[i]) ^ static_cast<unsigned char>(secret[i]);
  return difference == 0;
}

struct LocalTime {
  std::int64_t day = 0;  // of the week, 0 for Monday
  std::int64_t minute = 0;
};

LocalTime in_utc(std::int64_t minutes) {
  constexpr std::int64_t kThursday = 3;  // 1 January 1970
  return {(minutes / kMinutesOfDay + kThursday) % 7, minutes % kMinutesOfDay};
}

// The C library takes a lock to tell; each thread asks it once a minute.
LocalTime in_local_zone(std::int64_t minutes) {
  thread_local std::int64_t known = -1;
  thread_local LocalTime local;
  if (known == minutes) return local;
  known = minutes;
  auto seconds = static_cast<std::time_t>(minutes * 60);
  std::tm told{};
  if (localtime_r(&seconds, &told) == nullptr) return local = in_utc(minutes);
  return local = {(told.tm_wday + 6) % 7, told.tm_hour * 60 + told.tm_min};
}

bool is_among(const std::vector<config::Weekdays>& days, std::int64_t day) {
  if (days.empty()) return true;
  return any_of(days, [&](const config::Weekdays& one) {
    return one.first <= one.last ? day >= one.first && day <= one.last : day >= one.first || day <= one.last;
  });
}

}  // namespace

bool holds(const TimeCondition& condition, WallTime now) {
  std::int64_t minutes = now / kSecond / 60;
  auto [day, minute] = condition.zone == config::TimeZone::utc ? in_utc(minutes) : in_local_zone(minutes);
  bool today = is_among(condition.days, day), yesterday = is_among(condition.days, (day + 6) % 7);
  std::int64_t from = condition.from.minutes, until = condition.until.minutes;
  if (from < until) return today && minute >= from && minute < until;
  return (today && minute >= from) || (yesterday && minute < until);
}

Requirement::Requirement(const config::Requirement& said, const Materials& materials) : said_(said) {
  auto compile = [&](std::vector<config::Requirement>& parts, std::vector<Requirement>& compiled) {
    for (const config::Requirement& part : parts) compiled.emplace_back(part, materials);
    parts.clear();
  };
  compile(said_.all, all_);
  compile(said_.any, any_);
  compile(said_.none, none_);
  if (!said.networks.empty()) networks_ = materials.addresses(said.networks);
  subjects_ = wanted(said.client_certificate.subjects, materials);
  issuers_ = wanted(said.client_certificate.issuers, materials);
  for (const std::string& name : said.client_certificate.names) {
    auto pattern = NamePattern::parse(name);
    if (pattern && pattern->kind() == NamePattern::Kind::wildcard) wildcards_.push_back(std::move(*pattern));
  }
}

std::vector<Requirement::Wanted> Requirement::wanted(const std::vector<std::string>& texts,
                                                     const Materials& materials) {
  std::vector<Wanted> all;
  for (const std::string& text : texts) {
    Wanted one{.text = text, .pattern = {}};
    if (text.starts_with('~')) one.pattern = materials.pattern(text.substr(1));
    all.push_back(std::move(one));
  }
  return all;
}

bool Requirement::asks_for_certificate() const {
  auto asks = [](const Requirement& part) { return part.asks_for_certificate(); };
  return said_.client_certificate.wanted || any_of(all_, asks) || any_of(any_, asks) || any_of(none_, asks);
}

Finding Requirement::find(const Situation& situation) const {
  if (said_.admits == Admits::nobody) return Finding::denied;
  if (said_.admits != Admits::some) return Finding::granted;
  Finding least = of_itself(situation);
  for (const Requirement& part : all_) {
    if (least == Finding::denied) return least;
    least = std::min(least, part.find(situation));
  }
  if (!any_.empty()) {
    Finding best = Finding::denied;
    for (const Requirement& part : any_) {
      if (best == Finding::granted) break;
      best = std::max(best, part.find(situation));
    }
    least = std::min(least, best);
  }
  for (const Requirement& part : none_) {
    if (least == Finding::denied) return least;
    least = std::min(least, opposite(part.find(situation)));
  }
  return least;
}

// The conditions beside `all`, `any` and `none`.
Finding Requirement::of_itself(const Situation& situation) const {
  if (!said_.methods.empty() && !has_method(said_.methods, situation.method)) return Finding::denied;
  if (said_.tls.wanted && !has_tls(situation)) return Finding::denied;
  bool outside = networks_ && !(situation.client && networks_->contains(*situation.client, situation.worker));
  if (outside || !has_fields(situation)) return Finding::denied;
  if (said_.time.wanted && !holds(said_.time, situation.now)) return Finding::denied;
  return std::min(of_certificate(situation), of_user(situation));
}

Finding Requirement::of_user(const Situation& situation) const {
  bool asks = said_.signed_in || !said_.users.empty() || !said_.groups.empty();
  if (!asks) return Finding::granted;
  if (situation.user.empty()) return Finding::undecided;
  auto is_user = [&](const std::string& user) { return user == situation.user; };
  auto is_member = [&](const std::string& group) {
    return situation.users && situation.users->is_in(situation.user, group);
  };
  return finding((said_.users.empty() || any_of(said_.users, is_user)) &&
                 (said_.groups.empty() || any_of(said_.groups, is_member)));
}

Finding Requirement::of_certificate(const Situation& situation) const {
  if (!said_.client_certificate.wanted) return Finding::granted;
  if (situation.certificate) return finding(fits(*situation.certificate, situation.regexes));
  return situation.supposes_certificate ? Finding::undecided : Finding::denied;
}

// That it came over TLS a trusted proxy may have told; what was agreed on is known of our own connection
// only.
bool Requirement::has_tls(const Situation& situation) const {
  const config::TlsCondition& wanted = said_.tls;
  constexpr unsigned kBeforeTls1 = 0x0300;
  bool agreed = wanted.version != config::TlsVersion::automatic || wanted.cipher_bits > 0;
  if (!agreed) return situation.https;
  return situation.tls_version >= kBeforeTls1 + static_cast<unsigned>(wanted.version) &&
         situation.cipher_bits >= wanted.cipher_bits;
}

bool Requirement::has_fields(const Situation& situation) const {
  return all_of(said_.fields, [&](const config::Condition& condition) {
    return any_of(situation.fields, [&](const wire::HeadField& field) {
      if (!wire::equal_in_any_case(field.name, condition.name)) return false;
      return condition.value == "*" || is_same(field.value, condition.value);
    });
  });
}

bool Requirement::fits(const ShownCertificate& certificate, std::span<const Regex> regexes) const {
  auto one_of = [&](const std::vector<Wanted>& wanted, const std::string& text) {
    return wanted.empty() || any_of(wanted, [&](const Wanted& one) {
             return one.pattern ? regexes[*one.pattern].matches(text) : one.text == text;
           });
  };
  const std::vector<std::string>& prints = said_.client_certificate.fingerprints;
  bool known = prints.empty() || std::ranges::find(prints, certificate.fingerprint) != prints.end();
  return known && one_of(subjects_, certificate.subject) && one_of(issuers_, certificate.issuer) &&
         fits_name(certificate);
}

// A wildcard stands for hosts alone: "ann@mail.example.com" is not beneath example.com.
bool Requirement::fits_name(const ShownCertificate& certificate) const {
  const std::vector<std::string>& names = said_.client_certificate.names;
  if (names.empty()) return true;
  return any_of(certificate.names, [&](const std::string& name) {
    if (std::ranges::find(names, name) != names.end()) return true;
    bool is_host = normalized_name(name) && !is_ip_literal(name);
    return is_host && any_of(wildcards_, [&](const NamePattern& one) { return one.matches(name); });
  });
}

}  // namespace lockgate::guard
