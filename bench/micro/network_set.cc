// What looking an address up costs in sets of 10, 1,000 and 1,000,000 random networks, and what making them
// takes:
//   clang++-19 -std=c++23 -O2 -Isrc bench/micro/network_set.cc src/base/{network_set,ip_number,address}.cc -o
//   build/network_set
#include "base/network_set.h"

#include <cstdio>
#include <ctime>
#include <random>
#include <vector>

namespace {

using namespace lockgate;

constexpr int kLooks = 5'000'000;
constexpr std::size_t kAddresses = 1 << 16;

// Of this process alone, whatever else the machine does.
double seconds_since(std::clock_t begin) {
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

class Lot {
 public:
  Ip ip(bool v4) {
    Wide number = v4 ? Wide{random_() >> 32} : Wide{random_()} << 64 | random_();
    return ip_of(number, v4 ? v4_ : v6_);
  }
  Network network(bool v4) {
    int prefix = v4 ? 24 + static_cast<int>(random_() % 9) : 32 + static_cast<int>(random_() % 33);
    int rest = (v4 ? 32 : 128) - prefix;
    return {ip_of(number_of(ip(v4)) >> rest << rest, v4 ? v4_ : v6_), prefix};
  }

 private:
  std::mt19937_64 random_{1};
  Ip v4_ = *Ip::parse("0.0.0.0"), v6_ = *Ip::parse("::");
};

void measure(int size) {
  Lot lot;
  std::vector<Network> networks;
  for (int i = 0; i < size; ++i) networks.push_back(lot.network(i % 2 == 0));
  auto begin = std::clock();
  NetworkSet set(networks);
  double made = seconds_since(begin);
  std::printf("%9d networks: made in %.3f s, %.1f MiB", size, made,
              static_cast<double>(set.bytes()) / (1 << 20));
  for (bool v4 : {true, false}) {
    std::vector<Ip> ips;
    for (std::size_t i = 0; i < kAddresses; ++i) ips.push_back(lot.ip(v4));
    int inside = 0;
    begin = std::clock();
    for (std::size_t i = 0; i < kLooks; ++i) inside += set.contains(ips[i % kAddresses]) ? 1 : 0;
    std::printf("; IPv%c %.1f million looks a second (%d inside)", v4 ? '4' : '6',
                kLooks / seconds_since(begin) / 1e6, inside);
  }
  std::printf("\n");
}

}  // namespace

int main() {
  for (int size : {10, 1000, 1'000'000}) measure(size);
}
