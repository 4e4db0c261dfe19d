#include "net/resolver.h"

#include <ares.h>
#include <sys/epoll.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/owned.h"
#include "loop/wait.h"

namespace lockgate::net {

using loop::Task;
using std::chrono::seconds;

namespace {

// An answer that may not be kept at all would have the name servers asked without pause.
constexpr Duration kShortestTtl = seconds(1);
// And one for days would hide for days that a server has moved.
constexpr Duration kLongestTtl = std::chrono::hours(1);
// /etc/hosts has no times to live. To read it again this often costs nothing, and people edit it and wait.
constexpr Duration kFileTtl = seconds(30);

Error unresolved(int status) {
  return {.code = Errc::unresolved,
          .side = Side::upstream,
          .retryable = true,
          .detail = {DetailKind::resolver, static_cast<std::int16_t>(status)},
          .doing = "resolving the name"};
}

Duration within_limits(Duration ttl) { return std::clamp(ttl, kShortestTtl, kLongestTtl); }

// What is asked of c-ares. It holds the question as the task does that waits, because it cannot be told to
// forget a single one: it answers even when nobody waits any more.
template <class T>
struct Question {
  std::optional<Result<T>> answer;
  loop::WaitSlot answered;
};

template <class T>
using Shared = std::shared_ptr<Question<T>>;

template <class T>
void* held(const Shared<T>& question) {
  return new Shared<T>(question);
}

// The end of what c-ares holds.
template <class T>
void settle(void* held, Result<T> answer) {
  std::unique_ptr<Shared<T>> owned(static_cast<Shared<T>*>(held));
  Question<T>& question = **owned;
  question.answer = std::move(answer);
  question.answered.wake();
}

template <class T>
Task<T> answer_of(loop::Reactor& reactor, Shared<T> question) {
  if (!question->answer) {
    loop::Wait wait(reactor, question->answered, kNever);
    co_await wait;
  }
  Result<T>& answer = *question->answer;
  if (!answer) co_await loop::fail(answer.error());
  co_return std::move(*answer);
}

Result<Addresses> addresses_of(int status, const ares_addrinfo* found) {
  if (status != ARES_SUCCESS) return std::unexpected(unresolved(status));
  Addresses addresses;
  Duration ttl = kLongestTtl;
  for (auto* node = found->nodes; node; node = node->ai_next) {
    auto address = SocketAddress::from_system(node->ai_addr, node->ai_addrlen);
    addresses.ips.push_back(address.ip());
    ttl = std::min<Duration>(ttl, seconds(node->ai_ttl));
  }
  for (auto* alias = found->cnames; alias; alias = alias->next) {
    ttl = std::min<Duration>(ttl, seconds(alias->ttl));
  }
  if (addresses.ips.empty()) return std::unexpected(unresolved(ARES_ENODATA));
  addresses.ttl = within_limits(ttl);
  return addresses;
}

Result<Services> services_of(int status, Bytes message) {
  if (status != ARES_SUCCESS) return std::unexpected(unresolved(status));
  auto services = wire::parse_services(message);
  if (!services) return std::unexpected(unresolved(ARES_EBADRESP));
  if (services->services.empty()) return std::unexpected(unresolved(ARES_ENODATA));
  services->ttl = within_limits(services->ttl);
  return services;
}

void take_addresses(void* question, int status, int /*timeouts*/, ares_addrinfo* found) {
  Owned<ares_addrinfo, ares_freeaddrinfo> owned(found);
  settle(question, addresses_of(status, found));
}

void take_services(void* question, int status, int /*timeouts*/, unsigned char* bytes, int size) {
  settle(question, services_of(status, std::as_bytes(std::span(bytes, static_cast<std::size_t>(size)))));
}

int set_name_servers(ares_channel channel, const std::vector<SocketAddress>& servers) {
  std::vector<ares_addr_port_node> nodes;
  for (const auto& server : servers) {
    ares_addr_port_node node{.family = server.family(), .udp_port = server.port(), .tcp_port = server.port()};
    std::ranges::copy(server.ip().bytes(), reinterpret_cast<std::byte*>(&node.addr));
    nodes.push_back(node);
  }
  for (std::size_t i = 1; i < nodes.size(); ++i) nodes[i - 1].next = &nodes[i];
  return ares_set_servers_ports(channel, nodes.data());
}

}  // namespace

// One socket of c-ares, which opens and closes it. It is told of its state in its own turn, level-triggered.
class Resolver::Socket final : public loop::Watched, public loop::Runnable {
 public:
  Socket(Resolver& resolver, int fd) : resolver_(resolver), fd_(fd) {}
  void edges(std::uint32_t events) override {
    events_ |= events;
    resolver_.reactor_.enqueue(*this);
  }

