#include "config/choice_reader.h"

#include <utility>

#include "config/inherit.h"
#include "config/values_http.h"

namespace lockgate::config {

void ChoiceReader::read_value(const Node& node, Subject subject, const Form&, ParentChoice& out) {
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

template <class Entry>
void ChoiceReader::choose_by_name(const Node& node, Subject subject, const std::vector<Entry>& entries,
                                  std::uint32_t& index, const Misfit& otherwise) {
  std::vector<std::string_view> names;
  for (const Entry& entry : entries) {
    if (node.is_scalar() && entry.name == node.text) {
      index = static_cast<std::uint32_t>(names.size());
      return;
    }
    names.push_back(entry.name);
  }
  std::string hint = node.is_scalar() ? nearest(node.text, names) : "";
  misfit(node, subject, {otherwise.expected, hint.empty() ? otherwise.hint : hint});
}

void ChoiceReader::read_value(const Node& node, Subject subject, const Form&, CertificateChoice& out) {
  choose_by_name(node, subject, config_.certificates, out.index,
                 {"the name of a certificate", "name it under `certificates`"});
}

void ChoiceReader::read_value(const Node& node, Subject subject, const Form&, UserListChoice& out) {
  choose_by_name(node, subject, config_.users, out.index,
                 {"the name of an entry of `users`", "add it there"});
}

void ChoiceReader::read_value(const Node& node, Subject subject, const Form& form,
                              std::vector<CertificateChoice>& out) {
  for_each_item(node, subject, [&](const Node& item, Subject who) {
    CertificateChoice choice;
    read_value(item, who, form, choice);
    if (choice.given()) out.push_back(choice);
  });
}

void ChoiceReader::read_value(const Node& node, Subject subject, const Form& form,
                              std::vector<Endpoint>& out) {
  for_each_item(node, subject, [&](const Node& item, Subject who) {
    if (auto endpoint = read_endpoint(item, who, form)) out.push_back(std::move(*endpoint));
  });
}

std::optional<Endpoint> ChoiceReader::read_endpoint(const Node& node, Subject subject, const Form& form) {
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
  endpoint->own_name = written.own_name;
  endpoint->max_connections = written.max_connections;
  endpoint->place = node.mark.place();
  return *endpoint;
}

void ChoiceReader::read_value(const Node& node, Subject subject, const Form& form, UpstreamChoice& out) {
  Node bare = node;
  if (node.is_scalar()) {
    auto found = upstream_index_.find(node.text);
    if (found != upstream_index_.end()) {
      out.index = reached_via(found->second);
      return;
    }
    if (!node.text.contains(':')) return tell_unknown_upstream(node);
    SplitUrl url = split_path(node.text);
    auto path = url.path.empty() ? url.path : parse_value<std::string>(url.path, as(As::rewrite));
    if (!path) return misfit(node, subject, {"a URL whose path is such as /app", path.error().hint});
    out.path = *path;
    bare.text = url.endpoint;
  }
  Upstream upstream = inherited_upstream(config_.defaults);
  read_value(bare, subject, form, upstream.endpoints);
  if (upstream.endpoints.empty()) return;
  upstream.place = node.mark.place();
  upstream.via = via_;
  out.index = index_of(std::move(upstream));
}

void ChoiceReader::add_upstream(Upstream upstream) {
  upstream_index_.emplace(upstream.name, config_.upstreams.size());
  upstream_names_.take(upstream.name);
  config_.upstreams.push_back(std::move(upstream));
}

/// The same upstream through the parent of this site, if it says one: another upstream with its own counts.
std::uint32_t ChoiceReader::reached_via(std::uint32_t index) {
  Upstream upstream = config_.upstreams[index];
  if (!via_.said() || upstream.via == via_) return index;
  upstream.via = via_;
  bool direct = via_.index == ParentChoice::kDirect;
  upstream.name += direct ? " direct" : " via " + config_.parents[via_.index].name;
  auto known = upstream_index_.find(upstream.name);
  if (known != upstream_index_.end()) return known->second;
  add_upstream(std::move(upstream));
  return static_cast<std::uint32_t>(config_.upstreams.size() - 1);
}

void ChoiceReader::tell_unknown_upstream(const Node& node) {
  std::vector<std::string_view> names;
  for (const Upstream& upstream : config_.upstreams) names.push_back(upstream.name);
  std::string hint = nearest(node.text, names);
  if (hint.empty())
    hint = fmt::format("name it under `upstreams`, or give a URL such as tcp://{0}:443 or https://{0}",
                       node.text.empty() ? "app1" : node.text);
  error(node.mark, fmt::format("there is no upstream `{}`", node.text), hint);
}

/// Upstreams given in place with equal endpoints are one, so that they share health and balance.
std::uint32_t ChoiceReader::index_of(Upstream upstream) {
  std::string identity = std::to_string(upstream.via.index) + "\n";
  for (const Endpoint& endpoint : upstream.endpoints) {
    identity += fmt::format("{} {} {} {} {}\n", endpoint.url, endpoint.weight, endpoint.backup,
                            endpoint.max_connections, endpoint.own_name);
  }
  if (auto found = in_place_.find(identity); found != in_place_.end()) return found->second;
  auto index = static_cast<std::uint32_t>(config_.upstreams.size());
  std::string name = upstream.endpoints.front().url;
  if (auto more = upstream.endpoints.size() - 1) name += fmt::format(" and {} more", more);
  upstream.name = upstream_names_.unused(name);
  in_place_.emplace(std::move(identity), index);
  add_upstream(std::move(upstream));
  return index;
}

}  // namespace lockgate::config
