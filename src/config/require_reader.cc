#include "config/require_reader.h"

#include <algorithm>

#include "config/fields_require.h"
#include "config/values_http.h"

namespace lockgate::config {
namespace {

using Admits = Requirement::Admits;

/// What only takes away grants nothing; Apache calls it neutral (mod_authz_core, RequireNone).
bool only_takes_away(const Node& requirement) {
  return requirement.is_map() && requirement.entries.size() == 1 && requirement.entries[0].key == "none";
}

}  // namespace

void RequireReader::read_value(const Node& node, Subject subject, const Form&, SignIn& out) {
  if (node.is_scalar() && is_off(node.text)) {
    out = {};
    return;
  }
  if (!node.is_map()) return misfit(node, subject, {"off, or a map with `users`", ""});
  read_section(node, subject, out);
  check_sign_in(node, out);
}

void RequireReader::check_sign_in(const Node& node, const SignIn& sign_in) {
  if (!sign_in.on() && !node.find("users"))
    error(node.mark, "`sign_in` has no `users`", "the name of an entry of `users`, or `sign_in: off`");
  if (!sign_in.basic_password_file.empty() && sign_in.authorization == Authorization::keep)
    error(node.mark, "`basic_password_file` replaces what `authorization: keep` would send on",
          "leave one of them out");
  if (std::ranges::find(sign_in.exempt, "/") != sign_in.exempt.end())
    error(node.mark, "`exempt: /` would be everything", "write `sign_in: off`");
}

// A word is short for a condition that it is the name of.
void RequireReader::read_short(const Node& node, Subject subject, Requirement& out) {
  out.admits = Admits::some;
  if (node.text == "anybody") {
    out.admits = Admits::anybody;
  } else if (node.text == "nobody") {
    out.admits = Admits::nobody;
  } else if (node.text == "signed_in") {
    out.signed_in = true;
  } else if (node.text == "tls") {
    out.tls.wanted = true;
  } else if (node.text == "client_certificate") {
    out.client_certificate.wanted = true;
  } else {
    misfit(node, subject,
           {"a map of conditions, or anybody, nobody, signed_in, tls or client_certificate",
            nearest(node.text, {"anybody", "nobody", "signed_in", "tls", "client_certificate"})});
  }
}

void RequireReader::read_value(const Node& node, Subject subject, const Form&, Requirement& out) {
  out = {};
  out.place = node.mark.place();
  if (node.is_scalar()) return read_short(node, subject, out);
  if (node.is_list())
    return misfit(node, subject, {"a map of conditions", "write `any:` or `all:` in front of the list"});
  out.admits = Admits::some;
  if (node.entries.empty())
    return error(node.mark, fmt::format("{} is empty", subject.text()),
                 "`anybody` lets everybody in, `nobody` no one");
  read_section(node, subject, out);
  check_given(node, subject);
  check_grants(node, subject);
}

void RequireReader::read_value(const Node& node, Subject subject, const Form& form,
                               std::vector<Requirement>& out) {
  out.clear();
  if (!node.is_list()) return misfit(node, subject, {"a list of requirements", ""});
  for (const Node& item : node.items) read_value(item, {subject.key, true}, form, out.emplace_back());
}

// What is empty, or said not to be required, requires nothing: whoever writes that means something else.
void RequireReader::check_given(const Node& node, Subject subject) {
  for (const Entry& entry : node.entries) {
    const Node& value = entry.value;
    bool empty = value.is_nothing() || (value.is_list() && value.items.empty()) ||
                 (value.is_map() && value.entries.empty());
    if (empty && entry.key == "any")
      error(entry.mark, "`any` of nothing would let nobody in", "write `nobody` for that");
    else if (empty)
      error(entry.mark, fmt::format("`{}` of {} is empty", entry.key, subject.text()),
            "without it nothing of the kind is required");
    bool is_switch = entry.key == "signed_in" || entry.key == "tls" || entry.key == "client_certificate";
    if (is_switch && value.is_scalar() && is_off(value.text))
      error(entry.mark, fmt::format("`{}: {}` requires nothing", entry.key, value.text),
            "leave it out, or write what is required in its place");
  }
}

// Apache's `Require not` and RequireNone can only fail or be neutral, and nothing but neutral fails
// (mod_authz_core). Here, what would be that is a mistake, so that both mean the same.
void RequireReader::check_grants(const Node& node, Subject subject) {
  if (only_takes_away(node)) {
    return error(node.entries[0].mark,
                 fmt::format("{} lets nobody in: `none` only takes away", subject.text()),
                 "put beside it what lets others in, as in `all: [anybody]`");
  }
  const Entry* negated = node.find("none");
  if (!negated) return;
  for (const Node& item : negated->value.items) {
    if (item.is_map() && item.find("none"))
      error(item.mark, "a `none` inside of `none` says twice no", "say what is required in its place");
  }
}

template <class Switched>
void RequireReader::read_switched(const Node& node, Subject subject, Switched& out) {
  out.wanted = true;
  if (node.is_map()) {
    read_section(node, subject, out);
    return check_given(node, subject);
  }
  bool word = node.is_scalar() && (is_on(node.text) || is_off(node.text));
  if (!word) misfit(node, subject, {"yes, or a map of conditions", ""});
}

void RequireReader::read_value(const Node& node, Subject subject, const Form&, TlsCondition& out) {
  read_switched(node, subject, out);
}

void RequireReader::read_value(const Node& node, Subject subject, const Form&, CertificateCondition& out) {
  read_switched(node, subject, out);
}

void RequireReader::read_value(const Node& node, Subject subject, const Form&, TimeCondition& out) {
  out.wanted = true;
  read_section(node, subject, out);
  check_given(node, subject);
  if (out.from.minutes == out.until.minutes)
    error(node.mark, "`from` and `until` are the same time", "leave both out for all of the day");
}

void RequireReader::read_value(const Node& node, Subject subject, const Form&, std::vector<Condition>& out) {
  if (!node.is_map()) return misfit(node, subject, {"a map of names and values", ""});
  for (const Entry& entry : node.entries) {
    auto name = parse_http_text(entry.key, As::field_name);
    auto value = read_word<std::string>(entry.value, {entry.key}, as(As::field_value));
    if (!name) error(entry.mark, fmt::format("a key of `{}` must be {}", subject.key, name.error().expected));
    if (name) check_asked(*name, entry.mark);
    if (name && value) out.push_back({.name = *name, .value = std::move(*value)});
  }
}

void RequireReader::check_asked(const std::string& field, const Mark& mark) {
  if (is_of_connection(field))
    error(mark, fmt::format("`{}` is of the connection, and no field that could be asked for", field),
          "only those can that are passed on");
}

}  // namespace lockgate::config
