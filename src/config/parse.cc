#include "config/parse.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "config/fields.h"
#include "config/inherit.h"
#include "config/parents.h"
#include "config/rules.h"
#include "config/values.h"

namespace lockgate::config {
namespace {

/// Who is read: "`idle`", or "an entry of `names`".
struct Subject {
  std::string_view key;
  bool entry = false;

  std::string text() const { return entry ? fmt::format("an entry of `{}`", key) : fmt::format("`{}`", key); }
};

/// What stands where something else was expected.
std::string found_text(const Node& node) {
  constexpr std::size_t kMost = 60;
  if (node.is_list()) return "not a list";
  if (node.is_map()) return "not a map";
  if (node.text.empty()) return "but it is empty";
  // A URL with a password is not repeated.
  if (node.text.contains("://") && node.text.contains('@')) return "not one with an @";
  if (node.text.size() <= kMost) return fmt::format("not `{}`", node.text);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(node.text[end]) & 0xc0) == 0x80)
    --end;  // inside a character of UTF-8
  return fmt::format("not `{}...`", node.text.substr(0, end));
}

/// Names that are taken, and the next number for each that had to be told from others.
class UniqueNames {
 public:
  void take(const std::string& name) { taken_.insert(name); }
  /// `name`, or with a number behind it if it is taken: "default#2". Taken from then on.
  std::string unused(const std::string& name) {
    std::string result = name;
    for (int& last = last_.emplace(name, 1).first->second; !taken_.insert(result).second;) {
      result = fmt::format("{}#{}", name, ++last);
    }
    return result;
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> last_;
};

/// Walks the tables over the tree. What cannot be read is told and keeps its default, so that all mistakes
/// are found.
class Reader {
 public:
  explicit Reader(std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {}

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

 private:
  void error(const Mark& mark, std::string message, std::string hint = "") {
    diagnostics_.push_back({.place = mark.place(), .message = std::move(message), .hint = std::move(hint)});
  }
  void misfit(const Node& node, Subject subject, const Misfit& what) {
    error(node.mark, fmt::format("{} must be {}, {}", subject.text(), what.expected, found_text(node)),
          what.hint);
  }

  /// Reads the keys of `node` that the table of Struct knows, and tells those that it does not.
  template <Sectioned Struct>
  void read_section(const Node& node, Subject subject, Struct& out) {
    if (!node.is_map() && !node.is_nothing()) return misfit(node, subject, {"a map of keys and values", ""});
    std::vector<std::string_view> keys;
    for_each_field<Struct>([&](const auto& field) {
      keys.push_back(field.key);
      const Entry* entry = node.find(field.key);
      if (is_missing(field, entry))
        error(node.mark, fmt::format("{} has no `{}`", subject.text(), field.key));
      else if (entry)
        read_field(*entry, field, out);
    });
    for (const Entry& entry : node.entries) {
      if (std::ranges::find(keys, entry.key) == keys.end()) tell_unknown(entry, keys);
    }
  }

  template <class Field>
  static bool is_missing(const Field& field, const Entry* entry) {
    if constexpr (requires { field.form; }) {
      bool is_given = entry && !(entry->value.is_list() && entry->value.items.empty());
      return field.form.required && !is_given;
    }
    return false;
  }

  void tell_unknown(const Entry& entry, std::vector<std::string_view>& keys) {
    std::string hint = nearest(entry.key, keys);
    if (hint.empty()) hint = fmt::format("known here: {}", fmt::join(keys, ", "));
    error(entry.mark, fmt::format("`{}` is not a known key", entry.key), hint);
  }

  template <class Struct, class Member>
  void read_field(const Entry& entry, const Field<Struct, Member>& field, Struct& out) {
    read_value(entry.value, {field.key}, field.form, out.*field.member);
  }
  template <class Struct>
  void read_field(const Entry& entry, const VerdictField<Forward>& field, Struct& site) {
    Forward forward;
    read_forward(entry, field.verdict, forward, site);
  }
  template <class Struct>
  void read_field(const Entry& entry, const VerdictField<Terminate>& field, Struct& site) {
    Terminate terminate;
    read_forward(entry, field.verdict, terminate, site);
    site.certificates = std::move(terminate.certificate);
  }
  template <class Section>
  void read_forward(const Entry& entry, Verdict verdict, Section& forward, Site& site) {
    forward.send_proxy_protocol = site.send_proxy_protocol;
    via_ = {};
    read_section(entry.value, {entry.key}, forward);
    site.verdict = verdict;
    site.upstream = forward.to.index;
    site.send_proxy_protocol = forward.send_proxy_protocol;
    site.proxy_tlvs = forward.proxy_tlvs;
  }
  template <class Struct>
  void read_field(const Entry& entry, const VerdictField<Refuse>& field, Struct& site) {
    Refuse refuse;
    read_section(entry.value, {field.key}, refuse);
    site.verdict = field.verdict;
    site.reject_with = refuse.with;
  }
  template <class Struct>
  void read_field(const Entry&, const IncludeField&, Struct&) {}

  template <class T>
  std::optional<T> read_word(const Node& node, Subject subject, const Form& form) {
    if (!node.is_scalar()) {
      misfit(node, subject, {expectation<T>(form), ""});
      return {};
    }
    auto parsed = parse_value<T>(node.text, form);
    if (parsed) return std::move(*parsed);
    misfit(node, subject, parsed.error());
    return {};
  }

  // How a value is read follows from its type.
  template <class T>
  void read_value(const Node& node, Subject subject, const Form& form, T& out) {
    if constexpr (Sectioned<T>) {
      read_section(node, subject, out);
    } else if (auto word = read_word<T>(node, subject, form)) {
      out = *word;
    }
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
  template <class T>
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<T>& out) {
    for_each_item(node, subject, [&](const Node& item, Subject who) {
      if (auto word = read_word<T>(item, who, form)) out.push_back(std::move(*word));
    });
  }
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Bind>& out) {
    for_each_item(node, subject, [&](const Node& item, Subject who) {
      auto bind = read_word<Bind>(item, who, form);
      if (!bind) return;
      bind->place = item.mark.place();
      out.push_back(std::move(*bind));
    });
  }
  void read_value(const Node& node, Subject subject, const Form&, ProxyTlvs& out) {
    for_each_item(node, subject, [&](const Node& item, Subject who) {
      std::vector<std::string_view> words;
      bool known = false;
      for_each_field<ProxyTlvs>([&](const auto& field) {
        words.push_back(field.key);
        if (item.is_scalar() && field.key == item.text) out.*field.member = known = true;
      });
      if (!known)
        misfit(item, who, {fmt::format("one of {}", fmt::join(words, ", ")), nearest(item.text, words)});
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
  void read_value(const Node& node, Subject subject, const Form&, ParentChoice& out) {
    std::vector<std::string_view> names{"direct"};
    if (node.is_scalar() && node.text == "direct") out.index = ParentChoice::kDirect;
    for (const Parent& parent : config_.parents) {
      if (node.is_scalar() && parent.name == node.text)
        out.index = static_cast<std::uint32_t>(names.size() - 1);
      names.push_back(parent.name);
    }
    via_ = out;
    if (out.said()) return;
    std::string hint = node.is_scalar() ? nearest(node.text, names) : "";
    if (hint.empty()) hint = "name it under `parents`";
    misfit(node, subject, {"the name of a parent, or direct", hint});
  }
  void read_value(const Node& node, Subject subject, const Form&, CertificateChoice& out) {
    std::vector<std::string_view> names;
    for (const Certificate& certificate : config_.certificates) {
      if (node.is_scalar() && certificate.name == node.text) {
        out.index = static_cast<std::uint32_t>(names.size());
        return;
      }
      names.push_back(certificate.name);
    }
    std::string hint = node.is_scalar() ? nearest(node.text, names) : "";
    if (hint.empty()) hint = "name it under `certificates`";
    misfit(node, subject, {"the name of a certificate", hint});
  }
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<CertificateChoice>& out) {
    for_each_item(node, subject, [&](const Node& item, Subject who) {
      CertificateChoice choice;
      read_value(item, who, form, choice);
      if (choice.given()) out.push_back(choice);
    });
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
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Endpoint>& out) {
    for_each_item(node, subject, [&](const Node& item, Subject who) {
      if (auto endpoint = read_endpoint(item, who, form)) out.push_back(std::move(*endpoint));
    });
  }
  void read_value(const Node& node, Subject subject, const Form&, std::vector<Upstream>& out) {
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
      upstream_index_.emplace(upstream.name, out.size());
      upstream_names_.take(upstream.name);
      out.push_back(std::move(upstream));
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
  void read_value(const Node& node, Subject subject, const Form& form, UpstreamChoice& out) {
    if (node.is_scalar()) {
      auto found = upstream_index_.find(node.text);
      if (found != upstream_index_.end()) {
        out.index = reached_via(found->second);
        return;
      }
      if (!node.text.contains(':')) return tell_unknown_upstream(node);
    }
    Upstream upstream = inherited_upstream(config_.defaults);
    read_value(node, subject, form, upstream.endpoints);
    if (upstream.endpoints.empty()) return;
    upstream.place = node.mark.place();
    upstream.via = via_;
    out.index = index_of(std::move(upstream));
  }

  /// The same upstream through the parent of this site, if it says one: another upstream with its own counts.
  std::uint32_t reached_via(std::uint32_t index) {
    Upstream upstream = config_.upstreams[index];
    if (!via_.said() || upstream.via == via_) return index;
    upstream.via = via_;
    bool direct = via_.index == ParentChoice::kDirect;
    upstream.name += direct ? " direct" : " via " + config_.parents[via_.index].name;
    auto [known, is_new] = upstream_index_.emplace(upstream.name, config_.upstreams.size());
    if (is_new) {
      upstream_names_.take(upstream.name);
      config_.upstreams.push_back(std::move(upstream));
    }
    return known->second;
  }

  /// Calls `visit(item, subject)` for each item of a list; what is no list is the only one.
  template <class Visit>
  void for_each_item(const Node& node, Subject subject, Visit visit) {
    if (node.is_nothing()) return misfit(node, subject, {"a list", ""});
    if (!node.is_list()) return visit(node, subject);
    for (const Node& item : node.items) visit(item, Subject{subject.key, true});
  }

  std::optional<Endpoint> read_endpoint(const Node& node, Subject subject, const Form& form) {
    if (!node.is_map() || form.as == As::parent_url) {
      auto endpoint = read_word<Endpoint>(node, subject, form.as == As::parent_url ? form : as(As::url));
      if (endpoint) endpoint->place = node.mark.place();
      return endpoint;
    }
    Endpoint written;
    read_section(node, subject, written);
    auto endpoint = parse_value<Endpoint>(written.url, as(As::url));
    if (!endpoint) return {};
    endpoint->weight = written.weight;
    endpoint->backup = written.backup;
    endpoint->place = node.mark.place();
    return *endpoint;
  }

  void check_verdict(const Node& site) {
    if (!site.is_map()) return;
    std::vector<const Entry*> verdicts;
    for (const Entry& entry : site.entries) {
      if (from_word<Verdict>(entry.key)) verdicts.push_back(&entry);
    }
    if (verdicts.empty())
      error(site.mark, "the site has no verdict", "give one of pass, terminate, plain and reject");
    if (verdicts.size() > 1) {
      error(verdicts[1]->mark,
            fmt::format("the site has two verdicts, `{}` and `{}`", verdicts[0]->key, verdicts[1]->key),
            "make it two sites");
    }
  }

  void tell_unknown_upstream(const Node& node) {
    std::vector<std::string_view> names;
    for (const Upstream& upstream : config_.upstreams) names.push_back(upstream.name);
    std::string hint = nearest(node.text, names);
    if (hint.empty())
      hint = fmt::format("name it under `upstreams`, or give a URL such as tcp://{}:443",
                         node.text.empty() ? "app1" : node.text);
    error(node.mark, fmt::format("there is no upstream `{}`", node.text), hint);
  }

  /// Upstreams given in place with equal endpoints are one, so that they share health and balance.
  std::uint32_t index_of(Upstream upstream) {
    std::string identity = std::to_string(upstream.via.index) + "\n";
    for (const Endpoint& endpoint : upstream.endpoints) {
      identity += fmt::format("{} {} {}\n", endpoint.url, endpoint.weight, endpoint.backup);
    }
    if (auto found = in_place_.find(identity); found != in_place_.end()) return found->second;
    auto index = static_cast<std::uint32_t>(config_.upstreams.size());
    std::string name = upstream.endpoints.front().url;
    if (auto more = upstream.endpoints.size() - 1) name += fmt::format(" and {} more", more);
    upstream.name = upstream_names_.unused(name);
    upstream_index_.emplace(upstream.name, index);
    in_place_.emplace(std::move(identity), index);
    config_.upstreams.push_back(std::move(upstream));
    return index;
  }

  std::vector<Diagnostic>& diagnostics_;
  Config config_;
  const Listener* listener_ = nullptr;  // whose sites are read
  ParentChoice via_;                    // what the verdict under way has said, which stands before its `to`
  std::unordered_map<std::string, std::uint32_t> upstream_index_;
  UniqueNames upstream_names_;
  std::unordered_map<std::string, std::uint32_t> in_place_;  // by their endpoints
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
