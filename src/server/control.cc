#include "server/control.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "net/listen.h"
#include "net/tcp.h"

namespace lockgate::server {

using loop::Task;
using nlohmann::json;

namespace {

constexpr std::size_t kLongestAnswer = 64 * 1024 * 1024;

Task<std::string> read_line(net::Stream& stream, std::size_t longest, Instant deadline);
Task<std::string> converse(net::Stream& stream, std::string line, Instant deadline);
std::string on_one_line(const json& value);
json refusal(std::string_view message);
std::expected<void, std::string> make_folder_of(const std::string& path);
std::string no_answer(const std::string& path, const Error& error);
std::string asker_at(int fd);

}  // namespace

std::expected<std::unique_ptr<ControlSocket>, std::string> ControlSocket::open(loop::Reactor& reactor,
                                                                               std::string path,
                                                                               Commands& commands,
                                                                               const ControlLimits& limits) {
  SocketAddress address = SocketAddress::unix_path(path);
  sockaddr_storage room;
  if (address.to_system(room) == 0)
    return std::unexpected(fmt::format("control socket {}: the path is too long", path));
  auto folder = make_folder_of(path);
  if (!folder) return std::unexpected(folder.error());
  constexpr unsigned kOwnerOnly = 0600;
  auto fd = net::listen(address, {.backlog = 16, .unix_mode = kOwnerOnly});
  if (!fd) {
    bool living = fd.error().detail == Detail{DetailKind::system, EADDRINUSE};
    return std::unexpected(fmt::format("control socket {}: {}", path,
                                       living ? "another process answers there" : words(fd.error())));
  }
  std::unique_ptr<ControlSocket> socket(new ControlSocket(reactor, std::move(path), commands, limits));
  socket->reception_.open(std::move(*fd));
  return socket;
}

ControlSocket::ControlSocket(loop::Reactor& reactor, std::string path, Commands& commands,
                             const ControlLimits& limits)
    : reactor_(reactor),
      path_(std::move(path)),
      commands_(commands),
      limits_(limits),
      reception_(reactor, limits.connections, Reception::WhenFull::refuse,
                 [this](net::AnyStream stream, const SocketAddress&) { return serve(std::move(stream)); }) {}

// The path goes before the socket closes: a next process, which waits for that, finds its own path alone.
ControlSocket::~ControlSocket() { ::unlink(path_.c_str()); }

Task<void> ControlSocket::serve(net::AnyStream stream) {
  auto reading = read_line(*stream, limits_.request_bytes, reactor_.now() + limits_.request);
  auto line = co_await loop::attempt(std::move(reading));
  if (!line && line.error().code == Errc::closed) co_return;
  json answer;
  if (line) {
    auto answering = answer_to(*line, asker_at(stream->plain_descriptor()));
    answer = co_await answering;
  } else {
    answer = refusal(words(line.error()));
  }
  std::string text = on_one_line(answer);
  auto writing = net::write(*stream, as_bytes(text), reactor_.now() + limits_.answer);
  co_await writing;
}

Task<json> ControlSocket::answer_to(std::string_view line, std::string asker) {
  json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  auto command = request.is_object() ? request.find("command") : request.end();
  if (command == request.end() || !command->is_string()) {
    co_return refusal(R"(a request is one line of JSON: {"command": "status"})");
  }
  auto obeying = commands_.handle(std::move(request), std::move(asker));
  auto answer = co_await loop::attempt(std::move(obeying));
  if (!answer) co_return refusal(words(answer.error()));
  co_return std::move(*answer);
}

std::expected<json, std::string> ask(const std::string& path, const json& request, Duration timeout) {
  SystemClock clock;
  loop::Reactor reactor(clock);
  auto stream = net::TcpStream::connect(reactor, SocketAddress::unix_path(path), {});
  if (!stream) return std::unexpected(no_answer(path, stream.error()));
  auto talking = converse(**stream, on_one_line(request), reactor.now() + timeout);
  talking.start();
  while (!talking.finished()) reactor.turn(timeout);
  auto line = talking.outcome();
  if (!line) return std::unexpected(no_answer(path, line.error()));
  json answer = json::parse(*line, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("ok") || !answer["ok"].is_boolean()) {
    return std::unexpected(fmt::format("what answers at {} is no lockgate", path));
  }
  return answer;
}

namespace {

/// Without its end. The end of the stream ends a line, too.
Task<std::string> read_line(net::Stream& stream, std::size_t longest, Instant deadline) {
  std::string line;
  for (;;) {
    std::array<std::byte, 4096> room;
    auto reading = net::read(stream, room, deadline);
    std::size_t size = co_await reading;
    std::string_view arrived = as_text(Bytes(room).first(size));
    auto end = arrived.find('\n');
    line += arrived.substr(0, end);
    if (line.size() > longest) co_await loop::fail(Errc::too_large, "reading a line of the control socket");
    if (end != arrived.npos || (size == 0 && !line.empty())) co_return line;
    if (size == 0) co_await loop::fail(Errc::closed, "reading from the control socket");
  }
}

Task<std::string> converse(net::Stream& stream, std::string line, Instant deadline) {
  auto writing = net::write(stream, as_bytes(line), deadline);
  co_await writing;
  auto reading = read_line(stream, kLongestAnswer, deadline);
  std::string answer = co_await reading;
  co_return answer;
}

/// Paths and names need not be UTF-8; what is not becomes U+FFFD.
std::string on_one_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json refusal(std::string_view message) { return {{"ok", false}, {"message", message}}; }

std::expected<void, std::string> make_folder_of(const std::string& path) {
  constexpr mode_t kMode = 0755;
  std::string folder = path.substr(0, path.rfind('/'));
  if (!path.contains('/') || folder.empty() || ::access(folder.c_str(), F_OK) == 0) return {};
  if (::mkdir(folder.c_str(), kMode) != 0 || ::chmod(folder.c_str(), kMode) != 0) {  // whatever the umask is
    return std::unexpected(
        fmt::format("control socket {}: {}", path, words(system_error(errno, "making its folder"))));
  }
  return {};
}

// As the kernel knows it, whatever the other end may say (unix(7), SO_PEERCRED).
std::string asker_at(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "somebody";
  return fmt::format("user {}, process {}", peer.uid, peer.pid);
}

std::string no_answer(const std::string& path, const Error& error) {
  bool forbidden = error.detail == Detail{DetailKind::system, EACCES};
  if (forbidden) return fmt::format("{} may not be opened by this user: try as root", path);
  if (error.code == Errc::timed_out)
    return fmt::format("lockgate does not answer at {}: it took too long", path);
  return fmt::format("no lockgate answers at {} ({}): is it running, and is this its control socket?", path,
                     words(error));
}

}  // namespace
}  // namespace lockgate::server
