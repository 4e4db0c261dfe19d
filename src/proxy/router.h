// Router: which site takes a connection, and why.
//
// The most specific name first; among sites of one name the first in the file whose
// `match` holds; if none holds, the next less specific name. Where nobody peeks, the one
// site takes whom its `match` lets in.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/plan.h"

namespace lockgate::proxy {

/// What routing asks about. `ja3` and `ja4` are called only if a rule wants them.
struct Question {
  bool tls = true;
  std::string_view name;  // normalized, or empty
  std::span<const std::string> alpn;
  Ip client;
  std::function<std::string_view()> ja3, ja4;
};

struct Answer {
  const SitePlan* site = nullptr;  // null: no site takes it
  std::string_view pattern;        // of the site's names, the one that matched
};

Answer route(const ListenerPlan& listener, const Question& question);

}  // namespace lockgate::proxy
