#include "config/http_reader.h"

#include <array>
#include <set>
#include <utility>

#include "base/regex.h"
#include "config/inherit.h"
#include "config/template.h"
#include "config/values_http.h"
#include "wire/http_head.h"

namespace lockgate::config {
namespace {

/// Puts a change where the one of the same field is, or behind all.
template <class Change>
void merge(std::vector<Change>& changes, Change change) {
  auto same = std::ranges::find_if(
      changes, [&](const Change& other) { return wire::equal_in_any_case(other.name, change.name); });
  if (same == changes.end())
    changes.push_back(std::move(change));
  else
    *same = std::move(change);
}

constexpr std::size_t kLongestFieldName = 255;
constexpr std::array<std::uint32_t, 5> kRedirects{301, 302, 303, 307, 308};

std::uint8_t last_capture_of(std::string_view text) {
  auto parsed = parse_template(text);
  return parsed ? last_capture(*parsed) : 0;
}

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

bool HttpReader::may_change(const std::string& field, const Mark& mark) {
  std::string_view instead = instead_of_editing(field);
  if (!instead.empty())
    error(mark, fmt::format("`{}` cannot be changed like other fields", field), std::string(instead));
  return instead.empty();
}

/// Calls `visit(name, value)` for each entry of a map whose keys are names of fields, or of anything if the
/// form wants no field.
template <class Visit>
void HttpReader::for_each_named(const Node& node, Subject subject, const Form& form, Visit visit) {
  if (!node.is_map()) return misfit(node, subject, {"a map of names and values", ""});
  bool is_field = form.as == As::field_name || form.as == As::edited_field;
  std::set<std::string> seen;
  for (const Entry& entry : node.entries) {
    auto name = parse_http_text(entry.key, form.as);
    if (!name || entry.key.empty()) {
      error(entry.mark, fmt::format("a key of `{}` must be {}, not `{}`", subject.key,
                                    name ? "a text" : name.error().expected, entry.key));
    } else if (entry.key.size() > kLongestFieldName) {
      error(entry.mark,
            fmt::format("a key of `{}` has at most {} characters", subject.key, kLongestFieldName));
    } else if (is_field && !seen.insert(lowered(entry.key)).second) {
      error(entry.mark, fmt::format("`{}` is written twice", entry.key),
            "case makes no difference to a field");
    } else if (form.as != As::edited_field || may_change(entry.key, entry.mark)) {
      visit(entry.key, entry.value);
    }
  }
}

void HttpReader::read_value(const Node& node, Subject subject, const Form& form,
                            std::vector<std::string>& out) {
  if (form.as != As::edited_field) return TreeReader::read_value(node, subject, form, out);
  for_each_item(node, subject, [&](const Node& item, Subject who) {
    auto name = read_word<std::string>(item, who, form);
    if (!name || !may_change(*name, item.mark)) return;
    auto same = [&](const std::string& other) { return wire::equal_in_any_case(other, *name); };
    if (std::ranges::none_of(out, same)) out.push_back(*name);
  });
}

void HttpReader::read_value(const Node& node, Subject subject, const Form& form,
                            std::vector<FieldReplacement>& out) {
  for_each_named(node, subject, form, [&](const std::string& name, const Node& value) {
    FieldReplacement replacement{.name = name, .pattern = {}, .with = {}};
    read_section(value, {name}, replacement);
    auto regex = Regex::compile(replacement.pattern);
    std::string fault = regex ? regex->fault_of_replacement(replacement.with) : "";
    const Entry* with = value.find("with");
    if (!fault.empty() && !replacement.pattern.empty() && with)
      misfit(with->value, {"with"}, {"a text with \\1 to \\9 for groups of `pattern`", fault});
    merge(out, std::move(replacement));
  });
}

void HttpReader::read_value(const Node& node, Subject subject, const Form& form,
                            std::vector<FieldValue>& out) {
  for_each_named(node, subject, form, [&](const std::string& name, const Node& value) {
    auto text = read_word<Template>(value, {name}, as(As::field_value));
    if (text) merge(out, FieldValue{.name = name, .value = std::move(*text)});
  });
}

void HttpReader::read_value(const Node& node, Subject subject, const Form&, std::vector<ErrorPage>& out) {
  for_each_named(node, subject, as(As::error_status), [&](const std::string& name, const Node& value) {
    auto path = read_word<std::string>(value, {name}, as(As::absolute_path));
    if (path) merge(out, ErrorPage{.name = name, .path = std::move(*path), .place = value.mark.place()});
  });
}

void HttpReader::read_value(const Node& node, Subject subject, const Form& form,
                            std::vector<Condition>& out) {
  for_each_named(node, subject, form, [&](const std::string& name, const Node& value) {
    if (form.as == As::field_name) check_asked(name, value.mark);
    auto text = read_word<std::string>(value, {name}, as(As::field_value));
    if (text) out.push_back({.name = name, .value = std::move(*text)});
  });
}

void HttpReader::read_value(const Node& node, Subject subject, const Form& form,
                            std::vector<FixedField>& out) {
  out.clear();
  for_each_named(node, subject, form, [&](const std::string& name, const Node& value) {
    auto text = read_word<std::string>(value, {name}, as(As::field_value));
    if (text) out.push_back({.name = name, .value = std::move(*text)});
  });
}

void HttpReader::read_value(const Node& node, Subject subject, const Form&, std::vector<Route>& out) {
  if (!node.is_list()) return misfit(node, subject, {"a list of routes", ""});
  for (const Node& item : node.items) out.push_back(read_route(*site_, item, {subject.key, true}));
  name(out);
}

void HttpReader::name(std::vector<Route>& routes) {
  UniqueNames taken;
  for (const Route& route : routes) {
    if (!route.name.empty()) taken.take(route.name);
  }
  for (Route& route : routes) {
    if (route.name.empty()) route.name = taken.unused(route.match.path.empty() ? "*" : route.match.path);
  }
}

Route HttpReader::read_route(const Site& site, const Node& node, Subject subject) {
  WrittenRoute written = inherited(site);
  read_section(node, subject, written);
  if (node.is_map()) {
    check_action(node, written);
    check_path(node);
    check_target(node, written);
    check_captures(node, written);
  }
  Route route = meaning(std::move(written));
  route.place = node.mark.place();
  return route;
}

Route HttpReader::only_route(const Site& site, const Node& node, const UpstreamChoice& to) {
  WrittenRoute written = inherited(site);
  written.to = to;
  check_target(node, written);
  check_captures(node, written);
  std::vector<Route> routes{meaning(std::move(written))};
  routes[0].place = node.mark.place();
  name(routes);
  return std::move(routes[0]);
}

void HttpReader::check_action(const Node& route, const WrittenRoute& written) {
  const Entry* to = route.find("to");
  const Entry* redirect = route.find("redirect");
  const Entry* status = route.find("status");
  const Entry* files = route.find("files");
  const Entry* sign_up = route.find("sign_up");
  const Entry* answer = redirect ? redirect : status;
  if (!to && !answer && !files && !sign_up)
    return error(route.mark, "the route has nothing to do",
                 "give one of to, redirect, status, files and sign_up");
  const Entry* other = to ? to : answer;
  if (files && sign_up) other = files;
  if (const Entry* own = sign_up ? sign_up : files; own && other) {
    return error(own->mark, fmt::format("the route has both `{}` and `{}`", other->key, own->key),
                 "one of them answers");
  }
  if (to && answer) {
    return error(answer->mark, fmt::format("the route has both `to` and `{}`", answer->key),
                 "it either goes on or is answered here");
  }
  if (!files) needs(route, "rewrite", "to");
  for (std::string_view key : {"forward", "request_fields"}) needs(route, key, "to");
  for (std::string_view key : {"index", "fallback"}) needs(route, key, "files");
  for (std::string_view key : {"body", "content_type"}) needs(route, key, "status");
  if (const Entry* body = route.find("body"); body && redirect)
    error(body->mark, "`body` has no place beside `redirect`", "clients follow it, and do not show a body");
  if (status && written.status != 0) check_status(*status, route, written.status);
}

void HttpReader::check_status(const Entry& status, const Node& route, std::uint32_t value) {
  constexpr std::uint32_t kNoContent = 204, kResetContent = 205, kNotModified = 304;
  if (route.find("redirect")) {
    if (std::ranges::find(kRedirects, value) == kRedirects.end())
      misfit(status.value, {status.key}, {fmt::format("one of {}", fmt::join(kRedirects, ", ")), ""});
    return;
  }
  bool without_body = value == kNoContent || value == kResetContent || value == kNotModified;
  if (const Entry* body = route.find("body"); body && without_body)
    error(body->mark, fmt::format("an answer with status {} has no `body`", value));
}

void HttpReader::needs(const Node& route, std::string_view key, std::string_view other) {
  const Entry* entry = route.find(key);
  if (entry && !route.find(other)) error(entry->mark, fmt::format("`{}` needs `{}`", key, other));
}

void HttpReader::check_path(const Node& route) {
  std::vector<const Entry*> paths;
  for (const Entry& entry : route.entries) {
    if (entry.key == "path" || entry.key == "path_exact" || entry.key == "path_regex")
      paths.push_back(&entry);
  }
  if (paths.size() < 2) return;
  error(paths[1]->mark, fmt::format("the route has both `{}` and `{}`", paths[0]->key, paths[1]->key),
        "make it two routes");
}

void HttpReader::check_target(const Node& route, const WrittenRoute& written) {
  if (!written.to.given()) return;
  const Entry* to = route.find("to");
  if (!takes_requests(config_.upstreams[written.to.index])) {
    error(to->value.mark, "a route leads to an upstream for HTTP",
          "whose URLs begin with http://, https:// or unix:");
  }
  const Entry* rewrite = route.find("rewrite");
  if (rewrite && !written.to.path.empty())
    error(rewrite->mark, "the URL of `to` has a path already, which is short for `rewrite`",
          "leave one of them out");
}

void HttpReader::check_captures(const Node& route, const WrittenRoute& written) {
  std::array<std::pair<std::string_view, std::uint8_t>, 3> texts{
      {{"redirect", last_capture(written.redirect)},
       {"rewrite", last_capture_of(written.rewrite)},
       {"to", last_capture_of(written.to.path)}}};
  const Entry* regex = route.find("path_regex");
  auto compiled = Regex::compile(written.path_regex);
  if (regex && (written.path_regex.empty() || !compiled)) return;  // told already
  for (auto [key, last] : texts) {
    const Entry* entry = route.find(key);
    if (!entry || last == 0) continue;
    if (!regex) {
      error(entry->value.mark,
            fmt::format("`${}` stands for a group of `path_regex`, and there is none", last),
            "a dollar alone is written $$");
    } else if (last > compiled->groups()) {
      error(entry->value.mark, fmt::format("`path_regex` has no group `${}`", last),
            "a group stands in parentheses");
    }
  }
}

}  // namespace lockgate::config
