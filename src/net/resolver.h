// Resolver: asks name servers for addresses and services without blocking, with
// c-ares on the reactor of one thread.
//
// It keeps no answers; whoever asks keeps them for their time to live. Destroying a
// task cancels its waiting, though the question itself lives until it is answered or
// has run out of tries. Destroying the Resolver fails all tasks that wait for it.
// /etc/resolv.conf is read once, by the constructor; /etc/hosts at every question.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "loop/reactor.h"
#include "loop/task.h"
#include "wire/services.h"

struct ares_channeldata;

namespace lockgate::net {

using wire::Service;
using wire::Services;

struct ResolverOptions {
  /// Asked in this order; none that is link-local, for c-ares has no room for a scope. Empty: those of
  /// /etc/resolv.conf.
  std::vector<SocketAddress> name_servers;
  Duration timeout = std::chrono::seconds(2);  // of the first try; each round of tries waits twice as long
  int tries = 3;                               // of each name server
};

struct Addresses {
  std::vector<Ip> ips;  // in the order to try (RFC 6724); never empty
  Duration ttl{};
};

class Resolver final : private loop::Runnable {
 public:
  Resolver(loop::Reactor& reactor, const ResolverOptions& options);
  ~Resolver();

  /// The IPv4 and IPv6 addresses of `name`: of the literal that it is, or out of /etc/hosts, or of the DNS. A
  /// name that ends with a dot is absolute; any other is also tried below the search domains of resolv.conf.
  /// `unresolved`, with the resolver's status as its detail, if there are none or no name server says.
  loop::Task<Addresses> addresses(std::string name);

  /// The services (SRV, RFC 2782) of `name`, "_https._tcp.example.com", which is absolute. Never empty;
  /// `unresolved` as above.
  loop::Task<Services> services(std::string name);

 private:
  class Socket;

  void open(const ResolverOptions& options);
  void watch(int fd, bool readable, bool writable);
  void process(int readable, int writable);
  void schedule();
  void run() override;

  loop::Reactor& reactor_;
  ares_channeldata* channel_ = nullptr;
  int opened_;  // the status with which every question fails if there is no channel
  loop::Timer timer_{*this};
  std::unordered_map<int, std::unique_ptr<Socket>> sockets_;
};

}  // namespace lockgate::net
