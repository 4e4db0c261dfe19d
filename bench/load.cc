// The traffic of bench/run: an origin and its clients, with TLS in name only.
//
// A passthrough proxy reads the ClientHello and nothing behind it, so nothing behind it needs to be TLS. A
// client sends a real ClientHello; the origin compares it byte by byte and answers with a flight of kFlight
// bytes. Then the client sends requests of kRequest bytes, each naming the size of its answer. This costs
// client and origin far less CPU than TLS would, and the same for every proxy. Both ends check every byte
// they receive, and anything unexpected ends the program with status 1 and a sentence.
//
//   load origin PORT...                   listens until its standard input closes
//   load relay   PORT CONNECTIONS ANSWER REQUESTS        requests over connections that are opened beforehand
//   load connect PORT CONNECTIONS ANSWER REQUESTS EACH   new connections, EACH requests on each (0: the hello
//   only) load stranger PORT                    a hello for a name that no proxy routes must not reach an
//   origin
//
// A client prints "ready", begins after a line on standard input, prints "done COUNT" and leaves after
// another line.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client_hello.h"

namespace lockgate::bench {
namespace {

constexpr std::size_t kFlight = 2048;          // about a server's first flight with an ECDSA certificate
constexpr std::size_t kRequest = 128;          // the answer's size in its first 8 bytes, then the pattern
constexpr std::size_t kPeriod = 64UL * 1024;   // the pattern repeats after so many bytes
constexpr std::size_t kPattern = 8 * kPeriod;  // and is kept so long, so that one send is large
constexpr unsigned kLongestRun = 60;           // seconds after which a client gives up
constexpr std::size_t kOpening = 64;           // connections of a client whose flight may be outstanding

[[noreturn]] void fail(std::string_view what, int error = 0) {
  std::fprintf(stderr, "load: %.*s%s%s\n", static_cast<int>(what.size()), what.data(), error != 0 ? ": " : "",
               error != 0 ? std::strerror(error) : "");
  std::exit(1);
}

int checked(int result, std::string_view what) {
  if (result < 0) fail(what, errno);
  return result;
}

/// What answers and flights consist of: kPattern bytes with the period kPeriod.
const std::vector<std::uint8_t>& pattern() {
  static const std::vector<std::uint8_t> bytes = [] {
    std::vector<std::uint8_t> made(kPattern);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < kPattern; ++i) {
      state = state * 1664525 + 1013904223;
      made[i] = i < kPeriod ? static_cast<std::uint8_t>(state >> 24) : made[i - kPeriod];
    }
    return made;
  }();
  return bytes;
}

/// Whether these bytes are the pattern from `position` on.
bool is_pattern(std::span<const std::uint8_t> bytes, std::uint64_t position) {
  while (!bytes.empty()) {
    const std::size_t from = position % kPeriod;
    const std::size_t size = std::min(bytes.size(), kPattern - from);
    if (std::memcmp(bytes.data(), pattern().data() + from, size) != 0) return false;
    bytes = bytes.subspan(size);
    position += size;
  }
  return true;
}

std::array<std::uint8_t, kRequest> request_for(std::uint64_t answer) {
  std::array<std::uint8_t, kRequest> request;
  std::copy_n(pattern().begin(), kRequest, request.begin());
  std::memcpy(request.data(), &answer, sizeof answer);
  return request;
}

void send_at_once(int fd, std::span<const std::uint8_t> bytes) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) fail("sending", errno);
  if (static_cast<std::size_t>(sent) != bytes.size()) fail("a hello or request was not taken in one piece");
}

