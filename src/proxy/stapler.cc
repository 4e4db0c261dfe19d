#include "proxy/stapler.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "loop/scope.h"
#include "wire/http_head.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

using namespace std::chrono_literals;

constexpr const char* kAsking = "asking the responder";
constexpr WallTime kSecond = 1'000'000'000;
constexpr Duration kPatience = 10s;
constexpr std::size_t kMostOfAnswer = 64 * 1024;
constexpr std::size_t kPiece = 4096;
// Certificates by the hundreds are mostly one issuer's, and all of them are new at a start.
constexpr std::size_t kMostAtOnce = 8;
constexpr Duration kShortestPause = 1min, kLongestPause = 24h;
constexpr Duration kFirstRetry = 1min, kLastRetry = 1h;

Error refusal(Errc code, Detail detail = {}) {
  return {.code = code, .side = Side::upstream, .detail = detail, .doing = kAsking};
}

// HTTP/1.0, in which an answer ends with its length or the connection, and has no other coding.
std::string request_to(const tls::Responder& responder, const std::vector<std::byte>& question) {
  return fmt::format(
      "POST {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/ocsp-request\r\n"
      "Accept: application/ocsp-response\r\nContent-Length: {}\r\n\r\n{}",
      responder.target, responder.authority(), question.size(), as_text(question));
}

// How long the body is, if the head says so.
Result<std::optional<std::size_t>> length_of(const wire::ResponseHead& head) {
  if (head.status != 200)
    return std::unexpected(
        refusal(Errc::refused, {DetailKind::http_status, static_cast<std::int16_t>(head.status)}));
  if (head.field("transfer-encoding")) return std::unexpected(refusal(Errc::bad_message));
  auto field = head.field("content-length");
  if (!field) return std::optional<std::size_t>();
  std::size_t length = 0;
  auto [end, error] = std::from_chars(field->data(), field->data() + field->size(), length);
  if (error != std::errc() || end != field->data() + field->size())
    return std::unexpected(refusal(Errc::bad_message));
  if (length > kMostOfAnswer) return std::unexpected(refusal(Errc::too_large));
  return length;
}

// The body of what was heard so far; nothing as long as more has to come. `ended` if nothing will.
std::optional<Result<std::string>> body_of(Bytes heard, bool ended) {
  auto head = wire::parse_response_head(heard);
  if (!head)
    return ended ? std::optional(Result<std::string>(std::unexpected(refusal(Errc::closed)))) : std::nullopt;
  if (!*head) return std::unexpected(refusal(head->error().code));
  auto length = length_of(**head);
  if (!length) return std::unexpected(length.error());
  auto body = as_text(heard.subspan((*head)->size));
  if (*length && body.size() >= **length) return std::string(body.substr(0, **length));
  if (!ended) return {};
  if (*length) return std::unexpected(refusal(Errc::closed));
  return std::string(body);
}

Task<std::string> hear(net::Stream& stream, Instant deadline) {
  std::vector<std::byte> heard;
  bool ended = false;
  for (;;) {
    if (auto body = body_of(heard, ended)) {
      if (!*body) co_await loop::fail(body->error());
      co_return std::move(**body);
    }
    if (heard.size() >= kMostOfAnswer) co_await loop::fail(refusal(Errc::too_large));
    std::size_t known = heard.size();
    heard.resize(std::min(known + kPiece, kMostOfAnswer));
    auto reading = net::read(stream, Room(heard).subspan(known), deadline);
    std::size_t size = co_await reading;
    heard.resize(known + size);
    ended = size == 0;
  }
}

}  // namespace

// One certificate, asked about for as long as it is in use.
class Stapler::Kept {
 public:
  Kept(Stapler& stapler, const tls::Stapled& stapled)
      : stapler_(stapler), stapled_(stapled), scope_(stapler.reactor_) {
    scope_.spawn(keep_forever());
  }

  void take(const tls::Stapled& stapled) {
    stapled_ = stapled;
    if (!has_answer()) try_again_.wake();
  }
  bool has_answer() const { return good_until_ > stapler_.reactor_.wall(); }

 private:
  Instant now() const { return stapler_.reactor_.now(); }

  Task<void> keep_forever() {
    Duration retry = kFirstRetry;
    for (;;) {
      auto renewing = renew();
      bool renewed = co_await renewing;
      Duration pause = retry;
      if (renewed) {
        pause = std::clamp(left() / 2, kShortestPause, kLongestPause);
        retry = kFirstRetry;
      } else {
        retry = std::min(retry * 2, kLastRetry);
      }
      auto waiting = wait(pause);
      co_await waiting;
    }
  }

  /// Until the answer expires; may be negative.
  Duration left() const { return Duration(good_until_ - stapler_.reactor_.wall()); }

