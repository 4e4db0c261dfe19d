// Whatever bytes come in place of a client, of a server, or of what two of them say to each other: every
// handshake ends, in a bounded memory; what is heard is what was said; and who peeked at the hello read in it
// what libssl reads.
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <climits>
#include <optional>

#include "allocated.h"
#include "base/check.h"
#include "loop/scope.h"
#include "meddler.h"
#include "proxy/greet.h"
#include "stories/memory_stream.h"
#include "tls_couple.h"

namespace lockgate::fuzz {
namespace {

using loop::Task;
using stories::Manner;
using tls::TlsStream;

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr std::size_t kMostMemory = 2 * 1024 * 1024;
// A turn in which nothing moves may still be one before something does.
constexpr int kQuietTurns = 8;
constexpr int kMostTurns = 2'000'000;
constexpr std::string_view kAhead = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";

enum class Scene : std::uint8_t { server_alone, client_alone, both };

/// What the head of an input asks for.
struct Wishes {
  Scene scene = Scene::both;
  bool peeks = false;  // the server, before TLS begins; a client alone has a header to say ahead
  bool seen = false;   // a client alone is begun with half of what the server says
  Stranger::Manners manners = Stranger::Manners::ends;
  bool resumes = false;  // the client has been here before
  std::size_t couple = 0;
  Manner manner = {};
  int fault = -1;  // the operation on the streams below that goes wrong
  bool blocks = false;
  int turns = 0;  // after which all is given up; 0: never
  std::string up = "up", down = "down";
  int times = 1;  // each step of an end is taken
};

std::string text_of_size(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + " ";
  text.resize(size);
  return text;
}

Manner manner_of(std::uint8_t byte) {
  constexpr std::array<std::size_t, 8> kPieces{SIZE_MAX, 1, 2, 5, 37, 700, 1400, 5000};
  constexpr std::array<std::size_t, 4> kCapacities{64 * 1024, 1, 100, 3000};
  return {.most_read = kPieces[byte & 7],
          .most_written = kPieces[byte >> 3 & 7],
          .capacity = kCapacities[byte >> 6]};
}

Wishes read_wishes(Script& script) {
  Wishes wishes;
  std::uint8_t flags = script.byte();
  wishes.scene = static_cast<Scene>(std::min(flags & 3, 2));
  wishes.peeks = (flags & 4) != 0;
  wishes.seen = (flags & 8) != 0;
  wishes.manners = static_cast<Stranger::Manners>(std::min(flags >> 4 & 3, 2));
  wishes.resumes = (flags & 64) != 0;
  wishes.blocks = (flags & 128) != 0;
  wishes.couple = script.byte() % couples().size();
  wishes.manner = manner_of(script.byte());
  wishes.fault = int{script.byte()} - 1;
  wishes.turns = script.byte();
  // Few bytes where each takes a turn of its own; elsewhere enough new keys for a flood.
  const Manner& manner = wishes.manner;
  std::size_t scale = std::min({std::size_t{64}, manner.most_read, manner.most_written, manner.capacity});
  wishes.up = text_of_size(scale * script.byte());
  wishes.down = text_of_size(scale * script.byte());
  wishes.times = scale == 64 ? 6 : 1;
  return wishes;
}

/// What an end does between its handshake and what it has to say.
enum class Move : std::uint8_t { update_key, ask_for_key, renegotiate, say_more, leave };
constexpr std::uint8_t kMoves = 5;

struct Step {
  Move move;
  int count;
};
constexpr std::size_t kMostSteps = 4;

/// A client or a server, and how it fared.
struct End {
  bool over() const { return greeting.has_value(); }
  bool greeted() const { return greeting && *greeting; }

