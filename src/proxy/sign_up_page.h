// The page on which somebody asks for an account, and the one that thanks for it: HTML
// that needs nothing else, neither scripts nor styles nor pictures. Pure; any thread.
#pragma once
#include <string>
#include <string_view>

namespace lockgate::proxy {

/// What every such page says it is made of (Content Security Policy, level 3).
inline constexpr std::string_view kSignUpPolicy =
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What is filled in already, and a sentence that says what is wrong with it, or nothing.
struct SignUpForm {
  std::string_view sentence, name, remark;
};
std::string sign_up_page(const SignUpForm& form);
/// It says the same to everybody.
std::string_view signed_up_page();

}  // namespace lockgate::proxy
