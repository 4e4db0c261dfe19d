// Reads lists of rates, of whatever they stand in.
#pragma once
#include <vector>

#include "config/address_reader.h"

namespace lockgate::config {

class RateReader : public AddressReader {
 public:
  using AddressReader::AddressReader;
  using AddressReader::read_value;

  void read_value(const Node& node, Subject subject, const Form& form, std::vector<RateRule>& out);
};

}  // namespace lockgate::config