void no_delay(int fd) {
  const int on = 1;
  checked(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int connect_to(std::uint16_t port) {
  const int fd = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const sockaddr_in address = loopback(port);
  checked(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connecting");
  no_delay(fd);
  return fd;
}

class Epoll {
 public:
  void watch(int fd, void* what, std::uint32_t events = EPOLLIN) { control(EPOLL_CTL_ADD, fd, what, events); }
  void change(int fd, void* what, std::uint32_t events) { control(EPOLL_CTL_MOD, fd, what, events); }

  std::span<epoll_event> wait() {
    const int count = ::epoll_wait(fd_, events_.data(), static_cast<int>(events_.size()), -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait", errno);
    return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
  }

 private:
  void control(int operation, int fd, void* what, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = what;
    checked(::epoll_ctl(fd_, operation, fd, &event), "epoll_ctl");
  }

  int fd_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  std::array<epoll_event, 256> events_;
};

/// Accepts on its ports, compares hellos and answers requests.
class Origin {
 public:
  explicit Origin(std::span<const std::uint16_t> ports) {
    for (const std::uint16_t port : ports) listen_on(port);
    epoll_.watch(STDIN_FILENO, nullptr);
  }

  void run() {
    for (;;) {
      for (const epoll_event& event : epoll_.wait()) {
        if (event.data.ptr == nullptr) return;  // whoever started this is gone or done
        auto* peer = static_cast<Peer*>(event.data.ptr);
        if (peer->listens) {
          accept_one(*peer);
        } else if (!serve(*peer, event.events)) {
          ::close(peer->fd);
          delete peer;
        }
      }
    }
  }

 private:
  struct Peer {
    int fd = -1;
    bool listens = false;
    bool greeted = false;
    bool blocked = false;         // the answer waits for room in the socket
    std::size_t buffered = 0;     // bytes of an incomplete hello or request
    std::uint64_t sent = 0;       // of the answer under way
    std::uint64_t remaining = 0;  // of the answer under way
    std::array<std::uint8_t, 1024> buffer{};
  };
  static_assert(sizeof(Peer::buffer) > kClientHello.size());

  void listen_on(std::uint16_t port) {
    auto* peer =
        new Peer{.fd = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"), .listens = true};
    const int on = 1;
    checked(::setsockopt(peer->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    const sockaddr_in address = loopback(port);
    checked(::bind(peer->fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(peer->fd, 4096), "listen");
    epoll_.watch(peer->fd, peer);
  }

  void accept_one(const Peer& listener) {
    const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED)) return;
    checked(fd, "accept");
    no_delay(fd);
    epoll_.watch(fd, new Peer{.fd = fd});
  }

  /// False when the connection has ended.
  bool serve(Peer& peer, std::uint32_t events) {
    if (peer.blocked && (events & EPOLLOUT) != 0) return answer(peer);
    const ssize_t got =
        ::recv(peer.fd, peer.buffer.data() + peer.buffered, peer.buffer.size() - peer.buffered, 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    if (peer.remaining > 0) fail("origin: bytes arrived during an answer");
    peer.buffered += static_cast<std::size_t>(got);
    if (!peer.greeted) {
      if (peer.buffered < kClientHello.size()) return true;
      if (!std::equal(kClientHello.begin(), kClientHello.end(), peer.buffer.begin()))
        fail("origin: a changed hello");
      if (peer.buffered > kClientHello.size()) fail("origin: bytes before the flight");
      peer.greeted = true;
      return begin(peer, kFlight);
    }
    if (peer.buffered < kRequest) return true;
    std::uint64_t size = 0;
    std::memcpy(&size, peer.buffer.data(), sizeof size);
    if (peer.buffered > kRequest || !is_pattern(std::span(peer.buffer).subspan(8, kRequest - 8), 8)) {
      fail("origin: a changed request");
    }
    return begin(peer, size);
  }

  bool begin(Peer& peer, std::uint64_t size) {
    peer.buffered = 0;
    peer.sent = 0;
    peer.remaining = size;
    return answer(peer);
  }

  bool answer(Peer& peer) {
    while (peer.remaining > 0) {
      const std::size_t from = peer.sent % kPeriod;
      const std::size_t size = std::min<std::uint64_t>(peer.remaining, kPattern - from);
      const ssize_t sent = ::send(peer.fd, pattern().data() + from, size, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent < 0) {
        if (!peer.blocked) epoll_.change(peer.fd, &peer, EPOLLIN | EPOLLOUT);
        peer.blocked = true;
        return true;
      }
      peer.sent += static_cast<std::uint64_t>(sent);
      peer.remaining -= static_cast<std::uint64_t>(sent);
    }
    if (peer.blocked) epoll_.change(peer.fd, &peer, EPOLLIN);
    peer.blocked = false;
    return true;
  }

  Epoll epoll_;
};

/// What a client is to do.
struct Work {
  std::uint16_t port = 0;
  std::uint64_t connections = 0;  // at the same time
  std::uint64_t answer = 0;       // bytes
  std::uint64_t total = 0;        // requests of relay, connections of connect
  std::uint64_t each = 0;         // requests per connection, of connect
};

/// The connections of one client; everything outstanding is awaited, so it ends only when all work is done.
class Client {
 public:
  explicit Client(const Work& work) : work_(work), request_(request_for(work.answer)) {}

  /// Opens all connections, `connections` in all, and sends one request for a small answer on each.
  void open_all() {
    const auto first = request_for(1024);
    for (std::uint64_t opened = 0, greeted = 0; greeted < work_.connections;) {
      for (; opened < work_.connections && opened - greeted < kOpening; ++opened) open();
      for_each_finished([&](Connection& connection) {
        if (connection.requests++ == 0) {
          send(connection, first, 1024);
        } else {
          ++greeted;
          idle_.push_back(&connection);
        }
      });
    }
  }

  /// The requests of `relay` over what open_all() opened.
  void relay() {
    std::uint64_t begun = 0;
    for (Connection* connection : idle_) {
      if (begun++ < work_.total) send(*connection, request_, work_.answer);
    }
    for (std::uint64_t finished = 0; finished < work_.total;) {
      for_each_finished([&](Connection& connection) {
        ++finished;
        if (begun++ < work_.total) send(connection, request_, work_.answer);
      });
    }
  }

  /// The connections of `connect`, each closed by this side.
  void connect() {
    std::uint64_t opened = 0;
    for (; opened < std::min(work_.connections, work_.total); ++opened) open();
    for (std::uint64_t closed = 0; closed < work_.total;) {
      for_each_finished([&](Connection& connection) {
        if (connection.requests++ < work_.each) return send(connection, request_, work_.answer);
        ::close(connection.fd);
        delete &connection;
        ++closed;
        if (opened++ < work_.total) open();
      });
    }
  }

 private:
  struct Connection {
    int fd = -1;
    std::uint64_t expected = 0;  // bytes that are still to come
    std::uint64_t received = 0;  // bytes of this flight or answer
    std::uint64_t requests = 0;
  };

  void open() {
    auto* connection = new Connection{.fd = connect_to(work_.port)};
    epoll_.watch(connection->fd, connection);
    send(*connection, kClientHello, kFlight);
  }

  static void send(Connection& connection, std::span<const std::uint8_t> bytes, std::uint64_t expected) {
    connection.expected = expected;
    connection.received = 0;
    send_at_once(connection.fd, bytes);
  }

  /// Waits once, reads, and calls `then` for each connection whose flight or answer is complete.
  template <typename Then>
  void for_each_finished(Then then) {
    for (const epoll_event& event : epoll_.wait()) {
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      const ssize_t got = ::recv(connection.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) continue;
      if (got < 0) fail("client: receiving", errno);
      if (got == 0) fail("client: the connection ended before the answer did");
      const auto size = static_cast<std::size_t>(got);
      if (size > connection.expected) fail("client: more bytes than the answer has");
      if (!is_pattern({buffer_.data(), size}, connection.received)) fail("client: a changed answer");
      connection.received += size;
      connection.expected -= size;
      if (connection.expected == 0) then(connection);
    }
  }

  Work work_;
  std::array<std::uint8_t, kRequest> request_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(256UL * 1024);
  std::vector<Connection*> idle_;
  Epoll epoll_;
};

/// Sends a hello with another name and expects the end of the connection, after a TLS alert at most.
void expect_refusal(std::uint16_t port) {
  auto hello = kClientHello;
  std::copy_n("not", 3, hello.begin() + kNameOffset);
  const int fd = connect_to(port);
  send_at_once(fd, hello);
  std::array<std::uint8_t, kFlight> buffer;
  std::size_t received = 0;
  for (;;) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno != ECONNRESET) fail("stranger: receiving", errno);
    if (got <= 0) break;
    received += static_cast<std::size_t>(got);
    if (received > 64) fail("stranger: a name that no site has was answered");
  }
}

/// Waits for a line on standard input; its end means that whoever started this is gone.
void await_line() {
  char byte = 0;
  do {
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got <= 0) std::exit(1);
  } while (byte != '\n');
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) fail("not a number: " + std::string(text));
  return value;
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 3) fail("usage: load origin|relay|connect|stranger PORT ...");
  const std::string_view mode = arguments[1];
  std::vector<std::uint64_t> numbers;
  for (char* argument : arguments.subspan(2)) numbers.push_back(number(argument));
  const std::vector<std::uint16_t> ports(numbers.begin(), numbers.end());
  if (mode == "origin") {
    Origin origin(ports);
    say("ready");
    origin.run();
    return 0;
  }
  ::alarm(kLongestRun);
  if (mode == "stranger") {
    expect_refusal(ports[0]);
    return 0;
  }
  const bool relays = mode == "relay";
  if (numbers.size() != (relays ? 4 : 5) || (!relays && mode != "connect")) fail("wrong number of arguments");
  Client client({.port = ports[0],
                 .connections = numbers[1],
                 .answer = numbers[2],
                 .total = numbers[3],
                 .each = relays ? 0 : numbers[4]});
  if (relays) client.open_all();
  say("ready");
  await_line();
  if (relays) {
    client.relay();
  } else {
    client.connect();
  }
  say("done " + std::to_string(numbers[3]));
  await_line();
  return 0;
}

}  // namespace
}  // namespace lockgate::bench

int main(int count, char** arguments) {
  return lockgate::bench::run({arguments, static_cast<std::size_t>(count)});
}
