// RouteTable: which route of a site takes a request: the first in the file whose
// conditions hold. Found by the prefixes of the path, so that the cost does not grow with
// the number of routes. Immutable; any thread.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/regex.h"
#include "config/http.h"
#include "guard/access.h"
#include "guard/rate_rule.h"
#include "http/message.h"
#include "proxy/error_pages.h"
#include "proxy/maintenance.h"
#include "proxy/request_tally.h"

namespace lockgate::proxy {

class Folder;
struct GuardPlan;

/// One route, ready for requests.
struct RoutePlan {
  static constexpr std::uint32_t kNoRegex = UINT32_MAX;
  const config::Route* route;
  config::Template rewrite;        // of one that has it
  std::uint32_t regex = kNoRegex;  // number in Plan::patterns
  // Numbers in Plan::patterns, of the route's request_fields and response_fields.
  std::vector<std::uint32_t> request_edits, response_edits;
  std::shared_ptr<RequestTally> tally;
  std::shared_ptr<const Folder> folder;  // of files
  ErrorPages error_pages;
  Maintenance maintenance;
  guard::Access access;
  std::shared_ptr<const GuardPlan> guard;         // null: everybody may enter
  std::span<const std::string> user_fields;       // of the plan, which no client may send
  std::shared_ptr<const guard::RateRules> rates;  // null: none
};

/// What a route is chosen by. `path` is normalised.
struct RouteQuestion {
  std::string_view path, query;
  const http::Request& request;
  std::span<const Regex> regexes;  // this worker's, of Plan::patterns
};

class RouteTable {
 public:
  void add(RoutePlan route);
  /// The route that takes it, or null.
  const RoutePlan* find(const RouteQuestion& question) const;
  const std::vector<RoutePlan>& routes() const { return routes_; }

 private:
  using Numbers = std::vector<std::uint32_t>;  // ascending
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Index = std::unordered_map<std::string, Numbers, Hash, std::equal_to<>>;

  std::vector<RoutePlan> routes_;
  Numbers any_, regexes_;
  Index prefixes_, exact_;
  std::size_t longest_prefix_ = 0;
};

}  // namespace lockgate::proxy
