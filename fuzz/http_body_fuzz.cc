// Any bytes, read as a body of each framing, give the same pieces together in whatever pieces they arrive,
// and leave the same behind; and what was read, written again to a peer that takes little at a time, is read
// again as the same.
//
// Three bytes tell framing and length, the size of the pieces, and how the sender ends.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "http/body1.h"
#include "http/made_stream.h"
#include "http/send1.h"

namespace lockgate::http {
namespace {

using wire::Framing;

constexpr Duration kPatience = std::chrono::seconds(1);
constexpr int kMostTurns = 4;

enum class Ends : std::uint8_t { not_at_all, completely, truncated, broken };

struct Sent {
  Framing framing;
  Ends ends = Ends::not_at_all;
  std::string_view text;
};

/// What came of a body.
struct Heard {
  std::optional<Errc> error;
  std::string data, trailers, behind;
  bool operator==(const Heard&) const = default;
};

struct Place {
  ManualClock clock;
  loop::Reactor reactor{clock};
  net::Buffers buffers;
  Desk desk{buffers};
};

template <class T>
Result<T> outcome_of(loop::Task<T> task, Place& place) {
  task.start();
  for (int turns = 0; !task.finished() && turns < kMostTurns; ++turns) place.reactor.turn(Duration::zero());
  if (!task.finished()) place.clock.advance(2 * kPatience);
  for (int turns = 0; !task.finished() && turns < kMostTurns; ++turns) place.reactor.turn(Duration::zero());
  CHECK(task.finished());
  return task.outcome();
}

std::string all_that_is_left(MadeStream& stream, Receiver1& receiver) {
  while (stream.readable()) {
    auto arrived = receiver.try_more();
    receiver.keep();
    if (!arrived || arrived->bytes == 0) break;
  }
  return std::string(as_text(receiver.view()));
}

Heard hear(const Sent& sent, std::size_t most) {
  Place place;
  MadeStream stream(place.reactor);
  stream.most = most;
  stream.come(sent.text);
  if (sent.ends == Ends::completely) stream.come_to_end();
  if (sent.ends == Ends::truncated) stream.come_to_end(net::Ending::truncated);
  if (sent.ends == Ends::broken) stream.break_off();
  Receiver1 receiver(stream, place.buffers);
  Body1 body;
  body.begin(sent.framing);
  Heard heard;
  for (bool last = body.ended(); !last;) {
    auto piece = outcome_of(read_piece(receiver, body, place.clock.now() + kPatience), place);
    if (!piece) return {.error = piece.error().code};
    CHECK(piece->last || !piece->bytes.empty());
    heard.data += as_text(piece->bytes);
    last = piece->last;
    CHECK(body.ended() == last && body.bytes() == heard.data.size());
    Room scratch = place.buffers.scratch();
    std::ranges::fill(scratch.first(std::min(scratch.size(), sent.text.size())),
                      std::byte{'?'});  // as others do
  }
  for (const auto& field : body.trailers())
    heard.trailers.append(field.name).append(": ").append(field.value).append("\n");
  heard.behind = all_that_is_left(stream, receiver);
  return heard;
}

Fields::List fields_of(std::string_view text) {
  Fields::List fields;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    auto colon = line.find(':');
    fields.push_back({.name = line.substr(0, colon), .value = line.substr(colon + 2)});
    text.remove_prefix(line.size() + 1);
  }
  return fields;
}

/// The same body as we write it, in pieces of so many bytes, to somebody who takes as many at a time.
std::string written(const Heard& heard, BodyForm form, std::size_t most) {
  Place place;
  MadeStream stream(place.reactor);
  Sender1 sender(stream, place.desk);
  Fields::List trailers = fields_of(heard.trailers);
  sender.begin(form, heard.data.size());
  if (form == BodyForm::chunked) sender.add_trailers(trailers);
  Bytes left = as_bytes(heard.data);
  for (bool last = false; !last;) {
    stream.take(most);
    Piece piece{.bytes = left.first(std::min(left.size(), most))};
    left = left.subspan(piece.bytes.size());
    last = piece.last = left.empty();
    auto done = sender.write(piece);
    CHECK(done);
    if (*done) continue;
    auto draining = sender.drain(kPatience);
    draining.start();
    while (!draining.finished()) {
      stream.take(most);
      place.reactor.turn(Duration::zero());
    }
    CHECK(draining.outcome());
  }
  CHECK(sender.ended() && sender.bytes() == heard.data.size());
  return stream.out;
}

void play(const Sent& sent, std::size_t most) {
  Heard whole = hear(sent, SIZE_MAX);
  CHECK(hear(sent, most) == whole && hear(sent, 1) == whole);
  if (whole.error) return;
  bool chunked = sent.framing.body == Framing::Body::chunked;
  std::string again = written(whole, chunked ? BodyForm::chunked : BodyForm::sized, most);
  Framing framing = sent.framing;
  if (!chunked) framing = {.body = Framing::Body::sized, .length = whole.data.size()};
  again += whole.behind;
  CHECK(hear({.framing = framing, .ends = Ends::not_at_all, .text = again}, most) == whole);
}

}  // namespace
}  // namespace lockgate::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  using Body = wire::Framing::Body;
  if (size < 3) return 0;
  unsigned how = bytes[0];
  http::Sent sent{.ends = static_cast<http::Ends>(bytes[2] & 3),
                  .text = as_text(Bytes(reinterpret_cast<const std::byte*>(bytes) + 3, size - 3))};
  constexpr Body kBodies[]{Body::chunked, Body::sized, Body::until_close, Body::chunked};
  sent.framing.body = kBodies[how & 3];
  if (sent.framing.body == Body::sized) sent.framing.length = how >> 2;
  http::play(sent, bytes[1] + std::size_t{1});
  return 0;
}