 private:
  void run() override {
    int readable = (events_ & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 ? fd_ : ARES_SOCKET_BAD;
    int writable = (events_ & EPOLLOUT) != 0 ? fd_ : ARES_SOCKET_BAD;
    events_ = 0;
    resolver_.process(readable, writable);  // which may destroy this socket
  }

  Resolver& resolver_;
  int fd_;
  std::uint32_t events_ = 0;
};

Resolver::Resolver(loop::Reactor& reactor, const ResolverOptions& options) : reactor_(reactor) {
  // Counted by c-ares, but not guarded against other threads.
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  CHECK(library == ARES_SUCCESS);
  open(options);
}

Resolver::~Resolver() {
  if (channel_) ares_destroy(channel_);
}

Task<Addresses> Resolver::addresses(std::string name) {
  if (!channel_) co_await loop::fail(unresolved(opened_));
  if (auto literal = Ip::parse(name)) co_return Addresses{.ips = {*literal}, .ttl = kLongestTtl};
  auto question = std::make_shared<Question<Addresses>>();
  ares_addrinfo_hints both_families{.ai_family = AF_UNSPEC};
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &both_families, take_addresses, held(question));
  // Nothing but the file answers on the spot.
  if (question->answer && *question->answer) (*question->answer)->ttl = kFileTtl;
  schedule();
  auto task = answer_of(reactor_, std::move(question));
  auto answer = co_await task;
  co_return answer;
}

Task<Services> Resolver::services(std::string name) {
  if (!channel_) co_await loop::fail(unresolved(opened_));
  auto question = std::make_shared<Question<Services>>();
  constexpr int kInternet = 1, kService = 33;  // class and type of what is asked for (RFC 1035, RFC 2782)
  ares_query(channel_, name.c_str(), kInternet, kService, take_services, held(question));
  schedule();
  auto task = answer_of(reactor_, std::move(question));
  auto answer = co_await task;
  co_return answer;
}

void Resolver::open(const ResolverOptions& options) {
  char file_then_dns[] = "fb";
  ares_options given{
      .flags = ARES_FLAG_NOALIASES,  // no names out of a file that an environment variable names
      .timeout = static_cast<int>(options.timeout / std::chrono::milliseconds(1)),
      .tries = options.tries,
      .lookups = file_then_dns,
      .sock_state_cb =
          [](void* self, int fd, int readable, int writable) {
            static_cast<Resolver*>(self)->watch(fd, readable != 0, writable != 0);
          },
      .sock_state_cb_data = this};
  opened_ = ares_init_options(
      &channel_, &given,
      ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (opened_ != ARES_SUCCESS) channel_ = nullptr;
  if (!channel_ || options.name_servers.empty()) return;
  opened_ = set_name_servers(channel_, options.name_servers);
  if (opened_ == ARES_SUCCESS) return;
  ares_destroy(channel_);
  channel_ = nullptr;
}

// c-ares says what it waits for at a socket that it has opened; at neither, it is about to close it.
void Resolver::watch(int fd, bool readable, bool writable) {
  if (!readable && !writable) {
    reactor_.forget(fd);
    sockets_.erase(fd);
    return;
  }
  std::uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
  auto& socket = sockets_[fd];
  if (socket) return reactor_.change(fd, *socket, events);
  socket = std::make_unique<Socket>(*this, fd);
  if (!reactor_.watch(fd, *socket, events)) sockets_.erase(fd);  // what is asked through it times out
}

void Resolver::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  schedule();
}

void Resolver::schedule() {
  timeval left{};
  if (!ares_timeout(channel_, nullptr, &left)) return timer_.stop();
  reactor_.start(timer_, reactor_.now() + seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
}

void Resolver::run() { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

}  // namespace lockgate::net
