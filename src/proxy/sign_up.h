// SignUp: one request to a route where somebody asks for an account. GET shows a form, and
// POST files what was filled in, its password hashed at once by the threads that check them.
//
// The answer is the same whether there is such a user already or not. One request; its
// worker's thread. Destroying it lets go of the answer; what was taken up may be filed.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "http/exchange.h"
#include "proxy/house.h"
#include "proxy/plan.h"
#include "proxy/request_facts.h"
#include "wire/form.h"

namespace lockgate::proxy {

/// In bytes. bcrypt looks at no more of a password.
inline constexpr std::size_t kShortestNewPassword = 8, kLongestNewPassword = 72, kLongestNewName = 64;
inline constexpr std::size_t kLongestForm = 8 * 1024;

/// Whether a request that changes something comes from a page of the same site, as far as browsers tell:
/// Sec-Fetch-Site, or else Origin. Programs that are no browsers send neither.
bool is_from_own_page(const http::Request& request, std::string_view scheme, std::string_view authority);

class SignUp {
 public:
  /// `facts` have their route.
  SignUp(House& house, const WorkerPlan& plan, http::Exchange& exchange, RequestFacts& facts)
      : house_(house), plan_(plan), exchange_(exchange), facts_(facts) {}

  loop::Task<void> run();

 private:
  struct Filed;

  loop::Task<void> take();
  loop::Task<void> read();
  loop::Task<void> file(const wire::Form& form);
  loop::Task<void> answer(int status, std::string_view page);
  std::string_view list() const;

  House& house_;
  const WorkerPlan& plan_;
  http::Exchange& exchange_;
  RequestFacts& facts_;
  Secret body_;
};

}  // namespace lockgate::proxy
