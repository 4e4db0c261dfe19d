#include "proxy/route_table.h"

#include <algorithm>
#include <array>
#include <span>

namespace lockgate::proxy {
namespace {

using config::RouteMatch;

// GET stands for HEAD, too: a client may ask for the head of whatever it may ask for (RFC 9110, 9.3.2).
bool has_method(const std::vector<std::string>& methods, std::string_view method) {
  std::string_view stands_for = method == "HEAD" ? "GET" : method;
  return std::ranges::any_of(methods,
                             [&](std::string_view one) { return one == method || one == stands_for; });
}

bool has_field(const http::Request& request, const config::Condition& condition) {
  return std::ranges::any_of(request.fields, [&](const wire::HeadField& field) {
    if (!wire::equal_in_any_case(field.name, condition.name)) return false;
    return condition.value == "*" || field.value == condition.value;
  });
}

bool has_parameter(std::string_view query, const config::Condition& condition) {
  while (!query.empty()) {
    std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    std::string_view name = parameter.substr(0, parameter.find('='));
    if (name != condition.name) continue;
    std::string_view value = parameter.substr(std::min(parameter.size(), name.size() + 1));
    if (condition.value == "*" || value == condition.value) return true;
  }
  return false;
}

// What challenges are answered with must be found where the authority looks for it (RFC 8555, 8.3).
bool is_left_alone(const config::Route& route, std::string_view path) {
  return route.action == config::RouteAction::redirect && route.redirect.written == "https" &&
         path.starts_with("/.well-known/acme-challenge/");
}

bool holds(const RoutePlan& plan, const RouteQuestion& question) {
  const RouteMatch& match = plan.route->match;
  if (plan.regex != RoutePlan::kNoRegex && !question.regexes[plan.regex].matches(question.path)) return false;
  if (!match.methods.empty() && !has_method(match.methods, question.request.method)) return false;
  auto field_holds = [&](const config::Condition& one) { return has_field(question.request, one); };
  auto parameter_holds = [&](const config::Condition& one) { return has_parameter(question.query, one); };
  return std::ranges::all_of(match.fields, field_holds) &&
         std::ranges::all_of(match.query, parameter_holds) && !is_left_alone(*plan.route, question.path);
}

// Lists of routes that the path of a request fits, and the least of all their numbers.
class Candidates {
 public:
  void add(const std::vector<std::uint32_t>& numbers) {
    if (numbers.empty()) return;
    if (count_ < lists_.size())
      lists_[count_++] = numbers;
    else
      more_.emplace_back(numbers);
  }
  /// The next number; none is left if this is nothing.
  std::optional<std::uint32_t> next() {
    std::span<const std::uint32_t>* least = nullptr;
    auto look = [&](std::span<const std::uint32_t>& list) {
      if (!list.empty() && (!least || list.front() < least->front())) least = &list;
    };
    std::ranges::for_each(std::span(lists_).first(count_), look);
    std::ranges::for_each(more_, look);
    if (!least) return {};
    std::uint32_t number = least->front();
    *least = least->subspan(1);
    return number;
  }

 private:
  static constexpr std::size_t kMost = 16;
  std::array<std::span<const std::uint32_t>, kMost> lists_;
  std::size_t count_ = 0;
  std::vector<std::span<const std::uint32_t>> more_;
};

}  // namespace

void RouteTable::add(RoutePlan plan) {
  auto number = static_cast<std::uint32_t>(routes_.size());
  const RouteMatch& match = plan.route->match;
  switch (match.kind) {
    case RouteMatch::Path::any:
      any_.push_back(number);
      break;
    case RouteMatch::Path::prefix:
      prefixes_[match.path].push_back(number);
      longest_prefix_ = std::max(longest_prefix_, match.path.size());
      break;
    case RouteMatch::Path::exact:
      exact_[match.path].push_back(number);
      break;
    case RouteMatch::Path::regex:
      regexes_.push_back(number);
      break;
  }
  routes_.push_back(std::move(plan));
}

// A prefix ends where a segment does: "/a" has "/a" and "/a/b" beneath it, and "/a/" only the latter.
const RoutePlan* RouteTable::find(const RouteQuestion& question) const {
  Candidates candidates;
  candidates.add(any_);
  candidates.add(regexes_);
  std::string_view path = question.path;
  if (auto found = exact_.find(path); found != exact_.end()) candidates.add(found->second);
  auto look = [&](std::string_view prefix) {
    if (auto found = prefixes_.find(prefix); found != prefixes_.end()) candidates.add(found->second);
  };
  std::string_view beginning = path.substr(0, longest_prefix_ + 1);
  for (auto slash = beginning.find('/'); slash != beginning.npos; slash = beginning.find('/', slash + 1)) {
    if (slash > 0) look(path.substr(0, slash));
    look(path.substr(0, slash + 1));
  }
  if (path.size() <= longest_prefix_ && !path.ends_with('/')) look(path);
  while (auto number = candidates.next()) {
    const RoutePlan& plan = routes_[*number];
    if (holds(plan, question)) return &plan;
  }
  return nullptr;
}

}  // namespace lockgate::proxy
