// Reads what is said of bans.
#pragma once
#include <vector>

#include "config/http_reader.h"

namespace lockgate::config {

class BanReader : public HttpReader {
 public:
  using HttpReader::HttpReader;
  using HttpReader::read_value;

  void read_value(const Node& node, Subject subject, const Form& form, Bans& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<BanRule>& out);
};

}  // namespace lockgate::config
