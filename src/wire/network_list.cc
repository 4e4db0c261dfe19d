#include "wire/network_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ip_number.h"
#include "wire/page_text.h"

namespace lockgate::wire {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf", kBlank = " \t";
constexpr std::size_t kMostQuoted = 60;

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

// An address of IPv6 in brackets, or with a zone, stands in no list.
std::optional<Ip> address_in(std::string_view text) {
  return text.find_first_of("[%") == std::string_view::npos ? Ip::parse(text) : std::nullopt;
}

std::optional<Network> network_in(std::string_view text) {
  auto slash = std::min(text.find('/'), text.size());
  auto ip = address_in(text.substr(0, slash));
  if (!ip) return {};
  int bits = bits_of(*ip);
  if (slash == text.size()) return Network(*ip, bits);
  std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  constexpr unsigned kMappedBits = 96;
  bool mapped = ip->is_v4() && text.contains(':');
  if (mapped && prefix < kMappedBits) return {};
  prefix -= mapped ? kMappedBits : 0;
  if (prefix > static_cast<unsigned>(bits)) return {};
  int rest = bits - static_cast<int>(prefix);
  Wide masked = prefix == 0 ? 0 : number_of(*ip) >> rest << rest;
  return Network(ip_of(masked, *ip), static_cast<int>(prefix));
}

// The largest networks that fit, from the first address on: at most two of each size.
bool add_range(std::string_view from, std::string_view to, std::vector<Network>& networks) {
  auto first_ip = address_in(trimmed(from)), last_ip = address_in(trimmed(to));
  if (!first_ip || !last_ip || first_ip->family() != last_ip->family()) return false;
  Wide first = number_of(*first_ip), last = number_of(*last_ip);
  if (first > last) return false;
  int bits = bits_of(*first_ip);
  for (;;) {
    int rest = 0;  // of the network that begins here
    auto end_of = [&](int size) { return size >= 128 ? ~Wide{0} : first | ((Wide{1} << size) - 1); };
    auto is_aligned = [&](int size) { return size >= 128 ? first == 0 : (first >> size << size) == first; };
    while (rest < bits && is_aligned(rest + 1) && end_of(rest + 1) <= last) ++rest;
    networks.emplace_back(ip_of(first, *first_ip), bits - rest);
    if (end_of(rest) >= last) return true;
    first = end_of(rest) + 1;
  }
}

bool add_entry(std::string_view entry, std::vector<Network>& networks) {
  if (auto dash = entry.find('-'); dash != std::string_view::npos)
    return add_range(entry.substr(0, dash), entry.substr(dash + 1), networks);
  auto network = network_in(entry);
  if (network) networks.push_back(*network);
  return network.has_value();
}

std::unexpected<NetworkListFault> fault(std::size_t line, std::string why) {
  return std::unexpected(NetworkListFault{line, std::move(why)});
}

}  // namespace

std::expected<std::vector<Network>, NetworkListFault> read_network_list(std::string_view text,
                                                                        const NetworkListLimits& limits) {
  if (text.size() > limits.bytes) return fault(0, fmt::format("it has more than {} bytes", limits.bytes));
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<Network> networks;
  for (std::size_t number = 1; !text.empty(); ++number) {
    if (number > limits.lines) return fault(number, fmt::format("it has more than {} lines", limits.lines));
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string_view entry = trimmed(line.substr(0, line.find_first_of("#;")));
    if (entry.empty()) continue;
    if (!add_entry(entry, networks)) {
      return fault(number,
                   fmt::format("`{}` is no network, address or range", shortened(entry, kMostQuoted)));
    }
    if (networks.size() > limits.networks)
      return fault(number, fmt::format("it has more than {} networks", limits.networks));
  }
  return networks;
}

}  // namespace lockgate::wire
