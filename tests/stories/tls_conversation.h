// A conversation in TLS over memory: a server, which is ours and has the faults, and a client.
#pragma once
#include <gtest/gtest.h>

#include <optional>

#include "loop/scope.h"
#include "stories/memory_stream.h"
#include "stories/tls_pair.h"

namespace lockgate::stories {

inline constexpr Duration kPatience = std::chrono::seconds(5);

// How one end fared.
struct Fared {
  std::optional<Result<void>> handshake;
  Heard heard;
  bool greeted() const { return handshake && *handshake; }
  Errc code() const { return handshake && !*handshake ? handshake->error().code : Errc::io; }
};

inline loop::Task<void> shake(tls::TlsStream& stream, Fared& fared) {
  auto shaking = stream.handshake(stream.reactor().now() + kPatience);
  auto outcome = co_await loop::attempt(std::move(shaking));
  fared.handshake = outcome;
}

// Shakes hands, says something and the end, and hears the other out meanwhile.
inline loop::Task<void> converse(loop::Scope& scope, tls::TlsStream& stream, std::string text, Fared& fared) {
  auto shaking = shake(stream, fared);
  co_await shaking;
  if (!*fared.handshake) co_return;
  scope.spawn(say(stream, std::move(text), true));
  auto hearing = hear(stream, fared.heard);
  co_await hearing;
}

// A server, which is ours and has the faults, and a client.
class TlsConversation {
 public:
  explicit TlsConversation(TlsSides& sides, const Manner& manner = {},
                           const std::string& name = "www.example.com",
                           const std::vector<std::string>& client_alpn = {},
                           const std::vector<std::string>& server_alpn = {})
      : network_(reactor_, manner) {
    auto pair = network_.pair("server");
    server = sides.server(std::move(pair.near), name, server_alpn);
    client = sides.client(std::move(pair.far), name, client_alpn);
  }

  /// Both shake hands. False if one is still at it after many turns, in each of which `step` passes.
  bool greet(Duration step = {}) {
    scope_->spawn(shake(*server, at_server));
    scope_->spawn(shake(*client, at_client));
    return turn([&] { return at_server.handshake && at_client.handshake; }, step);
  }
  /// Each says something, too; false if one never hears the end or an error.
  bool talk(const std::string& up, const std::string& down) {
    scope_->spawn(converse(*scope_, *server, down, at_server));
    scope_->spawn(converse(*scope_, *client, up, at_client));
    return turn([&] { return scope_->size() == 0; });
  }
  bool turn(const std::function<bool()>& done, Duration step = {}) {
    return turn_until(reactor_, clock_, done, 200'000, step);
  }
  Faults& faults() { return network_.faults(); }
  int live() const { return network_.live(); }
  loop::Scope& scope() { return *scope_; }
  /// Gives up all that is under way.
  void end() { scope_.reset(); }
  loop::Reactor& reactor() { return reactor_; }

 private:
  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  MemoryNetwork network_;

 public:
  std::unique_ptr<tls::TlsStream> server, client;
  Fared at_server, at_client;

 private:
  std::optional<loop::Scope> scope_{std::in_place, reactor_};
};

inline std::string long_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + " ";
  return text;
}

}  // namespace lockgate::stories
