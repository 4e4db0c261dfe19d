// Admission: whether a request may have what its route leads to, and if its user decides,
// who that is. What is answered to those that may not is made apart from the decision.
//
// One request; its worker's thread. Destroying it gives up a password that is being
// checked.
#pragma once
#include <cstdint>
#include <optional>

#include "http/exchange.h"
#include "proxy/guard_plan.h"
#include "proxy/house.h"
#include "proxy/request_facts.h"
#include "wire/basic.h"

namespace lockgate::proxy {

/// What became of somebody's wish to enter.
enum class Admittance : std::uint8_t {
  granted,
  unnamed,         // who it is would decide, and was not told in a way that we understand
  wrong,           // the name or the password
  busy,            // too many passwords are being checked
  forbidden,       // whoever it is
  no_certificate,  // which could have changed that
};

class Admission {
 public:
  /// `facts` have their route, and `shown` is of their connection: what was found out of its certificate.
  Admission(House& house, guard::Guardroom& guardroom, std::span<const Regex> regexes,
            http::Exchange& exchange, RequestFacts& facts, std::optional<guard::ShownCertificate>& shown);

  /// Afterwards the facts have the user, if there had to be one. Of a route that has a guard.
  loop::Task<Admittance> run();

 private:
  guard::Finding find() const { return guard_.requirement.find(situation_); }
  Admittance refused() const;
  std::optional<wire::BasicCredentials> credentials();

  House& house_;
  guard::Passwords& passwords_;
  http::Exchange& exchange_;
  RequestFacts& facts_;
  const GuardPlan& guard_;
  Ip client_;
  guard::Situation situation_;
};

/// What is known of a request before anybody has signed in; `ip` is where its client's address goes, and
/// `shown` where its certificate is described if the route asks for that.
guard::Situation situation_of(const RequestFacts& facts, const http::Request& request,
                              std::span<const Regex> regexes, Ip& ip,
                              std::optional<guard::ShownCertificate>& shown);

/// Whether nobody has to sign in for this path, or for a question of a browser about other sites (CORS).
bool is_exempt(const config::SignIn& sign_in, std::string_view path, const http::Request& request);

/// The error that a request is refused with, and in `facts` what its answer says and owes. To a client of
/// ours; a proxy that clients know of answers 407 in the same case.
Error turned_away(Admittance admittance, RequestFacts& facts);

}  // namespace lockgate::proxy
