// A form as a browser sends it: application/x-www-form-urlencoded (WHATWG URL, 5.1).
//
// Strict, for what we read is what our own pages have asked for: nothing that a browser
// would have encoded, no half of a percent-encoding, no name twice, UTF-8 only. Pure; any
// thread.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace lockgate::wire {

struct FormField {
  std::string_view name, value;
};
using Form = std::vector<FormField>;

/// Forms of more fields are none.
inline constexpr std::size_t kMostFormFields = 32;

/// The fields of a form, which is decoded where it stands and has to stay there. Nothing if it is none.
std::optional<Form> read_form(std::span<char> text);
/// The value of a field; empty if there is none of that name.
std::string_view value_of(const Form& form, std::string_view name);

}  // namespace lockgate::wire
