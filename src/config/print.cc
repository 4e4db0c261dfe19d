#include "config/print.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "config/fields.h"
#include "config/inherit.h"
#include "config/values.h"

namespace lockgate::config {
namespace {

/// The text as a YAML scalar, quoted unless it is a plain word.
std::string quoted(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
  bool plain = !text.empty() && text.front() != '-' && text != "null" && text != "Null" && text != "NULL" &&
               text.find_first_not_of(kPlain) == std::string_view::npos;
  if (plain) return std::string(text);
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + "\"";
}

/// Writes values on one line and sections as blocks. What says nothing, as an empty list, is an empty text
/// and left out; so is what equals `base`, if there is one.
class Printer {
 public:
  explicit Printer(const Config& config) : config_(config) {}

  template <Sectioned Struct>
  std::string flow(const Struct& value, const Struct* base = nullptr) const {
    std::vector<std::string> parts;
    for_each_field<Struct>([&](const auto& field) {
      std::string result = field_text(field, value, base);
      if (!result.empty()) parts.push_back(fmt::format("{}: {}", field.key, result));
    });
    return parts.empty() ? "" : fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  template <Sectioned Struct>
  std::string block(const Struct& value, const Struct* base, const std::string& indent) const {
    std::string lines;
    for_each_field<Struct>([&](const auto& field) { lines += field_lines(field, value, base, indent); });
    return lines;
  }

 private:
  template <class Struct, class Member>
  std::string field_lines(const Field<Struct, Member>& field, const Struct& value, const Struct* base,
                          const std::string& indent) const {
    const Member& member = value.*field.member;
    if constexpr (requires { lines(member, value, indent); }) {
      std::string inner = lines(member, value, indent + "  ");
      return inner.empty() ? "" : fmt::format("{}{}:\n{}", indent, field.key, inner);
    } else {
      return line(indent, field.key, field_text(field, value, base));
    }
  }
  template <class Form>
  std::string field_lines(const VerdictField<Form>& field, const Site& site, const Site*,
                          const std::string& indent) const {
    if (field.verdict != site.verdict) return "";
    Form form = form_of<Form>(site);
    if (!site.is_http()) return line(indent, field.key, flow(form));
    std::string inner = indent + "  ";
    return fmt::format("{}{}:\n{}{}routes:\n{}", indent, field.key, block<Form>(form, nullptr, inner), inner,
                       routes(site, inner + "  "));
  }
  std::string field_lines(const VerdictField<Redirect>&, const Site&, const Site*, const std::string&) const {
    return "";  // it is written as `plain`
  }
  template <class Struct>
  std::string field_lines(const IncludeField&, const Struct&, const Struct*, const std::string&) const {
    return "";
  }

  std::string routes(const Site& site, const std::string& indent) const {
    const WrittenRoute base = inherited(site);
    std::string result;
    for (const Route& route : site.routes)
      result += fmt::format("{}- {}\n", indent, flow(written_as(route), &base));
    return result;
  }

  static std::string line(const std::string& indent, std::string_view key, const std::string& text) {
    return text.empty() ? "" : fmt::format("{}{}: {}\n", indent, key, text);
  }

  template <class Form>
  static Form form_of(const Site& site) {
    if constexpr (std::is_same_v<Form, Refuse>)
      return {site.reject_with};
    else {
      Form form;
      if (!site.is_http()) form.to.index = site.upstream;
      form.send_proxy_protocol = site.send_proxy_protocol;
      form.proxy_tlvs = site.proxy_tlvs;
      if constexpr (std::is_same_v<Form, Terminate>) form.certificate = site.certificates;
      return form;
    }
  }

  // The members that are written as blocks.
  std::string lines(const Defaults& defaults, const Config&, const std::string& indent) const {
    return block<Defaults>(defaults, nullptr, indent);
  }
  std::string lines(const std::vector<Certificate>& certificates, const Config&,
                    const std::string& indent) const {
    return flows(certificates, indent);
  }
  std::string lines(const std::vector<AddressList>& lists, const Config&, const std::string& indent) const {
    return flows(lists, indent);
  }
  std::string lines(const std::vector<UserList>& lists, const Config&, const std::string& indent) const {
    return flows(lists, indent);
  }
  // Entries that have a line each, behind their names.
  template <class Entry>
  std::string flows(const std::vector<Entry>& entries, const std::string& indent) const {
    const Entry base;
    std::string result;
    for (const Entry& entry : entries) result += line(indent, quoted(entry.name), flow(entry, &base));
    return result;
  }
  std::string lines(const std::vector<Parent>& parents, const Config&, const std::string& indent) const {
    std::string result;
    for (const Parent& parent : parents) {
      result += fmt::format("{}{}:\n{}", indent, quoted(parent.name),
                            block<Parent>(parent, nullptr, indent + "  "));
    }
    return result;
  }
  /// Nothing where nothing is said of them.
  std::string lines(const Bans& bans, const Config&, const std::string& indent) const {
    return flow(bans) == flow(Bans{}) ? "" : block<Bans>(bans, nullptr, indent);
  }
  std::string lines(const std::vector<BanRule>& rules, const Bans&, const std::string& indent) const {
    std::string result;
    for (const BanRule& rule : rules) result += fmt::format("{}- {}\n", indent, flow(rule));
    return result;
  }
  std::string lines(const std::vector<Upstream>& upstreams, const Config&, const std::string& indent) const {
    std::string result;
    for (const Upstream& upstream : upstreams) {
      result += fmt::format("{}{}:\n{}", indent, quoted(upstream.name),
                            block<Upstream>(upstream, nullptr, indent + "  "));
    }
    return result;
  }
  std::string lines(const std::vector<Listener>& listeners, const Config&, const std::string& indent) const {
    std::string result;
    for (const Listener& listener : listeners)
      result += item(block<Listener>(listener, nullptr, indent + "  "), indent);
    return result;
  }
  std::string lines(const std::vector<Site>& sites, const Listener& listener,
                    const std::string& indent) const {
    Site base = inherited(listener);
    std::string result;
    for (const Site& site : sites) result += item(block(site, &base, indent + "  "), indent);
    return result;
  }

  /// A block that is an item of a list: a dash before its first line.
  static std::string item(std::string block, const std::string& indent) {
    return block.replace(indent.size(), 1, "-");
  }

  template <class Struct, class Member>
  std::string field_text(const Field<Struct, Member>& field, const Struct& value, const Struct* base) const {
    if constexpr (kIsWhole<Member>) {
      const Member& member = value.*field.member;
      if (base ? member == base->*field.member : member.empty()) return "";
      return member.empty() ? "{}" : flow(member);
    } else if constexpr (Shortened<Member>) {
      return short_form(value.*field.member, base ? &(base->*field.member) : nullptr);
    } else if constexpr (Sectioned<Member> && !WordList<Member>) {
      return flow(value.*field.member, base ? &(base->*field.member) : nullptr);
    } else {
      std::string result = text(value.*field.member, field.form);
      if (!base) return result;
      std::string inherits = text(base->*field.member, field.form);
      if (result == inherits) return "";
      return result.empty() ? nothing(value.*field.member, field.form) : result;
    }
  }
  // What a word may stand for. A requirement is inherited as a whole, signing in by its parts.
  std::string short_form(const SignIn& value, const SignIn* base) const {
    if (!value.on()) return base && base->on() ? "off" : "";
    return flow(value, base);
  }
  std::string short_form(const Requirement& value, const Requirement* base) const {
    std::string result = text(value, {});
    return base && text(*base, {}) == result ? "" : result;
  }
  template <class Switched>
  std::string short_form(const Switched& value, const Switched*) const {
    const Switched none;
    if (!value.wanted) return "";
    std::string result = flow(value, &none);
    return result.empty() ? "yes" : result;
  }
  /// What is empty, where that is not what it would inherit.
  template <class T>
  static std::string nothing(const T&, const Form&) {
    return "";
  }
  template <class T>
  static std::string nothing(const std::vector<T>&, const Form&) {
    return "[]";
  }
  static std::string nothing(const std::string& value, const Form& form) {
    return quoted(value_text(value, form));
  }

  // How a value is written follows from its type.
  template <class T>
  std::string text(const T& value, const Form& form) const {
    return quoted(value_text(value, form));
  }
  std::string text(const std::string& value, const Form&) const { return value.empty() ? "" : quoted(value); }
  std::string text(const std::optional<LogLevel>& value, const Form& form) const {
    return value ? value_text(*value, form) : "";
  }
  std::string text(const UpstreamChoice& value, const Form&) const {
    return value.given() ? quoted(config_.upstreams.at(value.index).name) : "";
  }
  std::string text(const ParentChoice& value, const Form&) const {
    if (!value.said()) return "";
    return value.index == ParentChoice::kDirect ? "direct" : quoted(config_.parents.at(value.index).name);
  }
  std::string text(const CertificateChoice& value, const Form&) const {
    return value.given() ? quoted(config_.certificates.at(value.index).name) : "";
  }
  std::string text(const UserListChoice& value, const Form&) const {
    return value.given() ? quoted(config_.users.at(value.index).name) : "";
  }
  std::string text(const RateRule& value, const Form&) const {
    const RateRule base;
    return flow(value, &base);
  }
  std::string text(const Endpoint& value, const Form&) const {
    Endpoint base;
    bool only_url = value.weight == base.weight && value.backup == base.backup && value.own_name.empty() &&
                    value.max_connections == base.max_connections;
    return only_url ? quoted(value.url) : flow(value, &base);
  }
  std::string text(const Addresses& addresses, const Form&) const {
    std::vector<std::string> items;
    for (const Network& network : addresses.networks) items.push_back(quoted(network.text()));
    for (std::uint32_t list : addresses.lists) items.push_back(quoted(config_.address_lists.at(list).name));
    for (const std::string& country : addresses.countries)
      items.push_back(fmt::format("\"country {}\"", country));
    for (std::uint32_t system : addresses.systems) items.push_back(fmt::format("AS{}", system));
    return items.empty() ? "" : fmt::format("[{}]", fmt::join(items, ", "));
  }
  template <WordList List>
  std::string text(const List& value, const Form&) const {
    auto words = words_on(value);
    return words.empty() && words_on(List()).empty() ? "" : fmt::format("[{}]", fmt::join(words, ", "));
  }
  std::string text(const Template& value, const Form& form) const {
    return value.empty() ? "" : quoted(value_text(value, form));
  }
  std::string text(const std::vector<FieldReplacement>& changes, const Form&) const {
    return map(changes, [&](const FieldReplacement& change) { return flow(change); });
  }
  std::string text(const std::vector<FieldValue>& changes, const Form&) const {
    return map(changes, [](const FieldValue& change) { return quoted(change.value.written); });
  }
  std::string text(const std::vector<ErrorPage>& pages, const Form&) const {
    return map(pages, [](const ErrorPage& page) { return quoted(page.path); });
  }
  std::string text(const std::vector<Condition>& conditions, const Form&) const {
    return map(conditions, [](const Condition& condition) { return quoted(condition.value); });
  }
  std::string text(const std::vector<FixedField>& fields, const Form&) const {
    return map(fields, [](const FixedField& field) { return quoted(field.value); });
  }
  std::string text(const Requirement& value, const Form&) const {
    using Admits = Requirement::Admits;
    constexpr std::array kWords{"", "anybody", "nobody"};
    static const Requirement kNothing;
    return value.admits == Admits::some ? flow(value, &kNothing)
                                        : kWords.at(static_cast<std::size_t>(value.admits));
  }
  std::string text(const std::vector<Route>&, const Form&) const { return ""; }  // they are blocks
  std::string text(const BanRule& rule, const Form&) const { return flow(rule); }

  /// Things that have names, as a map on one line.
  template <class Named, class Text>
  static std::string map(const std::vector<Named>& all, Text text_of) {
    std::vector<std::string> parts;
    for (const Named& one : all) parts.push_back(fmt::format("{}: {}", quoted(one.name), text_of(one)));
    return parts.empty() ? "" : fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  template <class T>
  std::string text(const std::vector<T>& values, const Form& form) const {
    std::vector<std::string> parts;
    for (const T& value : values) parts.push_back(text(value, form));
    return parts.empty() ? "" : fmt::format("[{}]", fmt::join(parts, ", "));
  }

  const Config& config_;
};

}  // namespace

std::string print(const Config& config) { return Printer(config).block<Config>(config, nullptr, ""); }
std::string print(const Config& config, const TlsServer& tls) { return Printer(config).flow(tls); }
std::string print(const Config& config, const TlsClient& tls) { return Printer(config).flow(tls); }

}  // namespace lockgate::config
