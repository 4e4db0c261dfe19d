// House: the references that the stories of one worker need, passed explicitly.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "http/desk.h"
#include "loop/wait.h"
#include "net/buffers.h"
#include "net/connect.h"
#include "proxy/line_allowance.h"
#include "tls/scratch.h"

namespace lockgate::proxy {

class Pool;

/// Where finished lines go. Never blocks; what cannot be taken is counted there.
class Journal {
 public:
  virtual ~Journal() = default;
  /// `target` is a number that the plan was given for a log target.
  virtual void line(std::uint16_t target, std::string_view line) = 0;
  /// A message for the error log; `connection` 0 and an empty `site` stand for none.
  virtual void tell(config::LogLevel level, std::uint64_t connection, std::string_view site,
                    std::string_view message) = 0;
  /// Whether tell() at this level would be written.
  virtual bool wants(config::LogLevel level, std::string_view site) const = 0;
};

struct House {
  loop::Reactor& reactor;
  net::Buffers& buffers;
  net::Connector& connector;
  Journal& journal;
  http::Desk& desk;
  Pool& pool;
  tls::Scratch& records;         // of TLS with clients and upstreams
  tls::Scratch& parent_records;  // of TLS with parents, inside of which there is the other
  loop::WaitSlot& place_freed;   // woken when a place in some gate has come free
  std::size_t worker;            // its number, from 0
  LineAllowance of_banned = {};  // lines of the access log about clients that are banned
};

}  // namespace lockgate::proxy
