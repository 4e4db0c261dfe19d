// Reads lists of addresses, and addresses as they are chosen: by networks, and by the names
// of lists, countries and autonomous systems.
#pragma once
#include <string>
#include <vector>

#include "config/choice_reader.h"

namespace lockgate::config {

class AddressReader : public ChoiceReader {
 public:
  using ChoiceReader::ChoiceReader;
  using ChoiceReader::read_value;

  void read_value(const Node& node, Subject subject, const Form& form, std::vector<AddressList>& out);
  void read_value(const Node& node, Subject subject, const Form& form, Geo& out);
  void read_value(const Node& node, Subject subject, const Form& form, Addresses& out);

 private:
  void read_list(const Entry& entry, AddressList& list);
  void read_address(const Node& node, Subject subject, Addresses& out);
  void needs_database(const Node& node, const std::string& file, std::string_view key);
  void tell_unknown_address(const Node& node, Subject subject);
};

/// What chooses addresses, in words.
inline constexpr std::string_view kAddressWords =
    "a network such as 192.0.2.0/24, a name under `address_lists`, country DE or AS3320";

}  // namespace lockgate::config
