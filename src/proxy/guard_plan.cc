#include "proxy/guard_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/rules_require.h"
#include "proxy/plan.h"
#include "tls/files.h"
#include "wire/basic.h"
#include "wire/credentials.h"
#include "wire/http_head.h"

namespace lockgate::proxy {

std::shared_ptr<const GuardPlan> compile_guard(
    const config::Config& config, const config::Route& route, Registry& registry,
    const std::function<std::uint32_t(const std::string&)>& pattern) {
  if (!config::is_guarded(route)) return nullptr;
  config::Requirement required = config::effective_requirement(route);
  bool open = required.admits == config::Requirement::Admits::anybody;
  if (open && !route.sign_in.on()) return nullptr;
  auto addresses = [&](const config::Addresses& given) {
    return guard::AddressRule(given, registry.guardroom().addresses);
  };
  auto plan = std::make_shared<GuardPlan>(GuardPlan{
      .sign_in = &route.sign_in, .requirement = {required, {.pattern = pattern, .addresses = addresses}}});
  plan->asks_for_certificate = plan->requirement.asks_for_certificate();
  if (!route.sign_in.on()) return plan;
  plan->users = registry.users(config.users[route.sign_in.users.index]);
  plan->challenge = wire::basic_challenge(route.sign_in.realm);
  plan->upstream_password = registry.shelf().password(route.sign_in.basic_password_file);
  return plan;
}

std::expected<std::shared_ptr<const Secret>, std::string> read_upstream_password(const std::string& path) {
  auto content = tls::read_file(path);
  if (!content) return std::unexpected(content.error());
  std::string_view text = content->text();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  bool one_line = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' '; });
  if (text.empty() || text.size() > wire::kLongestCredentials || !one_line)
    return std::unexpected(fmt::format("{} has to hold one line, a password of at most {} bytes", path,
                                       wire::kLongestCredentials));
  return std::make_shared<const Secret>(text);
}

std::vector<std::string> user_fields_of(const config::Config& config) {
  std::vector<std::string> fields;
  for (const config::Listener& listener : config.listeners) {
    for (const config::Site& site : listener.sites) {
      for (const config::Route& route : site.routes) {
        const std::string& field = route.sign_in.user_field;
        auto same = [&](const std::string& other) { return wire::equal_in_any_case(other, field); };
        if (route.sign_in.on() && !field.empty() && std::ranges::none_of(fields, same))
          fields.push_back(field);
      }
    }
  }
  return fields;
}

}  // namespace lockgate::proxy
