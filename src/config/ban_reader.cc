#include "config/ban_reader.h"

#include <utility>

#include "config/words.h"

namespace lockgate::config {

void BanReader::read_value(const Node& node, Subject subject, const Form&, Bans& out) {
  out.place = node.mark.place();
  read_section(node, subject, out);
}

void BanReader::read_value(const Node& node, Subject subject, const Form&, std::vector<BanRule>& out) {
  if (!node.is_list()) return misfit(node, subject, {"a list of rules", ""});
  for (const Node& item : node.items) {
    BanRule rule{.place = item.mark.place()};
    read_section(item, {subject.key, true}, rule);
    if (rule.name.empty()) rule.name = word_of(rule.on);
    out.push_back(std::move(rule));
  }
}

}  // namespace lockgate::config
