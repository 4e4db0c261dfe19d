#include "proxy/sign_up_page.h"

#include <fmt/format.h>

#include "base/markup.h"
#include "guard/account_request.h"
#include "proxy/sign_up.h"

namespace lockgate::proxy {
namespace {

constexpr std::string_view kThanks = R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Thank you</title></head>
<body>
<h1>Thank you</h1>
<p>Your request waits for somebody who decides. Once an account is yours, sign in with the name and the password that you have chosen.</p>
</body>
</html>
)";

constexpr std::string_view kForm = R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Ask for an account</title></head>
<body>
<h1>Ask for an account</h1>
{sentence}<form method="post" accept-charset="utf-8">
<p><label>Name<br><input name="name" value="{name}" required maxlength="{longest_name}" autocomplete="username" autocapitalize="none"></label></p>
<p><label>Password, of {least} to {most} bytes<br><input name="password" type="password" required minlength="{least}" maxlength="{most}" autocomplete="new-password"></label></p>
<p><label>The same again<br><input name="password_again" type="password" required minlength="{least}" maxlength="{most}" autocomplete="new-password"></label></p>
<p><label>Remark for whoever decides, if you like<br><input name="remark" value="{remark}" maxlength="{longest_remark}"></label></p>
<p><button>Ask</button></p>
</form>
</body>
</html>
)";

}  // namespace

std::string sign_up_page(const SignUpForm& form) {
  std::string sentence = form.sentence.empty() ? ""
                                               : fmt::format("<p role=\"alert\"><strong>{}</strong></p>\n",
                                                             markup_of(form.sentence));
  return fmt::format(kForm, fmt::arg("sentence", sentence), fmt::arg("name", markup_of(form.name)),
                     fmt::arg("remark", markup_of(form.remark)), fmt::arg("least", kShortestNewPassword),
                     fmt::arg("most", kLongestNewPassword), fmt::arg("longest_name", kLongestNewName),
                     fmt::arg("longest_remark", guard::kLongestRemark));
}

std::string_view signed_up_page() { return kThanks; }

}  // namespace lockgate::proxy
