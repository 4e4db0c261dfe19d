#include "proxy/router.h"

#include <algorithm>

namespace lockgate::proxy {
namespace {

bool holds(const config::Match& match, const Question& question) {
  auto offered = [&](const std::string& protocol) {
    return std::ranges::find(question.alpn, protocol) != question.alpn.end();
  };
  if (!match.alpn.empty() && std::ranges::none_of(match.alpn, offered)) return false;
  auto inside = [&](const Network& network) { return network.contains(question.client); };
  if (!match.clients.empty() && std::ranges::none_of(match.clients, inside)) return false;
  if (!question.tls) return match.ja3.empty() && match.ja4.empty();
  auto listed = [](const std::vector<std::string>& list, std::string_view value) {
    return std::ranges::find(list, value) != list.end();
  };
  return (match.ja3.empty() || listed(match.ja3, question.ja3())) &&
         (match.ja4.empty() || listed(match.ja4, question.ja4()));
}

}  // namespace

Answer route(const ListenerPlan& listener, const Question& question) {
  Answer answer;
  auto take = [&](std::uint32_t number) {
    const NamePlan& name = listener.names[number];
    const SitePlan& site = listener.sites[name.site];
    if (!holds(site.site->match, question)) return false;
    answer = {&site, name.pattern};
    return true;
  };
  if (!listener.listener->peek) {
    take(0);  // there is one site, of one name
    return answer;
  }
  (question.tls ? listener.for_tls : listener.for_plain).find(question.name, take);
  return answer;
}

}  // namespace lockgate::proxy
