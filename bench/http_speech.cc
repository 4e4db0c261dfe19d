#include "http_speech.h"

#include <map>
#include <vector>

#include "failure.h"
#include "websocket.h"

namespace lockgate::bench {
namespace {

constexpr std::string_view kCookie = "session=Zm9vYmFyYmF6cXV4; theme=light; consent=1";
constexpr std::string_view kSignedIn = "/signed-in";  // paths whose requests say who asks
constexpr std::string_view kAuthorization = "Authorization: Basic amFuZTpzZWNyZXQ=\r\n";  // jane:secret
constexpr std::string_view kETag = "\"5f3c-61a2b9c4d7e80\"";
constexpr std::size_t kWithHead = 256UL * 1024;  // of a body, said in one piece with its head

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string answer_head(std::uint64_t size) {
  std::string head =
      "HTTP/1.1 200 OK\r\nDate: Mon, 06 Oct 2025 09:14:03 GMT\r\nServer: origin\r\n"
      "Content-Type: application/octet-stream\r\nContent-Length: ";
  head += std::to_string(size);
  head += "\r\nLast-Modified: Wed, 01 Oct 2025 16:20:00 GMT\r\nETag: ";
  head += kETag;
  return head += "\r\nCache-Control: max-age=60\r\nVary: Accept-Encoding\r\n\r\n";
}

/// Made once for each size: head and body, or as much of it as goes in one piece.
Answer answer_of(std::uint64_t size) {
  static std::map<std::uint64_t, std::vector<std::uint8_t>> made;
  const std::uint64_t with_head = std::min<std::uint64_t>(size, kWithHead);
  auto& first = made[size];
  if (first.empty()) {
    const auto head = answer_head(size);
    const auto body = pattern_from(0).first(with_head);
    first.assign(head.begin(), head.end());
    first.insert(first.end(), body.begin(), body.end());
  }
  return {.first = first, .from = with_head, .size = size - with_head};
}

}  // namespace

std::string browser_request(std::string_view target, std::string_view more) {
  std::string request = "GET ";
  request += target;
  request +=
      " HTTP/1.1\r\nHost: app.example.com\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
      "Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n"
      "Referer: https://app.example.com/start\r\nCookie: ";
  request += kCookie;
  request +=
      "\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\nPriority: u=4\r\n";
  request += more;
  return request += "\r\n";
}

std::span<const std::uint8_t> HttpAsker::ask(std::uint64_t size) {
  if (request_.empty() || size != size_) {
    const bool signs_in = path_.starts_with(kSignedIn);
    request_ = browser_request(path_ + "/" + std::to_string(size), signs_in ? kAuthorization : "");
  }
  size_ = size;
  received_ = 0;
  in_body_ = false;
  return bytes_of(request_);
}

bool HttpAsker::hear(std::span<const std::uint8_t> bytes) {
  if (!in_body_) {
    const auto read = heads_.take(bytes);
    if (!read) return false;
    read_head(read->head);
    in_body_ = true;
    bytes = read->rest;
  }
  if (!chunks_) {
    take_body(bytes);
    return received_ == size_;
  }
  for (auto piece = chunks_->next(bytes); !piece.empty(); piece = chunks_->next(bytes)) take_body(piece);
  if (!bytes.empty()) fail("client: bytes behind the last chunk");
  if (chunks_->finished() && received_ != size_) fail("client: fewer bytes than the answer has");
  return chunks_->finished();
}

void HttpAsker::read_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 200 ")) fail("client: not the answer", first_line(head));
  std::optional<std::uint64_t> length;
  bool etag = false;
  chunks_.reset();
  for_each_field(head, [&](std::string_view name, std::string_view value) {
    if (is_name(name, "content-length")) length = number_in(value);
    if (is_name(name, "transfer-encoding")) chunks_.emplace();
    if (is_name(name, "etag")) etag = value == kETag;
    if (is_name(name, "connection") && is_name(value, "close"))
      fail("client: the connection is to be closed");
  });
  if (!etag) fail("client: changed fields");
  if (length.has_value() == chunks_.has_value()) fail("client: not one length of the body");
  if (length && *length != size_) fail("client: another length of the body");
}

void HttpAsker::take_body(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > size_ - received_) fail("client: more bytes than the answer has");
  if (!is_pattern(bytes, received_)) fail("client: a changed answer");
  received_ += bytes.size();
}

std::optional<Answer> HttpAnswerer::hear(std::span<const std::uint8_t> bytes) {
  if (upgraded_) return upgraded_->hear(bytes);
  const auto read = heads_.take(bytes);
  if (!read) return std::nullopt;
  if (!read->rest.empty()) fail("origin: bytes behind a request");
  const std::string_view line = first_line(read->head);
  constexpr std::string_view kVersion = " HTTP/1.1";
  if (!line.starts_with("GET /") || !line.ends_with(kVersion)) fail("origin: another request", line);
  bool told = false;
  bool cookie = false;
  bool upgrade = false;
  for_each_field(read->head, [&](std::string_view name, std::string_view value) {
    if (is_name(name, "cookie")) cookie = value == kCookie;
    if (is_name(name, "x-forwarded-for")) told = value == "127.0.0.1";
    if (is_name(name, "sec-websocket-key")) upgrade = value == kWebSocketKey;
  });
  if (!cookie) fail("origin: changed fields");
  if (!told) fail("origin: not told who the client is");
  if (upgrade) {
    upgraded_ = std::make_unique<WebSocketEcho>();
    return Answer{.first = bytes_of(kWebSocketAnswer)};
  }
  const std::string_view target = line.substr(0, line.size() - kVersion.size());
  return answer_of(number_in(target.substr(target.rfind('/') + 1)));
}

}  // namespace lockgate::bench
