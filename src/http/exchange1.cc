#include "http/exchange1.h"

#include <algorithm>

namespace lockgate::http {

using loop::Task;

namespace {

constexpr const char* kReading = "reading the request";

Error with_status(Error error, int status) {
  if (error.detail.kind == DetailKind::none)
    error.detail = {DetailKind::http_status, static_cast<std::int16_t>(status)};
  return error.on(Side::client);
}

}  // namespace

Exchange1::Exchange1(Server1& server)
    : server_(server), memory_(server.desk_.take_memory()), sent_before_(server.sender_.bytes()) {
  server.exchange_ = this;
}

Exchange1::~Exchange1() {
  server_.exchange_ = nullptr;
  server_.bytes_received_ += body_.bytes();
  server_.desk_.give_memory(std::move(memory_));
}

Task<bool> Exchange1::receive() {
  Instant deadline = server_.stream_->reactor().now() + server_.options_.head_timeout;
  auto gathering = gather_head(deadline);
  auto gathered = co_await loop::attempt(std::move(gathering));
  if (!gathered) {
    // Nor has the page that refuses it a body (RFC 9110, 9.3.2).
    bool heads = as_text(server_.receiver_.view()).starts_with("HEAD ");
    if (heads) memory_->request.method = "HEAD";
    co_await loop::fail(gathered.error());
  }
  if (left_) co_return false;
  auto taken = take_head();
  if (!taken) co_await loop::fail(with_status(taken.error(), 400));
  co_return true;
}

// A head is looked at again only when a line has ended, so that one byte at a time costs no more than one
// line at a time.
Task<void> Exchange1::gather_head(Instant deadline) {
  Receiver1& receiver = server_.receiver_;
  const wire::HeadLimits limits = limits_of(server_.options_);
  bool look = !receiver.empty();
  for (;;) {
    if (look || receiver.size() >= limits.bytes) {
      auto head = wire::read_request_head(receiver.view(), limits, server_.desk_.request_head);
      if (head && !*head) co_await loop::fail(with_status(head->error(), 400));
      if (head) co_return;
    }
    bool first = receiver.empty();
    auto waiting = receiver.more(deadline, kReading);
    auto arrived = co_await loop::attempt(std::move(waiting));
    bool slow = !arrived && arrived.error().code == Errc::timed_out;
    if (first && (!arrived || arrived->ended)) {  // whoever has asked for nothing is not answered
      if (!arrived && !slow) server_.refused_ = arrived.error().on(Side::client);
      left_ = true;
      co_return;
    }
    if (slow) co_await loop::fail(with_status(arrived.error(), 408));
    if (!arrived) co_await loop::fail(arrived.error().on(Side::client));
    if (arrived->ended)
      co_await loop::fail(Error{.code = Errc::closed, .side = Side::client, .doing = kReading});
    look = first || as_text(Bytes(receiver.view()).last(arrived->bytes)).contains('\n');
  }
}

Result<void> Exchange1::take_head() {
  const wire::RequestHead& head = server_.desk_.request_head;
  Request& request = memory_->request;
  request.scheme = server_.scheme_;
  takes_chunks_ = head.minor_version > 0;
  persists_ = wire::persists(head);
  if (!persists_) server_.closing_ = true;
  auto framing = take_request(head, request, memory_->arena);
  if (!framing) return std::unexpected(framing.error());
  server_.receiver_.consume(head.size);
  server_.receiver_.keep();
  body_.begin(*framing);
  body_begun_ = server_.stream_->reactor().now();
  received_ = true;
  if (server_.stream_->readable()) server_.look_soon();  // the client may have left already
  return {};
}

Task<Piece> Exchange1::read() {
  auto saying = say_continue();
  co_await saying;
  auto reading = read_piece(server_.receiver_, body_, body_deadline());
  auto piece = co_await loop::attempt(std::move(reading));
  if (piece) co_return *piece;
  co_await loop::fail(fail_body(piece.error()));
  std::unreachable();
}

Result<std::optional<Piece>> Exchange1::read_now() {
  auto piece = body_.next(server_.receiver_);
  server_.receiver_.keep();
  if (!piece) return std::unexpected(fail_body(piece.error()));
  return piece;
}

// Nobody knows where a next request would begin.
Error Exchange1::fail_body(const Error& error) {
  server_.closing_ = true;
  switch (error.code) {
    case Errc::timed_out:
      return with_status(error, 408);
    case Errc::too_large:
      return with_status(error, 431);
    case Errc::bad_message:
      return with_status(error, 400);
    default:
      return error.on(Side::client);
  }
}

void Exchange1::leave_body() {
  while (!body_.ended() && !server_.closing_) {
    auto piece = read_now();
    if (piece && !*piece) server_.closing_ = true;
  }
}

// A body that comes too slowly has less time for its next part than one that merely pauses.
Instant Exchange1::body_deadline() const {
  const config::HttpServer& options = server_.options_;
  Instant deadline = server_.stream_->reactor().now() + options.body_timeout;
  if (options.body_rate == 0) return deadline;
  auto seconds = std::chrono::duration<double>(static_cast<double>(body_.bytes()) / options.body_rate);
  auto due = options.body_timeout + std::chrono::duration_cast<Duration>(seconds);
  return std::min(deadline, body_begun_ + due);
}

Task<void> Exchange1::say_continue() {
  if (may_continue_ || responded_ || !memory_->request.wants_continue || body_.bytes() > 0) co_return;
  Response go_on;
  go_on.status = 100;
  go_on.reason = reason_of(go_on.status);
  auto informing = inform(go_on);
  co_await informing;
}

Task<void> Exchange1::inform(const Response& interim) {
  if (memory_->request.minor_version == 0) co_return;     // RFC 9110, 15.2
  if (may_continue_ && interim.status == 100) co_return;  // it was told already
  may_continue_ = may_continue_ || interim.status == 100;
  std::string& out = server_.desk_.out;
  out.clear();
  write_response(interim, {}, out);
  server_.sender_.begin(BodyForm::none, 0);
  auto sent = server_.sender_.send(out, {.bytes = {}, .last = true});
  if (!sent) co_await loop::fail(sent.error().on(Side::client));
  if (*sent) co_return;
  auto draining = drain();
  co_await draining;
}

Error Exchange1::why_broken_off() const {
  constexpr Error kLeft{.code = Errc::closed, .side = Side::client, .doing = "waiting for the answer"};
  return server_.broken_off_.value_or(kLeft);
}

// RFC 9112, 6.3 and 9.3. What is complete with its first piece needs no chunks.
HeadForm Exchange1::form_of(const Response& answer, Piece first) {
  HeadForm form;
  auto length = answer.length;
  if (answer.has_body && !length && first.last && !server_.sender_.has_trailers())
    length = first.bytes.size();
  bool tells_length = length && answer.status >= 200 && answer.status != 204;
  if (tells_length)
    form = {.body = BodyForm::sized, .length = *length};
  else if (answer.has_body)
    form = {.body = takes_chunks_ ? BodyForm::chunked : BodyForm::until_close};
  if (form.body == BodyForm::until_close) server_.closing_ = true;
  // A client that was not told to go on may send its body or not (RFC 9110, 10.1.1).
  bool unsure = memory_->request.wants_continue && !may_continue_ && body_.bytes() == 0 && !body_.ended();
  if (unsure) server_.closing_ = true;
  form.close = server_.closing_;
  form.keep_alive = !server_.closing_ && memory_->request.minor_version == 0;
  return form;
}

Task<void> Exchange1::respond(const Response& answer, Piece first) {
  responded_ = true;
  HeadForm form = form_of(answer, first);
  std::string& out = server_.desk_.out;
  out.clear();
  write_response(answer, form, out);
  server_.sender_.begin(answer.has_body ? form.body : BodyForm::none, form.length);
  auto sent = server_.sender_.send(out, first);
  if (!sent) co_await loop::fail(sent.error().on(Side::client));
  if (*sent) co_return;
  auto draining = drain();
  co_await draining;
}

Task<void> Exchange1::write(Piece piece) {
  auto written = server_.sender_.write(piece);
  if (!written) co_await loop::fail(written.error().on(Side::client));
  if (*written) co_return;
  auto draining = drain();
  co_await draining;
}

Task<void> Exchange1::drain() {
  auto draining = server_.sender_.drain(server_.options_.body_timeout);
  auto drained = co_await loop::attempt(std::move(draining));
  if (!drained) co_await loop::fail(drained.error().on(Side::client));
}

void Exchange1::add_trailers(const Fields::List& trailers) {
  if (memory_->request.takes_trailers) server_.sender_.add_trailers(trailers);
}

void Exchange1::switch_to(net::AnyStream upstream, Bytes early, Duration patience) {
  Bytes ahead = server_.receiver_.view();
  server_.switched_.emplace(Switched{.client = nullptr,
                                     .upstream = std::move(upstream),
                                     .from_client = {ahead.begin(), ahead.end()},
                                     .from_upstream = {early.begin(), early.end()},
                                     .patience = patience});
}

}  // namespace lockgate::http