  std::unique_ptr<TlsStream> stream;
  std::string text;  // that it says
  std::vector<Step> steps;
  std::optional<Result<void>> greeting;
  std::optional<wire::ClientHello> hello;  // as a server that peeked has read it
  int hellos = 0;                          // that libssl has read
  tls::Session session;
  std::string heard;
  std::optional<net::Ending> ended;
  bool left = false;
};

void count_hellos(int written, int, int type, const void* message, std::size_t size, SSL*, void* count) {
  bool hello = type == SSL3_RT_HANDSHAKE && size > 0 &&
               *static_cast<const unsigned char*>(message) == SSL3_MT_CLIENT_HELLO;
  if (written == 0 && hello) ++*static_cast<int*>(count);
}

Task<void> shake(End& end) {
  TlsStream& stream = *end.stream;
  auto shaking = stream.handshake(stream.reactor().now() + kPatience);
  auto shaken = co_await loop::attempt(std::move(shaking));
  end.greeting = shaken;
  if (shaken) end.session = stream.session();
  CHECK(stream.untrusted().empty() || (!shaken && shaken.error().code == Errc::untrusted));
}

Task<void> hear(net::Stream& stream, End& end) {
  std::array<std::byte, 4096> room{};
  while (!end.ended) {
    if (!stream.readable()) {
      loop::Wait wait(stream.reactor(), stream.reader(), kNever);
      co_await wait;
      continue;
    }
    auto arrived = stream.read_some(room);
    if (!arrived) co_return;
    CHECK(arrived->bytes > 0 || arrived->ended || !stream.readable());
    end.heard += as_text(Bytes(room).first(arrived->bytes));
    if (arrived->ended) end.ended = arrived->ending;
  }
}

// The end itself reads no answer meanwhile.
Task<void> renew_keys(TlsStream& stream, int answer, int count) {
  for (int i = 0; i < count; ++i) {
    if (!stream.writable()) {
      loop::Wait wait(stream.reactor(), stream.writer(), kNever);
      co_await wait;
    }
    if (SSL_key_update(&stream.ssl(), answer) == 1) SSL_do_handshake(&stream.ssl());
    (void)stream.write_some({});
  }
}

void renegotiate(TlsStream& stream) {
  SSL_clear_options(&stream.ssl(), SSL_OP_NO_RENEGOTIATION);
  if (SSL_renegotiate(&stream.ssl()) == 1) SSL_do_handshake(&stream.ssl());
  (void)stream.write_some({});
}

Task<void> take_step(End& end, Step step) {
  if (step.move == Move::update_key || step.move == Move::ask_for_key) {
    bool asks = step.move == Move::ask_for_key;
    auto renewing =
        renew_keys(*end.stream, asks ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED, step.count);
    co_await renewing;
  }
  if (step.move == Move::renegotiate) renegotiate(*end.stream);
  if (step.move == Move::say_more) end.text += text_of_size(static_cast<std::size_t>(step.count));
  end.left = step.move == Move::leave;
  if (end.left) end.stream->abort();
}

/// What one input, or the innocent conversation before it, makes of a couple.
class Play {
 public:
  Play(const Couple& couple, tls::ClientSide& side, Wishes wishes)
      : couple_(couple), side_(side), wishes_(std::move(wishes)), network_(reactor_, wishes_.manner) {
    client_.text = wishes_.up;
    server_.text = wishes_.down;
    if (wishes_.fault < 0) return;
    if (wishes_.blocks)
      network_.faults().block(wishes_.fault);
    else
      network_.faults().fail(wishes_.fault, {.code = Errc::reset, .doing = "a fault"});
  }

  /// The conversation takes place, and is judged.
  void server_alone(Bytes hostile);
  void client_alone(Bytes hostile);
  void both(Script script);

 private:
  Task<void> serve(net::AnyStream under);
  Task<void> call(net::AnyStream under, Bytes seen);
  Task<void> converse(End& end);
  Task<void> peek(net::Stream& under, std::vector<std::byte>& flight);
  void read_script(Script script);

  bool turn();
  void settle(int most);
  void settle_all();
  void end_all();
  bool given_up() const { return wishes_.turns > 0; }

  void check_hello() const;
  void check_heard(const End& speaker, const End& listener) const;
  void check_session() const;
  void check_all_well() const;

