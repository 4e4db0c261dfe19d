#include "server/reception.h"

#include "net/listen.h"
#include "net/tcp.h"

namespace lockgate::server {

class Reception::Door {
 public:
  Door(Reception& reception, Fd fd) : fd_(std::move(fd)), acceptor_(reception, fd_.number()) {}

 private:
  class Acceptor final : public net::Acceptor {
   public:
    Acceptor(Reception& reception, int fd)
        : net::Acceptor(reception.reactor_, fd, /*shared=*/false), reception_(reception) {}

   private:
    void accepted(Fd fd, const SocketAddress& peer) override { reception_.accepted(std::move(fd), peer); }
    // A want of descriptors is told by the workers, who are the first to feel it.
    void accept_failed(const Error&) override {}

    Reception& reception_;
  };

  Fd fd_;  // outlives the acceptor
  Acceptor acceptor_;
};

Reception::Reception(loop::Reactor& reactor, std::size_t most, WhenFull when_full, Serve serve)
    : reactor_(reactor),
      most_(most),
      when_full_(when_full),
      serve_(std::move(serve)),
      connections_(reactor) {}

Reception::~Reception() = default;

void Reception::open(Fd listening) { doors_.push_back(std::make_unique<Door>(*this, std::move(listening))); }

void Reception::accepted(Fd fd, const SocketAddress& peer) {
  if (connections_.size() >= most_) {
    if (when_full_ == WhenFull::refuse) return;
    connections_.cancel_oldest();
  }
  auto stream = net::TcpStream::adopt(reactor_, std::move(fd));
  if (stream) connections_.spawn(serve_(std::move(*stream), peer));
}

}  // namespace lockgate::server
