// What an option is: a key, the member where its value lives, its sentence in the
// manual, and which values it admits. The tables of all options are in fields.h.
#pragma once
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// What a text must look like beyond the type of its member.
enum class As : std::uint8_t {
  plain,
  bytes,
  percent,  // 20%
  token,    // the name of a cookie: JSESSIONID
  url,
  parent_url,
  path,
  absolute_path,  // the same, but never off
  sign,           // a path, always or off
  file_name,      // index.html
  error_status,   // 404, 4xx, 5xx or default
  host,
  name_server,
  alpn,
  ja3,
  ja4,
  web_url,        // https://example.org/list.txt
  authority,      // of forward.host
  method,         // GET
  url_path,       // /app, as a route matches it
  origin_form,    // /app?x=y, as a request has it
  rewrite,        // /app/$1
  regex,          // ^/app/(.*)$
  replacement,    // for what a regular expression matches
  redirect,       // https, a path or a URL, with variables
  field_name,     // Accept
  edited_field,   // the same, and one that may be changed
  field_or_off,   // the same, or off
  field_value,    // what may stand behind it
  body,           // of a message: any text
  text_or_regex,  // CN=ann, or ~^CN=
  fingerprint     // SHA-256 in hexadecimal
};

/// Which values a member admits. Durations count in nanoseconds.
struct Form {
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const char* zero = nullptr;  // the word for 0, which is then admitted whatever `least` says
  As as = As::plain;
  bool required = false;     // must be written, and not as an empty list
  bool alternative = false;  // exactly one of those in a section that are this must be written
};
inline constexpr Form kRequired{.required = true};
inline constexpr Form kAlternative{.alternative = true};
inline constexpr Form kSome{.least = 1};
inline constexpr Form kSomeOrOff{.least = 1, .zero = "off"};
constexpr Form from_to(std::int64_t least, std::int64_t most, const char* zero = nullptr) {
  return {.least = least, .most = most, .zero = zero};
}
constexpr Form as(As form) { return {.as = form}; }

/// A key whose value is a member.
template <class Struct, class Member>
struct Field {
  std::string_view key;
  Member Struct::* member;
  std::string_view sentence;
  Form form{};
};

/// A key of a site that chooses its verdict; its value is a section of its own.
template <class Section>
struct VerdictField {
  std::string_view key;
  Verdict verdict;
  std::string_view sentence;
};

/// The key that is replaced by what other files hold before anything else is read.
struct IncludeField {
  std::string_view key;
  std::string_view sentence;
};

template <class... Fields>
struct Section {
  std::string_view title;
  std::string_view sentence;
  std::tuple<Fields...> fields;
};
template <class... Fields>
constexpr Section<Fields...> section(std::string_view title, std::string_view sentence, Fields... fields) {
  return {title, sentence, {fields...}};
}
/// The same, with fields that several sections have before its own.
template <class... Shared, class... Fields>
constexpr Section<Shared..., Fields...> section(std::string_view title, std::string_view sentence,
                                                std::tuple<Shared...> shared, Fields... fields) {
  return {title, sentence, std::tuple_cat(shared, std::tuple<Fields...>{fields...})};
}
/// The same, with such fields between its own.
template <class... First, class... Shared, class... Fields>
constexpr Section<First..., Shared..., Fields...> section(std::string_view title, std::string_view sentence,
                                                          std::tuple<First...> first,
                                                          std::tuple<Shared...> shared, Fields... fields) {
  return {title, sentence, std::tuple_cat(first, shared, std::tuple<Fields...>{fields...})};
}

/// The section that a struct is written as.
template <class Struct>
inline constexpr auto kSection = nullptr;
template <class T>
concept Sectioned = !std::is_same_v<std::remove_const_t<decltype(kSection<T>)>, std::nullptr_t>;

/// A section of which what is written takes the place of all that was inherited.
template <class Struct>
inline constexpr bool kIsWhole = false;

/// A section that is written as the list of those of its keys that are on.
template <class Struct>
inline constexpr bool kIsWordList = false;
template <class T>
concept WordList = Sectioned<T> && kIsWordList<T>;

/// A section that a word may stand for.
template <class Struct>
inline constexpr bool kHasShortForm = false;
template <class T>
concept Shortened = Sectioned<T> && kHasShortForm<T>;

/// Calls `visit(field)` for each field of a section, in the order of the table.
template <Sectioned Struct, class Visit>
constexpr void for_each_field(Visit visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, kSection<Struct>.fields);
}

/// The words of a list that are on in `list`.
template <WordList List>
std::vector<std::string_view> words_on(const List& list) {
  std::vector<std::string_view> words;
  for_each_field<List>([&](const auto& field) {
    if (list.*field.member) words.push_back(field.key);
  });
  return words;
}

}  // namespace lockgate::config
