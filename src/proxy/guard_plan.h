// GuardPlan: who may have what a route leads to, ready for requests; a part of the plan.
// Immutable; any thread.
#pragma once
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/config.h"
#include "guard/published.h"
#include "guard/requirement.h"
#include "guard/users.h"

namespace lockgate::proxy {

class Registry;

struct GuardPlan {
  const config::SignIn* sign_in;  // in the configuration
  guard::Requirement requirement;
  std::shared_ptr<const guard::Published<guard::Users>> users;  // null: nobody can sign in
  std::string challenge;                                        // that asks clients to
  std::shared_ptr<const Secret> upstream_password;              // with which users are handed on; null: none
  /// Whether it is asked for anything of a client's certificate.
  bool asks_for_certificate = false;
};

/// Null if everybody may have it, and nobody signs in. `pattern` gives regular expressions their numbers.
std::shared_ptr<const GuardPlan> compile_guard(
    const config::Config& config, const config::Route& route, Registry& registry,
    const std::function<std::uint32_t(const std::string&)>& pattern);

/// The only line of a file; or a sentence that names it and tells nothing of what is in it.
std::expected<std::shared_ptr<const Secret>, std::string> read_upstream_password(const std::string& path);

/// The fields in which any route of the configuration tells its upstream who has signed in, each once.
std::vector<std::string> user_fields_of(const config::Config& config);

}  // namespace lockgate::proxy
