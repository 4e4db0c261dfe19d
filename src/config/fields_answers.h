// The tables of options of answers that are our own, beside those of routes.
#pragma once
#include "config/answers.h"
#include "config/field.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<Maintenance> = section(
    "maintenance",
    "While there is a reason for it, requests are answered with 503. Routes inherit what their site says.",
    Field{"when", &Maintenance::when,
          "The file during whose existence it holds, looked for once a second; `always` for as long as it is "
          "written here.",
          as(As::sign)},
    Field{"page", &Maintenance::page,
          "The file of what is said, as in `error_pages`; if not given, that of errors.",
          as(As::absolute_path)},
    Field{"retry_after", &Maintenance::retry_after, "When clients are told to come back.", kSomeOrOff},
    Field{"except", &Maintenance::except, "Networks of clients that are served nevertheless."});

}  // namespace lockgate::config
