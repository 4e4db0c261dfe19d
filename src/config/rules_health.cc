#include "config/rules_health.h"

#include <fmt/core.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "config/values_http.h"
#include "wire/http_head.h"

namespace lockgate::config {
namespace {

class HealthRules {
 public:
  HealthRules(const Upstream& upstream, std::vector<Diagnostic>& diagnostics)
      : upstream_(upstream), health_(upstream.health), diagnostics_(diagnostics) {}

  void check() {
    if (health_.path.empty())
      connection();
    else
      request();
    bool hashed = upstream_.balance == Balance::consistent_hash;
    if (hashed && upstream_.slow_start > Duration::zero())
      error("`slow_start` does nothing with `balance: consistent_hash`", "each key stays with its endpoint");
  }

 private:
  // Nobody would see that it is missing: every check would pass.
  void connection() {
    const HealthCheck plain;
    const std::array<std::pair<std::string_view, bool>, 5> given{{{"method", health_.method != plain.method},
                                                                  {"host", health_.host != plain.host},
                                                                  {"status", health_.status != plain.status},
                                                                  {"body", !health_.body.empty()},
                                                                  {"fields", !health_.fields.empty()}}};
    for (auto [key, is_given] : given) {
      if (is_given)
        error(fmt::format("`{}` of `health` needs `path`", key), "without one only connections are tried");
    }
  }

  void request() {
    if (!takes_requests(upstream_)) {
      error(fmt::format("`health` of `{}` has a `path`, and its endpoints are not asked by HTTP",
                        upstream_.name),
            "it is for http:// and https:// endpoints of upstreams; without it connections are tried");
    }
    if (health_.every == Duration::zero())
      error("`path` of `health` needs `every`", "how often it is asked for, as in `every: 5s`");
    if (health_.method == "CONNECT") error("`method` of `health` cannot be CONNECT", "it asks for no path");
    if (health_.method == "HEAD" && !health_.body.empty())
      error("`body` of `health` needs another `method`", "an answer to HEAD has no body");
    if (health_.host == "preserve")
      error("`host` of `health` cannot be `preserve`", "a check has no client whose host it could be");
    if (health_.status.empty()) error("`status` of `health` is empty", "no answer would ever be good");
    for (const FixedField& field : health_.fields) governed(field.name);
  }

  void governed(const std::string& name) {
    if (instead_of_editing(name).empty()) return;
    bool host = wire::equal_in_any_case(name, "Host");
    error(fmt::format("`fields` of `health` cannot have `{}`", name),
          host ? "write `health: { host: ... }`" : "it follows from the connection");
  }

  void error(std::string message, std::string hint) {
    diagnostics_.push_back(
        {.place = upstream_.place, .message = std::move(message), .hint = std::move(hint)});
  }

  const Upstream& upstream_;
  const HealthCheck& health_;
  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace

void check_health_rules(const Config& config, std::vector<Diagnostic>& diagnostics) {
  for (const Parent& parent : config.parents) HealthRules(parent, diagnostics).check();
  for (const Upstream& upstream : config.upstreams) HealthRules(upstream, diagnostics).check();
}

}  // namespace lockgate::config
