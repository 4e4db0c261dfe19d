// For tests: a journal that forgets all it is told, and a network in which everybody refuses.
#pragma once
#include <utility>

#include "net/connect.h"
#include "proxy/house.h"

namespace lockgate::server {

class Nothing final : public proxy::Journal, public net::Connector {
 public:
  void line(std::uint16_t, std::string_view) override {}
  void tell(config::LogLevel, std::uint64_t, std::string_view, std::string_view) override {}
  bool wants(config::LogLevel, std::string_view) const override { return false; }
  loop::Task<net::Connected> connect(std::span<const SocketAddress>, net::SocketOptions, Instant) override {
    co_await loop::fail(Errc::refused, "connecting");
    std::unreachable();
  }
};

}  // namespace lockgate::server