  /// Takes the answer back if it expires meanwhile.
  Task<void> wait(Duration pause) {
    Instant next = now() + pause;
    if (good_until_ != 0 && left() < pause) {
      loop::Sleep expiring(stapler_.reactor_, now() + std::max(left(), Duration::zero()));
      co_await expiring;
      take_back("its answer has expired");
    }
    loop::Wait trying(stapler_.reactor_, try_again_, next);
    co_await trying;
  }

  /// Whether there is a new answer.
  Task<bool> renew() {
    auto waiting = stapler_.turns_.take();
    loop::Turns::Turn turn = co_await waiting;
    tls::Stapled asked = stapled_;  // a reload may change ours
    auto asking = ask(asked);
    auto answer = co_await loop::attempt(std::move(asking));
    if (!answer) {
      tell_failed(words(answer.error()));
      co_return false;
    }
    const tls::Identity& identity = *asked.identity;
    auto until = tls::check_ocsp_response(as_bytes(*answer), identity.certificate.get(),
                                          tls::issuer_in_chain(identity), stapler_.reactor_.wall());
    if (!until) {
      if (until.error().revoked) take_back("its issuer has revoked it");
      tell_failed(until.error().why);
      co_return false;
    }
    good_until_ = *until;
    tell_renewed();
    stapler_.deliver_(stapled_, std::make_shared<const tls::Staple>(std::move(*answer), good_until_));
    co_return true;
  }

  Task<std::string> ask(const tls::Stapled& asked) {
    auto resolver = stapler_.resolver_;  // stays, whatever a reload brings
    auto resolving = resolver->addresses(asked.responder.host);
    net::Addresses found = co_await resolving;
    std::vector<SocketAddress> addresses;
    for (const Ip& ip : found.ips) addresses.emplace_back(ip, asked.responder.port);
    addresses = net::interleaved(addresses);
    Instant deadline = now() + kPatience;
    auto connecting = stapler_.connector_.connect(addresses, {}, deadline);
    net::Connected connected = co_await connecting;
    std::string request = request_to(
        asked.responder,
        tls::ocsp_request(asked.identity->certificate.get(), tls::issuer_in_chain(*asked.identity)));
    auto writing = net::write(*connected.stream, as_bytes(request), deadline);
    co_await writing;
    auto hearing = hear(*connected.stream, deadline);
    std::string answer = co_await hearing;
    co_return answer;
  }

  void tell_failed(const std::string& why) {
    bool known = std::exchange(failure_, why) == why;
    stapler_.journal_.tell(
        known ? config::LogLevel::debug : config::LogLevel::warning, 0, "",
        fmt::format("certificate {}: no OCSP answer from {}: {}; {}", stapled_.name, stapled_.responder.url(),
                    why, has_answer() ? "the last one stays in use" : "clients get none"));
  }

  void tell_renewed() {
    bool failed = !std::exchange(failure_, "").empty();
    stapler_.journal_.tell(failed ? config::LogLevel::info : config::LogLevel::debug, 0, "",
                           fmt::format("certificate {}: {} says that it is good, until {}", stapled_.name,
                                       stapled_.responder.url(), tls::date_and_time(good_until_ / kSecond)));
  }

  void take_back(const char* why) {
    if (std::exchange(good_until_, 0) == 0) return;
    stapler_.journal_.tell(config::LogLevel::warning, 0, "",
                           fmt::format("certificate {} is shown without OCSP: {}", stapled_.name, why));
    stapler_.deliver_(stapled_, std::make_shared<const tls::Staple>());
  }

  Stapler& stapler_;
  tls::Stapled stapled_;
  WallTime good_until_ = 0;  // of what was delivered last; 0 if that is nothing
  std::string failure_;      // of the last try, as it was told
  loop::WaitSlot try_again_;
  loop::Scope scope_;
};

Stapler::Stapler(loop::Reactor& reactor, net::Connector& connector, Journal& journal, Deliver deliver)
    : reactor_(reactor),
      connector_(connector),
      journal_(journal),
      deliver_(std::move(deliver)),
      turns_(reactor, kMostAtOnce) {}

Stapler::~Stapler() = default;

void Stapler::take(const std::map<std::string, tls::Stapled>& stapled,
                   std::shared_ptr<net::Resolver> resolver) {
  resolver_ = std::move(resolver);
  std::erase_if(kept_, [&](const auto& entry) { return !stapled.contains(entry.first); });
  for (const auto& [fingerprint, one] : stapled) {
    auto& kept = kept_[fingerprint];
    if (kept)
      kept->take(one);
    else
      kept = std::make_unique<Kept>(*this, one);
  }
}

bool Stapler::has_answer(const std::string& fingerprint) const {
  auto kept = kept_.find(fingerprint);
  return kept != kept_.end() && kept->second->has_answer();
}

}  // namespace lockgate::proxy
