#include "net/relay.h"

namespace lockgate::net {

Relay::Relay(AnyStream client, AnyStream upstream, Buffers& buffers, const RelayTimeouts& timeouts,
             RelayOwner& owner)
    : reactor_(client->reactor()),
      owner_(owner),
      timeouts_(timeouts),
      client_(std::move(client)),
      upstream_(std::move(upstream)),
      up_(*client_, Side::client, *upstream_, Side::upstream, buffers),
      down_(*upstream_, Side::upstream, *client_, Side::client, buffers),
      last_moved_(reactor_.now()) {}

void Relay::begin(Bytes header, Bytes first, Bytes early) {
  up_.send_first(header, first);
  down_.send_first({}, early);
  client_->set_owner(this);
  upstream_->set_owner(this);
  reactor_.start(timer_, deadline());
  reactor_.enqueue(*this);
}

void Relay::cut(Errc why, const char* doing) {
  stop({.code = why, .doing = doing});
  reactor_.enqueue(*this);
}

void Relay::run() {
  if (over_) return;  // the owner keeps it for a while
  if (up_.finished()) down_.leave_end_to_close();
  if (down_.finished()) up_.leave_end_to_close();
  bool going = !end_.error && pump(up_) && pump(down_);
  if (going && timer_.expired()) tire();
  over_ = end_.error || (up_.finished() && down_.finished());
  if (!over_) return;
  RelayEnd end = end_;
  owner_.relay_ended(end);
}

// False once the relay is over.
bool Relay::pump(Flow& flow) {
  bool open = !up_.sender_ended() && !down_.sender_ended();
  auto more = flow.pump();
  if (flow.take_moved()) last_moved_ = reactor_.now();
  if (!more) {
    stop(more.error());
    return false;
  }
  if (*more) reactor_.enqueue(*this);
  if (open && flow.sender_ended()) {
    end_.by = &flow == &up_ ? Side::client : Side::upstream;
    reactor_.start(timer_, deadline());
  }
  return true;
}

// The timer is not moved with every byte: it looks, when it fires, how long nothing has moved.
void Relay::tire() {
  if (reactor_.now() < deadline()) return reactor_.start(timer_, deadline());
  stop({.code = Errc::timed_out, .doing = "relaying"});
}

void Relay::stop(const Error& error) {
  end_ = {error, error.side};
  client_->abort();
  upstream_->abort();
}

Instant Relay::deadline() const {
  Duration patience = up_.sender_ended() || down_.sender_ended() ? timeouts_.half_closed : timeouts_.idle;
  return patience > Duration::zero() ? last_moved_ + patience : kNever;
}

}  // namespace lockgate::net
