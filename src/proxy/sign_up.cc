#include "proxy/sign_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/password_hash.h"
#include "base/utf8.h"
#include "guard/accounts.h"
#include "proxy/page.h"
#include "proxy/security_fields.h"
#include "proxy/sign_up_page.h"
#include "proxy/upward.h"

namespace lockgate::proxy {

using guard::AccountRequest;
using http::FieldName;
using loop::Task;

namespace {

constexpr const char* kFiling = "filing a request for an account";
// With `no-referrer`, browsers would send `Origin: null` with the form.
constexpr wire::HeadField kOwnFields[] = {
    {"Cache-Control", "no-store", FieldName::other},
    {"Content-Security-Policy", kSignUpPolicy, FieldName::other},
    {"X-Content-Type-Options", "nosniff", FieldName::other},
    {"X-Frame-Options", "DENY", FieldName::other},
    {"Referrer-Policy", "same-origin", FieldName::other},
};
constexpr std::string_view kBusyRetryAfter = "5";

bool is_form(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return wire::equal_in_any_case(type, "application/x-www-form-urlencoded");
}

// What is wrong with what was filled in; empty if nothing is.
std::string_view fault_of(const wire::Form& form) {
  std::string_view name = value_of(form, "name"), password = value_of(form, "password"),
                   remark = value_of(form, "remark");
  if (!guard::is_user_name(name) || name.size() > kLongestNewName)
    return "A name has 1 to 64 bytes, no colon, no # in front, no space at its ends and nothing invisible.";
  if (password.size() < kShortestNewPassword || password.size() > kLongestNewPassword || !is_text(password))
    return "A password has 8 to 72 bytes, and no control characters.";
  if (password != value_of(form, "password_again")) return "The two passwords are not the same.";
  if (remark.size() > guard::kLongestRemark || !guard::is_line_of_text(remark))
    return "A remark is one line of at most 256 bytes, without invisible characters.";
  return "";
}

}  // namespace

// What has become of a request; written by a thread of passwords, and read once that has told.
struct SignUp::Filed {
  bool full = false;
  std::string trouble;
};

bool is_from_own_page(const http::Request& request, std::string_view scheme, std::string_view authority) {
  auto site = wire::value_in(request.fields, "Sec-Fetch-Site");
  if (site) return *site == "same-origin" || *site == "none";
  auto origin = wire::value_in(request.fields, "Origin");
  if (!origin) return true;
  std::string_view rest = *origin;
  if (!rest.starts_with(scheme)) return false;
  rest.remove_prefix(scheme.size());
  if (!rest.starts_with("://")) return false;
  return wire::equal_in_any_case(rest.substr(3), authority);
}

std::string_view SignUp::list() const {
  return plan_.plan->config->users.at(facts_.route->route->sign_up.index).name;
}

Task<void> SignUp::run() {
  if (facts_.method == "POST") {
    auto taking = take();
    co_await taking;
    co_return;
  }
  if (facts_.method != "GET" && facts_.method != "HEAD") {
    facts_.owed.push_back({"Allow", "GET, HEAD, POST", FieldName::other});
    co_await loop::fail(refusal(Errc::rejected, 405, "looking at the method"));
  }
  exchange_.leave_body();
  std::string page = sign_up_page({});
  auto answering = answer(200, page);
  co_await answering;
}

Task<void> SignUp::take() {
  const http::Request& request = exchange_.request();
  if (!is_from_own_page(request, facts_.scheme, request.authority)) {
    facts_.sentence = "This form was sent from another site.";
    co_await loop::fail(refusal(Errc::rejected, 403, "looking at where the form is from"));
  }
  if (!is_form(request.fields.value(FieldName::content_type)))
    co_await loop::fail(refusal(Errc::rejected, 415, "looking at the form's type"));
  auto reading = read();
  co_await reading;
  auto room = body_.room();
  auto form = wire::read_form(std::span(reinterpret_cast<char*>(room.data()), room.size()));
  if (!form) co_await loop::fail(refusal(Errc::rejected, 400, "reading the form"));
  std::string_view fault = fault_of(*form);
  if (!fault.empty()) {
    std::string page = sign_up_page(
        {.sentence = fault, .name = value_of(*form, "name"), .remark = value_of(*form, "remark")});
    auto answering = answer(400, page);
    co_await answering;
    co_return;
  }
  auto filing = file(*form);
  co_await filing;
  auto answering = answer(202, signed_up_page());
  co_await answering;
}

Task<void> SignUp::read() {
  const http::Request& request = exchange_.request();
  const Error too_large = refusal(Errc::too_large, 413, "reading the form");
  if (request.length.value_or(0) > kLongestForm) co_await loop::fail(too_large);
  auto going_on = exchange_.say_continue();
  co_await going_on;
  body_ = Secret(kLongestForm);
  std::size_t size = 0;
  for (bool ended = !request.has_body; !ended;) {
    auto reading = exchange_.read();
    http::Piece piece = co_await reading;
    if (piece.bytes.size() > kLongestForm - size) co_await loop::fail(too_large);
    std::ranges::copy(piece.bytes, body_.room().begin() + static_cast<std::ptrdiff_t>(size));
    size += piece.bytes.size();
    ended = piece.last;
  }
  body_.cut(size);
}

Task<void> SignUp::file(const wire::Form& form) {
  guard::Guardroom& guardroom = *plan_.plan->guardroom;
  Ip client = facts_.client.ip();
  guard::Taken tried = guardroom.accounts.try_once(client, house_.reactor.now());
  if (!tried.ok) {
    auto seconds = std::chrono::ceil<std::chrono::seconds>(tried.wait).count();
    facts_.owed.push_back(
        {"Retry-After", exchange_.arena().copy(fmt::format_int(seconds).str()), FieldName::other});
    facts_.sentence = "Too many accounts were asked for from your address.";
    co_await loop::fail(refusal(Errc::limited, 429, kFiling));
  }
  auto filed = std::make_shared<Filed>();
  AccountRequest request{.name = std::string(value_of(form, "name")),
                         .hash = {},
                         .remark = std::string(value_of(form, "remark")),
                         .from = client,
                         .asked = house_.reactor.wall()};
  guard::PasswordWork work =
      [filed, request, &accounts = guardroom.accounts,
       path = guard::Accounts::file_of(plan_.plan->config->state_folder, list())](std::string_view password) {
        auto hash = make_password_hash(PasswordScheme::bcrypt, {}, password);
        if (!hash) return void(filed->trouble = hash.error());
        AccountRequest whole = request;
        whole.hash = std::move(*hash);
        auto added = accounts.add(path, std::move(whole));
        filed->full = added && !*added;
        if (!added) filed->trouble = added.error();
      };
  auto working =
      guardroom.passwords.work_on(house_.reactor, value_of(form, "password"), client, std::move(work));
  bool done = co_await working;
  if (!done) {
    facts_.owed.push_back({"Retry-After", kBusyRetryAfter, FieldName::other});
    co_await loop::fail(refusal(Errc::limited, 503, "waiting for a password to be hashed"));
  }
  if (filed->full) {
    facts_.sentence = "Too many requests wait to be decided; try again another day.";
    co_await loop::fail(refusal(Errc::limited, 503, kFiling));
  }
  std::string message =
      filed->trouble.empty()
          ? fmt::format("an account of `{}` is asked for from {}; `lockgate accounts` lists what waits",
                        list(), facts_.client.is_unix() ? "a Unix socket" : client.text())
          : fmt::format("an account of `{}` that was asked for is lost: {}", list(), filed->trouble);
  auto level = filed->trouble.empty() ? config::LogLevel::info : config::LogLevel::error;
  house_.journal.tell(level, facts_.connection.id, facts_.site->site->name, message);
  if (!filed->trouble.empty()) co_await loop::fail(refusal(Errc::no_resources, 503, kFiling));
}

// What the operator's response_fields say comes last.
Task<void> SignUp::answer(int status, std::string_view page) {
  http::Response& answer = exchange_.memory().response;
  answer.clear();
  answer.status = status;
  answer.fields.add(FieldName::content_type, "text/html; charset=utf-8");
  for (const wire::HeadField& field : kOwnFields) answer.fields.list().push_back(field);
  facts_.status = status;
  facts_.answered = house_.reactor.now();
  const config::Route& route = *facts_.route->route;
  add_security_fields(answer, route.security_fields, facts_.scheme == "https");
  edit_fields(answer.fields, route.response_fields, facts_, facts_.route->response_edits, plan_.regexes,
              exchange_.arena());
  auto answering = answer_with_text(exchange_, answer, page, house_.reactor.wall());
  co_await answering;
}

}  // namespace lockgate::proxy
