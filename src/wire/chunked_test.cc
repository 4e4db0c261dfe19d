#include "wire/chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockgate::wire {
namespace {

using namespace std::string_literals;

constexpr ChunkLimits kLimits{.extensions = 20, .total_extensions = 30, .trailers = 40, .trailer_fields = 2};

Room room_of(std::string& text) { return {reinterpret_cast<std::byte*>(text.data()), text.size()}; }

/// What came of a body.
struct Read {
  std::string outcome;  // "ended", "more" or the name of the error
  std::string data;
  std::size_t consumed = 0;
  std::string trailers;
  bool operator==(const Read&) const = default;
};

/// `body` arrives in two pieces, and then in pieces of `piece` bytes.
Read read_in_pieces(std::string_view body, std::size_t first, std::size_t piece,
                    const ChunkLimits& limits = kLimits) {
  ChunkedReader reader(limits);
  Read read;
  for (std::size_t at = 0, size = first; at < body.size() && !reader.ended(); at += size, size = piece) {
    std::string arrived(body.substr(at, size));
    auto progress = reader.read(room_of(arrived));
    if (!progress) {
      std::string again = "5\r\n";
      EXPECT_FALSE(reader.read(room_of(again)));
      EXPECT_EQ(again, "5\r\n");
      return {.outcome = std::string(name_of(progress.error().code))};
    }
    EXPECT_TRUE(progress->consumed == arrived.size() || reader.ended());
    EXPECT_EQ(arrived.substr(progress->consumed), body.substr(at, size).substr(progress->consumed));
    read.data += arrived.substr(0, progress->data);
    read.consumed += progress->consumed;
  }
  read.outcome = reader.ended() ? "ended" : "more";
  for (const auto& field : reader.trailers())
    read.trailers.append(field.name).append("=").append(field.value).append(";");
  return read;
}

/// Fed at every split point, and byte by byte, `body` gives the same.
Read read_of(const std::string& body, const ChunkLimits& limits = kLimits) {
  Read whole = read_in_pieces(body, body.size(), 1, limits);
  for (std::size_t first = 1; first < body.size(); ++first) {
    EXPECT_EQ(read_in_pieces(body, first, body.size(), limits), whole) << first << " of " << body;
  }
  EXPECT_EQ(read_in_pieces(body, 1, 1, limits), whole);
  EXPECT_EQ(read_in_pieces(body, 3, 3, limits), whole);
  return whole;
}

std::string outcome_of(const std::string& body) { return read_of(body).outcome; }

TEST(ChunkedReader, MovesTheDataOfAllChunksTogether) {
  auto read = read_of("5\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\n\r\nGET / HTTP/1.1\r\n");
  EXPECT_EQ(read.outcome, "ended");
  EXPECT_EQ(read.data, "hello, world");
  EXPECT_EQ(read.consumed, 5u + 10u - 5u + 6u + 11u + 5u);
  EXPECT_EQ(read.trailers, "");
}

TEST(ChunkedReader, MovesManyTinyChunksInPlace) {
  std::string data, body;
  for (int i = 0; i < 5000; ++i) {
    std::string piece(static_cast<std::size_t>(i % 3 + 1), static_cast<char>('a' + i % 26));
    data += piece;
    body.append(as_text(ChunkHead(piece.size()).bytes())).append(piece).append(kChunkEnd);
  }
  body += kLastChunk;
  const std::string next = "the next request";
  std::string arrived = body + next;
  ChunkedReader reader;
  auto progress = reader.read(room_of(arrived));
  ASSERT_TRUE(progress);
  EXPECT_TRUE(reader.ended());
  EXPECT_EQ(progress->consumed, body.size());
  EXPECT_EQ(arrived.substr(0, progress->data), data);
  EXPECT_EQ(arrived.substr(progress->consumed), next);
  for (std::size_t piece : {1U, 2U, 7U, 100U, 4096U}) {
    EXPECT_EQ(read_in_pieces(body, piece, piece).data, data) << piece;
  }
}

TEST(ChunkedReader, LeavesAloneWhatStandsRightAlready) {
  ChunkedReader reader;
  std::string head = "ffffffffffffffff\r\n", data(1000, 'x');
  ASSERT_TRUE(reader.read(room_of(head)));
  for (int i = 0; i < 3; ++i) {
    auto progress = reader.read(room_of(data));
    ASSERT_TRUE(progress);
    EXPECT_TRUE(progress->data == data.size() && progress->consumed == data.size());
  }
  EXPECT_EQ(data, std::string(1000, 'x'));
}

TEST(ChunkedReader, TakesNothingBehindTheEnd) {
  ChunkedReader reader;
  std::string body = "0\r\n\r\nx", nothing;
  EXPECT_EQ(reader.read(room_of(body))->consumed, 5u);
  EXPECT_EQ(reader.read(room_of(body))->consumed, 0u);
  EXPECT_EQ(reader.read(room_of(nothing))->consumed, 0u);
}

struct Case {
  const char* rule;
  std::string body;
  std::string outcome;
};
const std::string kEnd = "\r\n0\r\n\r\n";

TEST(ChunkedReader, HoldsSizesToTheirGrammar) {
  const std::vector<Case> cases = {
      {"9112, 7.1: a size and its data", "1\r\na" + kEnd, "ended"},
      {"9112, 7.1: digits in both cases", "aA\r\n" + std::string(0xaa, 'x') + kEnd, "ended"},
      {"9112, 7.1: zeros before", "0000000000000001\r\na" + kEnd, "ended"},
      {"9112, 7.1: many zeros end it as well", "0000000000000000\r\n\r\n", "ended"},
      {"64 bits and no more digits", "00000000000000001\r\na" + kEnd, "bad_message"},
      {"17 zeros", "00000000000000000\r\n\r\n", "bad_message"},
      {"the largest size", "ffffffffffffffff\r\nabc", "more"},
      {"more than 64 bits", "10000000000000000\r\nabc", "bad_message"},
      {"more than 64 bits that are 1 again", "10000000000000001\r\na" + kEnd, "bad_message"},
      {"no size", "\r\na" + kEnd, "bad_message"},
      {"no size but an extension", ";a=b\r\na" + kEnd, "bad_message"},
      {"0x", "0x1\r\na" + kEnd, "bad_message"},
      {"h", "1h\r\na" + kEnd, "bad_message"},
      {"g is no digit", "g\r\na" + kEnd, "bad_message"},
      {"a plus", "+1\r\na" + kEnd, "bad_message"},
      {"a minus", "-1\r\na" + kEnd, "bad_message"},
      {"an underscore", "1_0\r\na" + kEnd, "bad_message"},
      {"a comma", "1,0\r\na" + kEnd, "bad_message"},
      {"a point", "1.0\r\na" + kEnd, "bad_message"},
      {"quotes", "\"1\"\r\na" + kEnd, "bad_message"},
      {"a space before", " 1\r\na" + kEnd, "bad_message"},
      {"a tab before", "\t1\r\na" + kEnd, "bad_message"},
      {"a space inside", "1 0\r\na" + kEnd, "bad_message"},
      {"a space behind", "1 \r\na" + kEnd, "bad_message"},
      {"a tab behind", "1\t\r\na" + kEnd, "bad_message"},
      {"an empty line before", "\r\n1\r\na" + kEnd, "bad_message"},
      {"NUL", "1\0\r\na"s + kEnd, "bad_message"},
      {"a vertical tab", "1\v\r\na" + kEnd, "bad_message"},
      {"not ASCII", "\xef\xbc\x91\r\na" + kEnd, "bad_message"},
      {"9112, 2.2: a bare LF", "1\na" + kEnd, "bad_message"},
      {"9112, 2.2: a bare CR", "1\ra" + kEnd, "bad_message"},
      {"CR CR LF", "1\r\r\na" + kEnd, "bad_message"},
      {"LF CR", "1\n\ra" + kEnd, "bad_message"},
      {"data without an end", "1\r\na0\r\n\r\n", "bad_message"},
      {"data longer than its size", "1\r\nab" + kEnd, "bad_message"},
      {"data shorter than its size", "2\r\na" + kEnd, "bad_message"},
      {"data that ends with LF", "1\r\na\n0\r\n\r\n", "bad_message"},
      {"data that ends with CR", "1\r\na\r0\r\n\r\n", "bad_message"},
      {"two line ends behind data", "1\r\na\r\n\r\n0\r\n\r\n", "bad_message"},
      {"a last chunk that ends with LF", "1\r\na\r\n0\n\n", "bad_message"},
      {"an end of LF", "0\r\n\n", "bad_message"},
      {"an end of CR", "0\r\n\rX", "bad_message"},
      {"data of line ends", "4\r\n\r\n\r\n" + kEnd, "ended"},
      {"nothing yet", "1", "more"},
  };
  for (const Case& one : cases) EXPECT_EQ(outcome_of(one.body), one.outcome) << one.rule;
}

TEST(ChunkedReader, HoldsExtensionsToTheirGrammar) {
  const std::vector<Case> cases = {
      {"a name", "1;a\r\na" + kEnd, "ended"},
      {"a name and a value", "1;a=b\r\na" + kEnd, "ended"},
      {"several", "1;a=b;c;d=e\r\na" + kEnd, "ended"},
      {"white space where it may be", "1 ; a\t= b ;c\r\na" + kEnd, "ended"},
      {"of the last chunk", "0;a=b\r\n\r\n", "ended"},
      {"a quoted value", "1;a=\"b;c=\xff\t\"\r\na" + kEnd, "ended"},
      {"an empty quoted value", "1;a=\"\"\r\na" + kEnd, "ended"},
      {"quotes inside of quotes", "1;a=\"\\\"\\\\\";b\r\na" + kEnd, "ended"},
      {"no name", "1;\r\na" + kEnd, "bad_message"},
      {"no name but a value", "1;=b\r\na" + kEnd, "bad_message"},
      {"an empty one between", "1;a;;b\r\na" + kEnd, "bad_message"},
      {"an empty value", "1;a=\r\na" + kEnd, "bad_message"},
      {"two values", "1;a=b=c\r\na" + kEnd, "bad_message"},
      {"no semicolon", "1 a=b\r\na" + kEnd, "bad_message"},
      {"two words", "1;a b\r\na" + kEnd, "bad_message"},
      {"two words as value", "1;a=b c\r\na" + kEnd, "bad_message"},
      {"white space at the end", "1;a \r\na" + kEnd, "bad_message"},
      {"white space behind a value", "1;a=b \r\na" + kEnd, "bad_message"},
      {"a quoted name", "1;\"a\"=b\r\na" + kEnd, "bad_message"},
      {"something behind quotes", "1;a=\"b\"c\r\na" + kEnd, "bad_message"},
      {"quotes that do not end", "1;a=\"b\r\na" + kEnd, "bad_message"},
      {"a line's end in quotes", "1;a=\"\r\n\"\r\na" + kEnd, "bad_message"},
      {"an escaped line's end", "1;a=\"\\\r\n\"\r\na" + kEnd, "bad_message"},
      {"not ASCII", "1;\xc3\xa9\r\na" + kEnd, "bad_message"},
      {"NUL in a name", "1;a\0\r\na"s + kEnd, "bad_message"},
      {"NUL in a value", "1;a=b\0\r\na"s + kEnd, "bad_message"},
      {"NUL in quotes", "1;a=\"\0\"\r\na"s + kEnd, "bad_message"},
      {"an escaped NUL", "1;a=\"\\\0\"\r\na"s + kEnd, "bad_message"},
      {"DEL in quotes", "1;a=\"\x7f\"\r\na" + kEnd, "bad_message"},
      {"a bare LF", "1;a\na" + kEnd, "bad_message"},
      {"a bare LF and a chunk behind it", "2;\nxx\r\n4c\r\n0\r\n\r\n", "bad_message"},
      {"a bare CR", "1;a\ra" + kEnd, "bad_message"},
      {"a bare CR in a value", "1;a=b\rc\r\na" + kEnd, "bad_message"},
      {"as long as may be", "1;a=45678901234567890\r\na" + kEnd, "ended"},
      {"too long", "1;a=456789012345678901\r\na" + kEnd, "too_large"},
      {"too much white space", "1" + std::string(21, ' ') + ";a\r\na" + kEnd, "too_large"},
      {"many short ones", "1;aaaaaaaaa\r\na\r\n1;aaaaaaaaa\r\na\r\n1;aaaaaaaaa\r\na" + kEnd, "ended"},
      {"too many", "1;aaaaaaaaa\r\na\r\n1;aaaaaaaaa\r\na\r\n1;aaaaaaaaaa\r\na" + kEnd, "too_large"},
      {"wrong before it is too long", "1;a=(5678901234567890123\r\na" + kEnd, "bad_message"},
  };
  for (const Case& one : cases) EXPECT_EQ(outcome_of(one.body), one.outcome) << one.rule;
}

TEST(ChunkedReader, HoldsTrailersToTheGrammarOfFields) {
  const std::vector<Case> cases = {
      {"a field", "0\r\nX: a\r\n\r\n", "ended"},
      {"two fields", "0\r\nX: a\r\nY:\tb \r\n\r\n", "ended"},
      {"an empty value", "0\r\nX:\r\n\r\n", "ended"},
      {"not all of them", "0\r\nX: a\r\n", "more"},
      {"half a line", "0\r\nX: a", "more"},
      {"no colon", "0\r\nX\r\n\r\n", "bad_message"},
      {"no name", "0\r\n: a\r\n\r\n", "bad_message"},
      {"a space before the colon", "0\r\nX : a\r\n\r\n", "bad_message"},
      {"a space before the name", "0\r\n X: a\r\n\r\n", "bad_message"},
      {"a folded line", "0\r\nX: a\r\n b\r\n\r\n", "bad_message"},
      {"a name that is no token", "0\r\nX(: a\r\n\r\n", "bad_message"},
      {"a bare LF", "0\r\nX: a\n\r\n", "bad_message"},
      {"a bare LF as the end", "0\r\nX: a\r\n\n", "bad_message"},
      {"a bare CR", "0\r\nX: a\rb\r\n\r\n", "bad_message"},
      {"a bare CR before the end", "0\r\nX: a\r\n\rX", "bad_message"},
      {"CR CR LF", "0\r\nX: a\r\r\n\r\n", "bad_message"},
      {"NUL", "0\r\nX: a\0\r\n\r\n"s, "bad_message"},
      {"DEL", "0\r\nX: \x7f\r\n\r\n", "bad_message"},
      {"another request", "0\r\nGET / HTTP/1.1\r\n\r\n", "bad_message"},
      {"too many fields", "0\r\nX:\r\nX:\r\nX:\r\n\r\n", "too_large"},
      {"those left out count, too", "0\r\nTE:\r\nTE:\r\nTE:\r\n\r\n", "too_large"},
      {"as long as may be", "0\r\nX: " + std::string(35, 'a') + "\r\n\r\n", "ended"},
      {"too long", "0\r\nX: " + std::string(36, 'a') + "\r\n\r\n", "too_large"},
      {"too long together", "0\r\nX: " + std::string(30, 'a') + "\r\nYY: b\r\n\r\n", "too_large"},
      {"too long before it ends", "0\r\n" + std::string(41, 'a'), "too_large"},
      {"wrong before it is too long", "0\r\nX\r\n" + std::string(50, 'a') + "\r\n\r\n", "bad_message"},
  };
  for (const Case& one : cases) EXPECT_EQ(outcome_of(one.body), one.outcome) << one.rule;
}

TEST(ChunkedReader, KeepsTrailersThatMayStandThere) {
  auto read = read_of("0\r\nX-Sum: \t1, 2 \r\netag: \"a\"\r\n\r\n");
  EXPECT_EQ(read.trailers, "X-Sum=1, 2;etag=\"a\";");
  for (auto name :
       {"Server-Timing", "grpc-status", "Content-Digest", "Repr-Digest", "X-Amz-Checksum-CRC32"}) {
    EXPECT_EQ(read_of("0\r\n" + std::string(name) + ": a\r\n\r\n").trailers, std::string(name) + "=a;");
  }
}

TEST(ChunkedReader, LeavesOutTrailersThatMayNot) {
  for (auto name : {"Transfer-Encoding",
                    "content-length",
                    "HOST",
                    "Connection",
                    "Keep-Alive",
                    "Proxy-Connection",
                    "Upgrade",
                    "TE",
                    "Trailer",
                    "Content-Type",
                    "Content-Encoding",
                    "Content-Range",
                    "Content-Location",
                    "Content-Language",
                    "Set-Cookie",
                    "Cookie",
                    "Authorization",
                    "Proxy-Authorization",
                    "WWW-Authenticate",
                    "Proxy-Authenticate",
                    "Cache-Control",
                    "Expect",
                    "Max-Forwards",
                    "Pragma",
                    "Range",
                    "If-Match",
                    "if-none-match",
                    "Age",
                    "Date",
                    "Expires",
                    "Location",
                    "Retry-After",
                    "Vary",
                    "Warning",
                    "Via",
                    "Forwarded",
                    "X-Forwarded-For",
                    "x-forwarded-prefix",
                    "X-Real-IP",
                    "Strict-Transport-Security",
                    "Access-Control-Allow-Origin"}) {
    auto read = read_of("0\r\n" + std::string(name) + ": 5\r\n\r\nX");
    EXPECT_EQ(read.outcome, "ended") << name;
    EXPECT_EQ(read.trailers, "") << name;
  }
}

TEST(ChunkedReader, MovesWithItsTrailers) {
  ChunkedReader reader(kLimits);
  std::string body = "0\r\nX: a\r\nETag: b\r\n\r\n";
  ASSERT_TRUE(reader.read(room_of(body)));
  body.assign(body.size(), '!');
  ChunkedReader moved = std::move(reader);
  reader = ChunkedReader(kLimits);
  ASSERT_EQ(moved.trailers().size(), 2u);
  EXPECT_EQ(moved.trailers()[0].name, "X");
  EXPECT_EQ(moved.trailers()[1].value, "b");
  EXPECT_EQ(moved.trailers()[1].id, FieldName::etag);
}

TEST(ChunkHead, IsASizeAndALineEnd) {
  EXPECT_EQ(as_text(ChunkHead(1).bytes()), "1\r\n");
  EXPECT_EQ(as_text(ChunkHead(0xabc0).bytes()), "abc0\r\n");
  EXPECT_EQ(as_text(ChunkHead(SIZE_MAX).bytes()), "ffffffffffffffff\r\n");
  EXPECT_EQ(ChunkHead(SIZE_MAX).size, 18u);
}

TEST(ChunkHeadDeathTest, IsNotForNothing) { EXPECT_DEATH(ChunkHead(0), "chunk > 0"); }

}  // namespace
}  // namespace lockgate::wire
