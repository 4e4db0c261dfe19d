#include "config/parse.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "config/ban_reader.h"
#include "config/fields.h"
#include "config/inherit.h"
#include "config/parents.h"
#include "config/rules.h"
#include "config/unique_names.h"
#include "config/values.h"

namespace lockgate::config {
namespace {

/// Reads what the tables hold in order: the top level, listeners, sites and their verdicts.
class Reader : public BanReader {
 public:
  explicit Reader(std::vector<Diagnostic>& diagnostics) : BanReader(diagnostics), diagnostics_(diagnostics) {}
  using BanReader::read_field;
  using BanReader::read_value;

  /// To be called once.
  Config read(const Node& root) {
    if (root.is_map())
      read_section(root, {}, config_);
    else if (!root.is_nothing())
      error(root.mark, fmt::format("a configuration must be a map of keys and values, {}", found_text(root)));
    if (config_.listeners.empty() && diagnostics_.empty()) {
      error(root.mark, "there are no `listeners`", "without one nothing is accepted");
    }
    return std::move(config_);
  }

  void read_field(const Entry& entry, const VerdictField<Forward>& field, Site& site) {
    Forward forward;
    read_verdict(entry, field.verdict, forward, site);
    if (!forward.to.given() || takes_bytes(config_.upstreams[forward.to.index])) return;
    error(entry.value.find("to")->value.mark, "`pass` relays bytes, and this upstream is for HTTP",
          "`terminate` and `plain` read requests");
  }
  void read_field(const Entry& entry, const VerdictField<Plain>& field, Site& site) {
    Plain plain;
    read_routing(entry, field.verdict, plain, site);
  }
  void read_field(const Entry& entry, const VerdictField<Terminate>& field, Site& site) {
    Terminate terminate;
    read_routing(entry, field.verdict, terminate, site);
    site.certificates = std::move(terminate.certificate);
  }
  void read_field(const Entry& entry, const VerdictField<Redirect>& field, Site& site) {
    Node route{.kind = Node::Kind::map, .mark = entry.mark, .text = {}, .items = {}, .entries = {entry}};
    site.verdict = field.verdict;
    site.routes = {read_route(site, route, {entry.key})};
    name(site.routes);
  }
  void read_field(const Entry& entry, const VerdictField<Refuse>& field, Site& site) {
    Refuse refuse;
    read_section(entry.value, {field.key}, refuse);
    site.verdict = field.verdict;
    site.reject_with = refuse.with;
  }
  void read_value(const Node& node, Subject subject, const Form& form, std::optional<LogLevel>& out) {
    if (auto word = read_word<LogLevel>(node, subject, form)) out = word;
  }
  void read_value(const Node& node, Subject subject, const Form& form, AccessLog& out) {
    if (node.is_scalar())
      read_value(node, subject, form, out.to);
    else
      read_section(node, subject, out);
  }
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Bind>& out) {
    for_each_item(node, subject, [&](const Node& item, Subject who) {
      auto bind = read_word<Bind>(item, who, form);
      if (!bind) return;
      bind->place = item.mark.place();
      out.push_back(std::move(*bind));
    });
  }
  void read_value(const Node& node, Subject subject, const Form&, std::vector<Parent>& out) {
    if (!node.is_map()) return misfit(node, subject, {"a map of names and parents", ""});
    for (const Entry& entry : node.entries) {
      Parent parent;
      static_cast<Upstream&>(parent) = inherited_upstream(config_.defaults);
      parent.name = entry.key;
      parent.place = entry.mark.place();
      read_section(entry.value, {entry.key}, parent);
      out.push_back(std::move(parent));
    }
  }
  void read_value(const Node& node, Subject subject, const Form&, std::vector<Certificate>& out) {
    if (!node.is_map()) return misfit(node, subject, {"a map of names and certificates", ""});
    for (const Entry& entry : node.entries) {
      Certificate certificate{.name = entry.key, .place = entry.mark.place()};
      if (entry.value.is_scalar() && entry.value.text == "self_signed")
        certificate.self_signed = true;
      else
        read_section(entry.value, {entry.key}, certificate);
      out.push_back(std::move(certificate));
    }
  }
  void read_value(const Node& node, Subject subject, const Form&, std::vector<UserList>& out) {
    if (!node.is_map()) return misfit(node, subject, {"a map of names and files of users", ""});
    for (const Entry& entry : node.entries) {
      UserList list{.name = entry.key, .place = entry.mark.place()};
      if (entry.value.is_scalar())
        read_value(entry.value, {entry.key}, as(As::absolute_path), list.file);
      else
        read_section(entry.value, {entry.key}, list);
      out.push_back(std::move(list));
    }
  }
  void read_value(const Node& node, Subject subject, const Form&, std::vector<Upstream>&) {
    if (node.is_nothing()) return;
    if (!node.is_map()) return misfit(node, subject, {"a map of names and upstreams", ""});
    for (const Entry& entry : node.entries) {
      Upstream upstream = inherited_upstream(config_.defaults);
      upstream.name = entry.key;
      upstream.place = entry.mark.place();
      if (entry.key.empty() || entry.key.size() > kLongestName) {
        error(entry.mark, fmt::format("the name of an upstream has 1 to {} characters", kLongestName));
      }
      read_section(entry.value, {entry.key}, upstream);
      add_upstream(std::move(upstream));
    }
  }
  void read_value(const Node& node, Subject subject, const Form&, std::vector<Listener>& out) {
    if (!node.is_list()) return misfit(node, subject, {"a list of listeners", ""});
    for (const Node& item : node.items) {
      Listener listener = inherited(config_.defaults);
      listener.place = item.mark.place();
      listener_ = &listener;
      read_section(item, {subject.key, true}, listener);
      if (listener.name.empty() && !listener.bind.empty()) listener.name = listener.bind.front().text;
      out.push_back(std::move(listener));
    }
  }
  void read_value(const Node& node, Subject subject, const Form&, std::vector<Site>& out) {
    if (!node.is_list()) return misfit(node, subject, {"a list of sites", ""});
    UniqueNames taken;
    for (const Node& item : node.items) {
      Site site = inherited(*listener_);
      site.place = item.mark.place();
      read_section(item, {subject.key, true}, site);
      check_verdict(item);
      if (!site.name.empty()) taken.take(site.name);
      out.push_back(std::move(site));
    }
    for (Site& site : out) {
      if (site.name.empty() && !site.names.empty()) site.name = taken.unused(site.names.front().text());
    }
  }

