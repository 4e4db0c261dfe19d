#include "config/reference.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/address_reader.h"
#include "config/fields.h"
#include "config/template.h"
#include "config/values.h"

namespace lockgate::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration reference

One YAML file, `/etc/lockgate/lockgate.yaml` unless `-c` names another. `lockgate check` reads it and tells every mistake
with file, line and column; `lockgate check --print` shows what is in effect.

* A duration is a number with a unit: `500ms`, `5s`, `10m` (or `min`), `2h`, `1d`.
* A size is a number of bytes, or one with a unit: `4096`, `64KiB`, `1MiB`, `1GiB`.
* `on`, `true` and `yes` are the same; so are `off`, `false` and `no`.
* Where a list is expected, a single value stands for a list of one.
* A key that is not known or written twice is an error. Anchors, aliases and tags are not supported.
)";

std::string link(std::string_view title) {
  std::string anchor(title);
  std::ranges::replace(anchor, ' ', '-');
  return fmt::format("[{}](#{})", title, anchor);
}
template <Sectioned Struct>
std::string link() {
  return link(kSection<Struct>.title);
}

// What a value may be, by its type.
template <class T>
std::string kind(const T&, const Form& form) {
  if constexpr (Sectioned<T>)
    return link<T>();
  else
    return expectation<T>(form);
}
std::string kind(const Duration&, const Form& form) {
  return form.zero ? fmt::format("a duration, or {}", form.zero) : "a duration";
}
std::string kind(const std::string&, const Form& form) {
  return form.as == As::plain ? "a text" : expectation<std::string>(form);
}
std::string kind(const std::optional<LogLevel>&, const Form& form) { return expectation<LogLevel>(form); }
std::string kind(const UpstreamChoice&, const Form&) {
  return fmt::format("the name of an upstream, a URL, or a list of {}s", link<Endpoint>());
}
std::string kind(const Addresses&, const Form&) { return fmt::format("a list, each {}", kAddressWords); }
std::string kind(const std::vector<AddressList>&, const Form&) {
  return fmt::format("a map of names, to networks or an {} each", link<AddressList>());
}
std::string kind(const ParentChoice&, const Form&) { return "the name of a parent, or direct"; }
std::string kind(const Template&, const Form& form) {
  return form.as == As::redirect ? expectation<Template>(form) : "a text";
}
std::string kind(const std::vector<FieldReplacement>&, const Form&) {
  return fmt::format("a map of names, to an {} each", link<FieldReplacement>());
}
std::string kind(const std::vector<FieldValue>&, const Form&) { return "a map of names and values"; }
std::string kind(const std::vector<Condition>&, const Form&) { return "a map of names and values"; }
std::string kind(const std::vector<FixedField>&, const Form&) { return "a map of names and values"; }
std::string kind(const std::vector<ErrorPage>&, const Form&) {
  return "a map of statuses and absolute paths";
}
std::string kind(const std::vector<Route>&, const Form&) {
  return fmt::format("a list of {}s", link<WrittenRoute>());
}
std::string kind(const std::vector<Endpoint>&, const Form& form) {
  if (form.as == As::parent_url) return fmt::format("a list, each {}", expectation<Endpoint>(form));
  return fmt::format("a list of {}s", link<Endpoint>());
}
std::string kind(const std::vector<Parent>&, const Form&) {
  return fmt::format("a map of names, to a {} each", link<Parent>());
}
std::string kind(const CertificateChoice&, const Form&) { return "the name of a certificate"; }
std::string kind(const std::vector<CertificateChoice>&, const Form&) {
  return "a list, each the name of a certificate";
}
std::string kind(const std::vector<Certificate>&, const Form&) {
  return fmt::format("a map of names, to a {} each", link<Certificate>());
}
std::string kind(const UserListChoice&, const Form&) { return "the name of an entry of `users`"; }
std::string kind(const std::vector<UserList>&, const Form&) {
  return fmt::format("a map of names, to {} or a path each", link<UserList>());
}
template <WordList List>
std::string kind(const List&, const Form&) {
  return fmt::format("a list of {}", link<List>());
}
std::string kind(const std::vector<Upstream>&, const Form&) {
  return fmt::format("a map of names, to an {} each", link<Upstream>());
}
template <class T>
std::string kind(const std::vector<T>&, const Form& form) {
  if constexpr (Sectioned<T>)
    return fmt::format("a list of {}s", link<T>());
  else
    return fmt::format("a list, each {}", expectation<T>(form));
}

template <class Struct>
const Struct& defaults() {
  static const Struct all{};
  return all;
}

