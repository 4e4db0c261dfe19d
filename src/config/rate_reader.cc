#include "config/rate_reader.h"

#include "config/words.h"

namespace lockgate::config {

void RateReader::read_value(const Node& node, Subject subject, const Form&, std::vector<RateRule>& out) {
  if (!node.is_list()) return misfit(node, subject, {"a list of rates", ""});
  UniqueNames taken;
  for (const Node& item : node.items) {
    RateRule rule;
    rule.place = item.mark.place();
    read_section(item, {subject.key, true}, rule);
    if (!rule.name.empty()) taken.take(rule.name);
    out.push_back(std::move(rule));
  }
  for (RateRule& rule : out) {
    if (rule.name.empty()) rule.name = taken.unused(std::string(word_of(rule.of)));
  }
}

}  // namespace lockgate::config