  const Couple& couple_;
  tls::ClientSide& side_;  // of the client
  Wishes wishes_;
  std::size_t at_first_ = allocated();
  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  stories::MemoryNetwork network_;
  End client_, server_;
  std::optional<Stranger> stranger_;
  std::optional<Meddler> meddler_;
  bool meddled_ = false;
  std::optional<loop::Scope> scope_{std::in_place, reactor_};
};

Task<void> Play::peek(net::Stream& under, std::vector<std::byte>& flight) {
  static net::Buffers buffers;
  config::Listener listener;
  proxy::ListenerPlan plan{.listener = &listener};
  proxy::Facts facts;
  auto greeting = proxy::greet(under, buffers, plan, flight, facts);
  auto greeted = co_await loop::attempt(std::move(greeting));
  if (!greeted) co_await loop::fail(greeted.error());
  server_.hello = std::move(greeted->hello);
}

Task<void> Play::serve(net::AnyStream under) {
  std::vector<std::byte> flight;
  if (wishes_.peeks) {
    auto peeking = peek(*under, flight);
    auto peeked = co_await loop::attempt(std::move(peeking));
    if (!peeked) server_.greeting = peeked;
    if (!peeked) co_return;
  }
  std::string name = server_.hello ? server_.hello->server_name : kName;
  server_.stream = std::make_unique<TlsStream>(
      std::move(under),
      TlsStream::Start{.ssl = couple_.server->answer(name),
                       .seen = flight,
                       .alpn = tls::alpn_list(std::array<std::string, 2>{"h2", "http/1.1"})},
      servers_quarters().scratch);
  SSL_set_msg_callback(&server_.stream->ssl(), count_hellos);
  SSL_set_msg_callback_arg(&server_.stream->ssl(), &server_.hellos);
  auto conversing = converse(server_);
  co_await conversing;
}

Task<void> Play::call(net::AnyStream under, Bytes seen) {
  std::string offered = tls::alpn_list(std::array<std::string, 2>{"imap", "http/1.1"});
  auto start = side_.call({.endpoint = "endpoint", .host = kName, .client_name = "", .client_alpn = offered});
  start.seen = seen;
  if (wishes_.scene == Scene::client_alone && wishes_.peeks) start.ahead = as_bytes(kAhead);
  client_.stream =
      std::make_unique<TlsStream>(std::move(under), std::move(start), clients_quarters().scratch);
  auto conversing = converse(client_);
  co_await conversing;
}

Task<void> Play::converse(End& end) {
  auto shaking = shake(end);
  co_await shaking;
  if (!*end.greeting) co_return;
  for (const Step& step : end.steps) {
    auto taking = take_step(end, step);
    co_await taking;
    if (end.left) co_return;
  }
  scope_->spawn(stories::say(*end.stream, end.text, true));
  auto hearing = hear(*end.stream, end);
  co_await hearing;
}

void Play::server_alone(Bytes hostile) {
  auto [near, far] = network_.pair("server");
  stranger_.emplace(std::move(far), hostile, wishes_.manners);
  scope_->spawn(serve(std::move(near)));
  settle_all();
  CHECK(given_up() || server_.over());
  check_hello();
  end_all();
}

void Play::client_alone(Bytes hostile) {
  auto [near, far] = network_.pair("client");
  Bytes seen = hostile.first(wishes_.seen ? hostile.size() / 2 : 0);
  stranger_.emplace(std::move(far), hostile.subspan(seen.size()), wishes_.manners);
  scope_->spawn(call(std::move(near), seen));
  settle_all();
  CHECK(given_up() || client_.over());
  if (wishes_.peeks) CHECK(kAhead.starts_with(stranger_->heard().substr(0, kAhead.size())));
  end_all();
}

void Play::both(Script script) {
  auto [client, beside_client] = network_.pair("client");
  auto [server, beside_server] = network_.pair("server");
  meddler_.emplace(std::move(beside_client), std::move(beside_server));
  read_script(script);
  scope_->spawn(serve(std::move(server)));
  scope_->spawn(call(std::move(client), {}));
  settle_all();
  CHECK(given_up() || (client_.over() && server_.over()));
  check_hello();
  check_heard(client_, server_);
  check_heard(server_, client_);
  check_session();
  check_all_well();
  end_all();
}

// Five bytes for each thing that goes wrong, and behind them those that it needs.
void Play::read_script(Script script) {
  while (!script.over()) {
    std::uint8_t what = script.byte(), deed = (what & 63) % (kDeeds + kMoves);
    bool up = (what & 128) != 0;
    Change change{
        .mends = (what & 64) != 0, .record = script.byte(), .at = script.two_bytes(), .value = script.byte()};
    if (deed >= kDeeds) {
      auto move = static_cast<Move>(deed - kDeeds);
      std::vector<Step>& steps = (up ? client_ : server_).steps;
      if (steps.size() < kMostSteps) steps.push_back({move, wishes_.times * change.value});
      meddled_ |= move != Move::say_more;
      continue;
    }
    change.deed = static_cast<Deed>(deed);
    bool needs = change.deed == Deed::insert || change.deed == Deed::overwrite || change.deed == Deed::inject;
    if (needs) change.bytes = as_text(script.take(change.value));
    (up ? meddler_->up() : meddler_->down()).plan(std::move(change));
    meddled_ = true;
  }
}

// True if anything happened.
bool Play::turn() {
  int before = network_.faults().counted();
  bool moved = meddler_ ? meddler_->pass() : stranger_->pass();
  reactor_.turn(Duration::zero());
  for (End* end : {&client_, &server_}) {
    if (end->left) end->stream.reset();
  }
  CHECK(allocated() <= at_first_ + kMostMemory);
  return moved || network_.faults().counted() != before;
}

// Turns until nothing happens any more.
void Play::settle(int most) {
  for (int turns = 0, quiet = 0; quiet < kQuietTurns && turns < most; ++turns) {
    quiet = turn() ? 0 : quiet + 1;
    CHECK(turns < kMostTurns);
  }
}

// Whoever waits for the other's part of the handshake then waits in vain.
void Play::settle_all() {
  settle(given_up() ? wishes_.turns : INT_MAX);
  if (given_up()) return;
  clock_.advance(2 * kPatience);
  settle(INT_MAX);
}

void Play::end_all() {
  scope_.reset();
  client_.stream.reset();
  server_.stream.reset();
  stranger_.reset();
  meddler_.reset();
  CHECK(network_.live() == 0);
}

// Once there are two hellos, the second may ask for something else.
void Play::check_hello() const {
  if (!server_.hello || !server_.stream || server_.hellos != 1) return;
  const wire::ClientHello& hello = *server_.hello;
  SSL* ssl = &server_.stream->ssl();
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name && SSL_session_reused(ssl) == 0) CHECK(hello.name_as_sent == name);
  if (!server_.greeted()) return;
  const tls::Session& session = server_.session;
  CHECK(session.version <= hello.version());
  CHECK(session.alpn.empty() || std::ranges::find(hello.alpn, session.alpn) != hello.alpn.end());
  std::uint16_t cipher = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
  CHECK(std::ranges::find(hello.cipher_suites, cipher) != hello.cipher_suites.end());
}

void Play::check_heard(const End& speaker, const End& listener) const {
  CHECK(speaker.text.starts_with(listener.heard));
  if (listener.ended == net::Ending::complete) CHECK(listener.heard == speaker.text);
}

void Play::check_session() const {
  if (!client_.greeted() || !server_.greeted()) return;
  const tls::Session &ours = server_.session, &theirs = client_.session;
  CHECK(ours.version == couple_.version && theirs.version == couple_.version);
  CHECK(ours.cipher == theirs.cipher && ours.alpn == theirs.alpn && ours.resumed == theirs.resumed);
  if (ours.resumed) return;
  CHECK(ours.group == theirs.group && ours.signature == theirs.signature);
  CHECK(ours.own_serial == theirs.peer_serial);
}

// What nobody meddled with succeeds.
void Play::check_all_well() const {
  if (meddled_ || given_up() || wishes_.fault >= 0) return;
  CHECK(client_.greeted() == (couple_.version != 0));
  if (!client_.greeted()) return;
  CHECK(server_.greeted() && client_.session.resumed == wishes_.resumes);
  CHECK(client_.ended == net::Ending::complete && server_.ended == net::Ending::complete);
}

void play(const Couple& couple, const Wishes& wishes, Script script) {
  repeat_random();
  auto client = couple.new_client();
  if (wishes.resumes) Play(couple, *client, {}).both(Script({}));
  Play play(couple, *client, wishes);
  switch (wishes.scene) {
    case Scene::server_alone:
      play.server_alone(script.rest());
      break;
    case Scene::client_alone:
      play.client_alone(script.rest());
      break;
    case Scene::both:
      play.both(script);
  }
  SSL_CTX_flush_sessions(SSL_get_SSL_CTX(couple.server->answer("").get()), 0);
}

// What libcrypto makes when it is first needed is not an input's doing.
bool warm_up() {
  for (const Couple& couple : couples()) {
    play(couple, {.peeks = true}, Script({}));
    play(couple, {.peeks = true, .resumes = true}, Script({}));
  }
  return true;
}

}  // namespace
}  // namespace lockgate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  static const bool warm = fuzz::warm_up();
  CHECK(warm);
  fuzz::Script script({reinterpret_cast<const std::byte*>(bytes), size});
  fuzz::Wishes wishes = fuzz::read_wishes(script);
  fuzz::play(fuzz::couples()[wishes.couple], wishes, script);
  return 0;
}
