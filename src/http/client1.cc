#include "http/client1.h"

#include "http/head1.h"

namespace lockgate::http {

using loop::Task;

namespace {

constexpr const char* kReading = "reading the answer";
constexpr std::size_t kMostFields = 256;
constexpr std::string_view kHttp1_0 = "HTTP/1.0";

}  // namespace

Client1::Client1(net::AnyStream stream, Desk& desk, Bytes early)
    : stream_(std::move(stream)), desk_(desk), receiver_(*stream_, desk.buffers), sender_(*stream_, desk) {
  receiver_.put(early);
}

void Client1::begin(const ClientForm& form) {
  form_ = form;
  answered_ = heard_ = stays_ = false;
}

Task<void> Client1::send(const Request& request, Piece first, Duration patience) {
  method_ = request.method;
  // What is said before it was asked for could be taken for the answer to another request. TLS has things of
  // its own to say.
  bool early = !receiver_.empty() || (stream_->plain_descriptor() >= 0 && stream_->readable());
  spoilt_ = spoilt_ || early;
  HeadForm form{.length = request.length.value_or(0),
                .close = !form_.keepalive,
                .keep_alive = form_.keepalive && form_.http1_0,
                .asks_continue = request.wants_continue && !form_.http1_0,
                .to_proxy = form_.to_proxy,
                .proxy_authorization = form_.proxy_authorization};
  if (form_.http1_0) form.protocol = kHttp1_0;
  if (request.has_body) form.body = request.length ? BodyForm::sized : BodyForm::chunked;
  std::string& out = desk_.out;
  out.clear();
  write_request(request, form, out);
  sender_.begin(form.body, form.length);
  auto sent = sender_.send(out, first);
  if (!sent) co_await loop::fail(sent.error().on(Side::upstream));
  if (*sent) co_return;
  auto draining = drain(patience);
  co_await draining;
}

Task<void> Client1::write(Piece piece, Duration patience) {
  auto written = sender_.write(piece);
  if (!written) co_await loop::fail(written.error().on(Side::upstream));
  if (*written) co_return;
  auto draining = drain(patience);
  co_await draining;
}

Task<void> Client1::drain(Duration patience) {
  auto draining = sender_.drain(patience);
  auto drained = co_await loop::attempt(std::move(draining));
  if (!drained) co_await loop::fail(drained.error().on(Side::upstream));
}

Task<void> Client1::receive(Response& answer, Arena& arena, Instant deadline) {
  const wire::HeadLimits limits{.bytes = form_.head_limit, .fields = kMostFields};
  wire::ResponseHead& head = desk_.response_head;
  for (;;) {
    if (!receiver_.empty()) {
      auto read = wire::read_response_head(receiver_.view(), limits, head);
      if (read && !*read) co_await loop::fail(read->error().on(Side::upstream));
      if (read) break;
    }
    auto waiting = receiver_.more(deadline, kReading);
    auto arrived = co_await loop::attempt(std::move(waiting));
    if (!arrived) co_await loop::fail(failed(arrived.error()));
    if (arrived->ended) co_await loop::fail(failed({.code = Errc::closed, .doing = kReading}));
    heard_ = true;
  }
  heard_ = true;
  answer.clear();
  auto framing = take_response(head, method_, answer, arena);
  if (!framing) co_await loop::fail(framing.error().on(Side::upstream));
  receiver_.consume(head.size);
  receiver_.keep();
  answered_ = head.status >= 200 || head.status == 101;
  if (!answered_) co_return;
  stays_ = form_.keepalive && wire::persists(head) && framing->body != wire::Framing::Body::until_close;
  body_.begin(*framing);
}

// What was given up has a side of its own; all else is the upstream's.
Error Client1::failed(Error error) const {
  if (error.side == Side::here) error.side = Side::upstream;
  error.retryable = !heard_ && error.side == Side::upstream;
  return error;
}

Task<Piece> Client1::read(Instant deadline) {
  auto reading = read_piece(receiver_, body_, deadline);
  auto piece = co_await loop::attempt(std::move(reading));
  if (piece) co_return *piece;
  co_await loop::fail(failed(piece.error()));
  std::unreachable();
}

Result<std::optional<Piece>> Client1::read_now() {
  auto piece = body_.next(receiver_);
  receiver_.keep();
  if (!piece) return std::unexpected(failed(piece.error()));
  return piece;
}

// Bytes behind the answer are none that we have asked for.
bool Client1::is_reusable() const {
  return stays_ && !spoilt_ && answered_ && body_.ended() && sender_.ended() && receiver_.empty() &&
         !stream_->broken();
}

net::AnyStream Client1::take_stream(std::vector<std::byte>& early) {
  Bytes said = receiver_.view();
  early.assign(said.begin(), said.end());
  return std::move(stream_);
}

}  // namespace lockgate::http
