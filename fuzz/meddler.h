// Whom an end of TLS can have to do with: a stranger, who says what the input holds, and a meddler, who
// stands between two ends and does to their records what the input says.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "net/stream.h"

namespace lockgate::fuzz {

/// An input, read from its front. Once it is used up, it holds zeros without end.
class Script {
 public:
  explicit Script(Bytes left) : left_(left) {}
  bool over() const { return left_.empty(); }
  std::uint8_t byte();
  std::size_t two_bytes();
  /// As many bytes as there still are of so many.
  Bytes take(std::size_t size);
  Bytes rest() { return take(left_.size()); }

 private:
  Bytes left_;
};

/// What can be done to a record, or in its place.
enum class Deed : std::uint8_t {
  flip,       // bits of a byte
  cut,        // some bytes are left out
  insert,     // bytes of the input are put between
  overwrite,  // with bytes of the input
  split,      // into two records, which before encryption is no offence
  twice,      // it comes twice
  drop,       // it does not come
  delay,      // it comes behind the next one
  again,      // an earlier one comes again behind it
  reflect,    // the other end's last one comes behind it
  inject,     // a record made of bytes of the input comes behind it
  end,        // the sender ends in the middle of it
  stall,      // neither it nor anything else comes
  reset,      // the connection breaks instead
};
inline constexpr std::uint8_t kDeeds = 14;

struct Change {
  Deed deed = Deed::flip;
  bool mends = false;      // lengths are made to fit what became of the record
  std::size_t record = 0;  // which one, counted from 0
  std::size_t at = 0;      // where in it
  std::uint8_t value = 0;
  std::string bytes = {};
};

/// One direction. All that comes is held until its record is whole.
class Lane {
 public:
  void plan(Change change) { changes_.push_back(std::move(change)); }
  /// Moves what there is; true if anything moved. `other` is the lane the other way.
  bool pass(net::Stream& from, net::Stream& to, const Lane& other);
  /// Both ends are to be told of a reset.
  bool is_reset() const { return reset_; }

 private:
  bool gather(net::Stream& from);
  void take_records(const Lane& other);
  void alter(std::string record, const Lane& other);
  void edit(const Change& change, std::string& record);
  void place(const Change& change, std::string& record, std::string& behind, const Lane& other);
  bool send(net::Stream& to);

  std::vector<Change> changes_;
  std::string gathered_, out_, delayed_;
  std::deque<std::string> passed_;  // the last few, as they came
  std::size_t count_ = 0;
  bool ended_ = false, stalled_ = false, reset_ = false;
  bool told_ = false;  // the receiver knows of the end, or is gone
};

/// Stands between a client and a server.
class Meddler {
 public:
  /// The far ends of the connections that the client and the server hold.
  Meddler(net::AnyStream client, net::AnyStream server)
      : client_(std::move(client)), server_(std::move(server)) {}

  Lane& up() { return up_; }
  Lane& down() { return down_; }
  /// Moves what there is; true if anything moved.
  bool pass();

 private:
  net::AnyStream client_, server_;
  Lane up_, down_;
};

/// Says some bytes, whatever it hears.
class Stranger {
 public:
  enum class Manners : std::uint8_t { ends, waits, breaks };  // once all is said
  Stranger(net::AnyStream stream, Bytes bytes, Manners manners)
      : stream_(std::move(stream)), bytes_(bytes), manners_(manners) {}

  /// Says and hears what can be; true if anything moved.
  bool pass();
  const std::string& heard() const { return heard_; }

 private:
  bool hear();
  bool say();

  net::AnyStream stream_;
  Bytes bytes_;
  Manners manners_;
  std::string heard_;
};

}  // namespace lockgate::fuzz
