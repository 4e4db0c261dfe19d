#include "config/address_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace lockgate::config {
namespace {

constexpr std::size_t kLongestListName = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number in "AS3320".
std::optional<std::uint32_t> system_in(std::string_view text) {
  if (!text.starts_with("AS")) return {};
  std::string_view digits = text.substr(2);
  std::uint32_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return number;
}

/// The code in "country DE".
std::optional<std::string> country_in(std::string_view text) {
  constexpr std::string_view kCountry = "country ";
  if (!text.starts_with(kCountry)) return {};
  std::string code(text.substr(kCountry.size()));
  if (code.size() != 2 || !std::ranges::all_of(code, is_letter)) return {};
  std::ranges::transform(code, code.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return code;
}

bool is_list_name(std::string_view name) {
  auto may_stand = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= kLongestListName && is_letter(name.front()) &&
         std::ranges::all_of(name, may_stand) && !system_in(name);
}

}  // namespace

void AddressReader::read_value(const Node& node, Subject subject, const Form&,
                               std::vector<AddressList>& out) {
  if (node.is_nothing()) return;
  if (!node.is_map()) return misfit(node, subject, {"a map of names and lists of networks", ""});
  for (const Entry& entry : node.entries) {
    AddressList list;
    list.name = entry.key;
    list.place = entry.mark.place();
    if (!is_list_name(entry.key)) {
      error(entry.mark, fmt::format("`{}` cannot be the name of an address list", entry.key),
            "it begins with a letter, has letters, digits, `-`, `_` and `.` behind it, and is no AS3320");
    }
    read_list(entry, list);
    out.push_back(std::move(list));
  }
}

void AddressReader::read_list(const Entry& entry, AddressList& list) {
  if (!entry.value.is_map()) return TreeReader::read_value(entry.value, {entry.key}, {}, list.networks);
  read_section(entry.value, {entry.key}, list);
  auto is_there = [&](std::string_view key) { return entry.value.find(key) != nullptr; };
  if (!is_there("networks") && !is_there("file") && !is_there("url"))
    error(entry.mark, fmt::format("the list `{}` has none of `networks`, `file` and `url`", entry.key));
}

void AddressReader::read_value(const Node& node, Subject subject, const Form&, Geo& out) {
  read_section(node, subject, out);
  out.place = node.mark.place();
}

// Of nothing it could be said neither that it holds everybody nor that it holds nobody.
void AddressReader::read_value(const Node& node, Subject subject, const Form&, Addresses& out) {
  out = {};
  if (node.is_list() && node.items.empty())
    return error(node.mark, fmt::format("{} is an empty list", subject.text()), "leave it out");
  for_each_item(node, subject, [&](const Node& item, Subject who) { read_address(item, who, out); });
}

void AddressReader::read_address(const Node& node, Subject subject, Addresses& out) {
  if (!node.is_scalar()) return misfit(node, subject, {std::string(kAddressWords), ""});
  if (auto network = Network::parse(node.text)) {
    out.networks.push_back(*network);
    return;
  }
  auto list = std::ranges::find(config_.address_lists, node.text, &AddressList::name);
  if (list != config_.address_lists.end()) {
    out.lists.push_back(static_cast<std::uint32_t>(list - config_.address_lists.begin()));
  } else if (auto country = country_in(node.text)) {
    out.countries.push_back(*country);
    needs_database(node, config_.geo.country, "country");
  } else if (auto system = system_in(node.text)) {
    out.systems.push_back(*system);
    needs_database(node, config_.geo.system, "system");
  } else {
    tell_unknown_address(node, subject);
  }
}

void AddressReader::needs_database(const Node& node, const std::string& file, std::string_view key) {
  if (!file.empty()) return;
  error(node.mark, fmt::format("no database knows `{}`", node.text),
        fmt::format("name the file of one: `geo: {{ {}: /path/to.mmdb }}`", key));
}

void AddressReader::tell_unknown_address(const Node& node, Subject subject) {
  std::vector<std::string_view> names;
  for (const AddressList& list : config_.address_lists) names.push_back(list.name);
  std::string hint = nearest(node.text, names);
  if (node.text.starts_with("country")) hint = "a country has two letters, as in `country DE`";
  if (node.text.contains('/') || node.text.contains(':'))
    hint = parse_value<Network>(node.text, {}).error().hint;
  misfit(node, subject, {std::string(kAddressWords), hint});
}

}  // namespace lockgate::config