 private:
  template <class Section>
  void read_verdict(const Entry& entry, Verdict verdict, Section& section, Site& site) {
    section.send_proxy_protocol = site.send_proxy_protocol;
    via_ = {};
    read_section(entry.value, {entry.key}, section);
    site.verdict = verdict;
    site.upstream = section.to.given() ? section.to.index : 0;
    site.send_proxy_protocol = section.send_proxy_protocol;
    site.proxy_tlvs = section.proxy_tlvs;
  }
  template <class Section>
  void read_routing(const Entry& entry, Verdict verdict, Section& section, Site& site) {
    site_ = &site;
    read_verdict(entry, verdict, section, site);
    site.routes = std::move(section.routes);
    if (section.to.given() && !takes_bytes(config_.upstreams[section.to.index]))
      site.routes = {only_route(site, entry.value, section.to)};
  }

  void check_verdict(const Node& site) {
    if (!site.is_map()) return;
    std::vector<const Entry*> verdicts;
    for (const Entry& entry : site.entries) {
      if (from_word<Verdict>(entry.key) || entry.key == "redirect") verdicts.push_back(&entry);
    }
    if (verdicts.empty())
      error(site.mark, "the site has no verdict", "give one of pass, terminate, plain, redirect and reject");
    if (verdicts.size() > 1) {
      error(verdicts[1]->mark,
            fmt::format("the site has two verdicts, `{}` and `{}`", verdicts[0]->key, verdicts[1]->key),
            "make it two sites");
    }
  }

  std::vector<Diagnostic>& diagnostics_;
  const Listener* listener_ = nullptr;  // whose sites are read
};

/// By the order of files, then by place.
void sort(std::vector<Diagnostic>& diagnostics, const std::vector<std::string>& files) {
  std::unordered_map<std::string, std::size_t> order;
  for (const std::string& file : files) order.emplace(file, order.size());
  std::ranges::sort(diagnostics, {}, [&](const Diagnostic& diagnostic) {
    const Place& place = diagnostic.place;
    return std::tuple(order[place.file], place.line, place.column, std::string_view(diagnostic.message));
  });
}

Parsed parse(Documents& documents, const Node& root, std::vector<Diagnostic>& diagnostics) {
  Parsed parsed;
  Config config = Reader(diagnostics).read(root);
  assign_parents(config);
  if (diagnostics.empty()) check_rules(config, diagnostics);
  config.files = documents.files();
  sort(diagnostics, config.files);
  parsed.control_socket = config.admin.control_socket;
  if (diagnostics.empty()) parsed.config = std::move(config);
  parsed.diagnostics = std::move(diagnostics);
  return parsed;
}

}  // namespace

Parsed parse_file(const std::string& path) {
  std::vector<Diagnostic> diagnostics;
  Documents documents(Includes::follow, diagnostics);
  Node root = documents.read_file(path);
  return parse(documents, root, diagnostics);
}

Parsed parse_text(std::string_view text, const std::string& file_name, Includes includes) {
  std::vector<Diagnostic> diagnostics;
  Documents documents(includes, diagnostics);
  Node root = documents.read_text(text, file_name);
  return parse(documents, root, diagnostics);
}

std::string words(const Diagnostic& diagnostic) {
  const Place& place = diagnostic.place;
  std::string text = place.file;
  if (place.line > 0) text += fmt::format(":{}:{}", place.line, place.column);
  bool is_error = diagnostic.severity == Diagnostic::Severity::error;
  text +=
      fmt::format("{}{}: {}", text.empty() ? "" : ": ", is_error ? "error" : "warning", diagnostic.message);
  if (!diagnostic.hint.empty()) text += fmt::format(" ({})", diagnostic.hint);
  return text;
}

}  // namespace lockgate::config
