// Texts and times of who may enter, as the operator writes them. What values.h is for all
// values, this is for theirs. Any thread.
#pragma once
#include <string>
#include <string_view>

#include "config/values.h"

namespace lockgate::config {

/// A text in one of the forms of `sign_in` and `require`.
Outcome<std::string> parse_access_text(std::string_view text, As as);

}  // namespace lockgate::config
