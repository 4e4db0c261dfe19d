// Sticky: to which endpoint a request belongs, and what its answer tells of that.
//
// Either a cookie of the application's says it, whose value ends with an endpoint's name
// or was set by an answer of the endpoint; or a cookie of ours, with the endpoint's mark.
// One per request, on its worker's thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "http/message.h"
#include "proxy/upstream.h"

namespace lockgate::proxy {

/// By which an endpoint of this upstream is known in cookies: the same in all workers, after every restart
/// and on other machines, for the same name or, without one, the same label. It is never 0.
std::uint64_t mark_of(std::string_view upstream, std::string_view name_or_label);

/// Whether requests that are stuck to an endpoint go there still.
bool keeps_its_clients(const Target& target, Instant now);

class Sticky {
 public:
  /// `upstream` outlives this.
  explicit Sticky(const Upstream& upstream) : upstream_(upstream) {}

  /// Reads what the request says; a cookie of ours goes no further.
  void read(http::Request& request, std::string_view path, const Targets& targets, Instant now, Arena& arena);
  /// The endpoint that it belongs to; 0: any.
  std::uint64_t mark() const { return mark_; }

  /// Learns where the session is: at the endpoint that has answered.
  void learn(const http::Response& answer, const Target& from, Instant now);
  /// Puts our cookie into the answer, if the client has none or that of another endpoint.
  void sign(http::Response& answer, bool secure, Arena& arena) const;

 private:
  const config::Sticky& config() const { return upstream_.config.sticky; }
  void read_own_cookie(http::Request& request, Arena& arena);
  void read_session(const http::Request& request, std::string_view path, const Targets& targets, Instant now);
  bool take_session(std::string_view session, const Targets& targets, Instant now);

  const Upstream& upstream_;
  std::uint64_t mark_ = 0, answered_by_ = 0;
  std::string_view session_;  // in the request's memory; empty if it has none
};

}  // namespace lockgate::proxy
