#include "config/template.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lockgate::config {
namespace {

using Part = Template::Part;

static_assert(static_cast<std::size_t>(Variable::client_certificate_verify) ==
              static_cast<std::size_t>(kFirstNamed) + kVariables.size() - 1);
static_assert(static_cast<std::size_t>(Variable::reason) ==
              static_cast<std::size_t>(kFirstOfLogs) + kLogVariables.size() - 1);

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

std::optional<Variable> variable_in(std::span<const VariableName> names, Variable first,
                                    std::string_view name) {
  auto found = std::ranges::find(names, name, &VariableName::name);
  if (found == names.end()) return {};
  return static_cast<Variable>(static_cast<std::ptrdiff_t>(first) + (found - names.begin()));
}

std::unexpected<Misfit> no_template(std::string hint) {
  return std::unexpected(Misfit{"a text with variables such as $host or ${host}", std::move(hint)});
}

/// The name that `rest`, which follows a dollar, begins with, and takes it off with its braces.
std::string_view take_name(std::string_view& rest) {
  bool braced = rest.starts_with('{');
  auto end = braced ? rest.find('}') : 0;
  if (end == std::string_view::npos) return {};
  if (!braced) {
    bool is_capture = !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
    auto first_other = std::ranges::find_if_not(rest, is_name_character);
    end = is_capture ? 1 : static_cast<std::size_t>(first_other - rest.begin());
  }
  std::string_view name = rest.substr(braced ? 1 : 0, braced ? end - 1 : end);
  rest.remove_prefix(braced ? end + 1 : end);
  return name;
}

Outcome<Part> parse_variable(std::string_view name, TemplateUse use) {
  bool of_log = use == TemplateUse::access_log;
  if (name.size() == 1 && name[0] >= '1' && name[0] <= '9')
    return Part{
        .variable = Variable::capture, .capture = static_cast<std::uint8_t>(name[0] - '0'), .text = {}};
  if (auto variable = variable_in(kVariables, kFirstNamed, name))
    return Part{.variable = *variable, .capture = 0, .text = {}};
  if (auto variable = variable_in(kLogVariables, kFirstOfLogs, name)) {
    if (of_log) return Part{.variable = *variable, .capture = 0, .text = {}};
    return no_template(fmt::format("`{}` is known only when the answer is over: to access logs", name));
  }
  if (name.empty()) return no_template("a dollar alone is written $$");
  std::vector<std::string_view> names;
  for (const VariableName& known : kVariables) names.push_back(known.name);
  for (const VariableName& known : kLogVariables) {
    if (of_log) names.push_back(known.name);
  }
  std::string near = nearest(name, names);
  if (near.empty()) near = "a dollar alone is written $$";
  return no_template(fmt::format("there is no variable `{}`; {}", name, near));
}

/// `read(rest)` makes a part of what follows a dollar, and takes it off: a variable, or what is plain after
/// all.
template <class Read>
Outcome<std::vector<Part>> take_apart(std::string_view text, Read read) {
  std::vector<Part> parts;
  std::string plain;
  auto end_plain = [&] {
    if (!plain.empty()) parts.push_back({.text = std::exchange(plain, {})});
  };
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view before = rest.substr(0, rest.find('$'));
    plain += before;
    rest.remove_prefix(before.size());
    if (rest.empty()) break;
    rest.remove_prefix(1);
    auto part = read(rest);
    if (!part) return std::unexpected(part.error());
    if (part->variable == Variable::none) {
      plain += part->text;
      continue;
    }
    end_plain();
    parts.push_back(std::move(*part));
  }
  end_plain();
  return parts;
}

}  // namespace

Outcome<Template> parse_template(std::string_view text, TemplateUse use) {
  auto parts = take_apart(text, [&](std::string_view& rest) -> Outcome<Part> {
    if (!rest.starts_with('$')) return parse_variable(take_name(rest), use);
    rest.remove_prefix(1);
    return Part{.text = "$"};
  });
  if (!parts) return std::unexpected(parts.error());
  return Template{.parts = std::move(*parts), .written = std::string(text)};
}

Template parse_page(std::string_view text) {
  auto parts = take_apart(text, [](std::string_view& rest) -> Outcome<Part> {
    std::string_view behind = rest, name = take_name(behind);
    auto variable = name == "status" ? Variable::status : variable_in(kVariables, kFirstNamed, name);
    if (!variable) return Part{.text = "$"};
    rest = behind;
    return Part{.variable = *variable, .capture = 0, .text = {}};
  });
  return {.parts = std::move(*parts), .written = {}};
}

std::uint8_t last_capture(const Template& text) {
  std::uint8_t last = 0;
  for (const Part& part : text.parts) last = std::max(last, part.capture);
  return last;
}

}  // namespace lockgate::config