// The default of a member as text; none for what is empty.
template <class T>
std::string default_text(const std::vector<T>&, const Form&) {
  return "";
}
std::string default_text(const UpstreamChoice&, const Form&) { return ""; }
std::string default_text(const ParentChoice&, const Form&) { return ""; }
std::string default_text(const Addresses&, const Form&) { return ""; }
std::string default_text(const UserListChoice&, const Form&) { return ""; }
std::string default_text(const CertificateChoice&, const Form&) { return ""; }
std::string default_text(const std::optional<LogLevel>&, const Form&) { return ""; }
std::string default_text(const std::uint32_t& value, const Form& form) {
  bool is_nothing = value < form.least && !form.zero;
  return is_nothing ? "" : value_text(value, form);
}
template <WordList List>
std::string default_text(const List& value, const Form&) {
  auto words = words_on(value);
  return words.empty() ? "" : fmt::format("[{}]", fmt::join(words, ", "));
}
template <class T>
std::string default_text(const T& value, const Form& form) {
  if constexpr (!Sectioned<T>)
    return value_text(value, form);
  else {
    // A section has defaults of its own, told in its own table, unless they differ where it is a member.
    std::vector<std::string> parts;
    for_each_field<T>([&](const auto& field) {
      std::string text = default_text(value.*field.member, field.form);
      if (text != default_text(defaults<T>().*field.member, field.form))
        parts.push_back(fmt::format("{}: {}", field.key, text));
    });
    return fmt::format("{}", fmt::join(parts, ", "));
  }
}
std::string row(std::string_view key, const std::string& value, const std::string& fallback,
                std::string_view sentence) {
  return fmt::format("| `{}` | {} | {} | {} |\n", key, value, fallback, sentence);
}

std::string fallback(const std::string& text, const Form& form) {
  if (form.required) return "required";
  if (form.alternative) return "one of these";
  return text.empty() ? "" : fmt::format("`{}`", text);
}

template <class Struct, class Member>
std::string field_row(const Field<Struct, Member>& field) {
  const Member& member = defaults<Struct>().*field.member;
  std::string text = fallback(default_text(member, field.form), field.form);
  return row(field.key, kind(member, field.form), text, field.sentence);
}
template <class Form>
std::string field_row(const VerdictField<Form>& field) {
  return row(field.key, link<Form>(), "", field.sentence);
}
std::string field_row(const IncludeField& field) {
  return row(field.key, "a list, each a file or a pattern such as conf.d/*.yaml", "", field.sentence);
}

std::string field_row(const VerdictField<Redirect>& field) {
  return row(field.key, expectation<Template>(as(As::redirect)), "", field.sentence);
}

template <Sectioned Struct>
std::string chapter() {
  std::string text = fmt::format("\n## {}\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
                                 kSection<Struct>.title, kSection<Struct>.sentence);
  for_each_field<Struct>([&](const auto& field) { text += field_row(field); });
  return text;
}

/// Of words that are switched on by being in a list.
template <WordList List>
std::string chapter() {
  std::string text = fmt::format("\n## {}\n\n{}\n\n| word | meaning |\n|---|---|\n", kSection<List>.title,
                                 kSection<List>.sentence);
  for_each_field<List>(
      [&](const auto& field) { text += fmt::format("| `{}` | {} |\n", field.key, field.sentence); });
  return text;
}

std::string chapter_of_variables() {
  std::string text =
      "\n## variables\n\nWhat stands for something of the request in a text: `$host`, or `${host}` where a "
      "letter "
      "follows. `$$` is a dollar.\n\n| variable | meaning |\n|---|---|\n";
  for (const VariableName& variable : kVariables)
    text += fmt::format("| `${}` | {} |\n", variable.name, variable.sentence);
  text +=
      "\nLines of an [access_log](#access_log) know these, too. What is not known, or does not apply, is `-` "
      "there.\n\n| variable | meaning |\n|---|---|\n";
  for (const VariableName& variable : kLogVariables)
    text += fmt::format("| `${}` | {} |\n", variable.name, variable.sentence);
  return text;
}

template <Sectioned... Structs>
std::string chapters() {
  return (chapter<Structs>() + ...);
}

}  // namespace

std::string reference() {
  return std::string(kIntroduction) +
         chapters<Config, ErrorLog, Admin, Drain, ConnectionLimit, AddressList, Geo, Access, Defaults,
                  Timeouts, Tcp, AccessLog, Certificate, TlsServer, ClientCertificate, Tickets, KeyLogging,
                  Parent, UserList, Upstream, Endpoint, TlsClient, HealthCheck, Ejection, Sticky,
                  EndpointQueue, IdleConnections, Listener, AcceptProxyProtocol, TrustedProxies, Site, Match,
                  Forward, Terminate, Plain, ProxyTlvs, Refuse, WrittenRoute, HttpServer, Paths, Forwarding,
                  ClientFields, FieldEdits, FieldReplacement, Maintenance, SignIn, Requirement, TlsCondition,
                  CertificateCondition, TimeCondition, RateRule, Bans, BanRule, Nftables>() +
         chapter_of_variables();
}

}  // namespace lockgate::config
