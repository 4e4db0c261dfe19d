#include "http/message.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace lockgate::http {

bool is_alike_throughout(std::string_view one, std::string_view other) {
  auto folded = [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) ? static_cast<char>(std::tolower(byte)) : '-';
  };
  return std::ranges::equal(one, other, {}, folded, folded);
}

const wire::HeadField* Fields::find(FieldName id) const {
  auto found = std::ranges::find(list_, id, &wire::HeadField::id);
  return found == list_.end() ? nullptr : &*found;
}

std::string_view Fields::value(FieldName id) const {
  const wire::HeadField* found = find(id);
  return found ? found->value : std::string_view();
}

void Fields::remove(FieldName id) {
  std::erase_if(list_, [&](const wire::HeadField& field) { return field.id == id; });
}

void Fields::remove(std::string_view name) {
  std::erase_if(list_,
                [&](const wire::HeadField& field) { return wire::equal_in_any_case(field.name, name); });
}

void Fields::remove_alike(std::string_view name) {
  std::erase_if(list_, [&](const wire::HeadField& field) { return is_alike(field.name, name); });
}

void Request::clear() {
  fields.clear();
  method = scheme = authority = host = target = upgrade = {};
  length.reset();
  has_body = wants_continue = takes_trailers = lost_fields = false;
  minor_version = 1;
}

void Response::clear() {
  fields.clear();
  status = 0;
  reason = upgrade = {};
  has_body = false;
  length.reset();
}

bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kIdempotent = {"GET", "HEAD",   "OPTIONS",
                                                                  "PUT", "DELETE", "TRACE"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

}  // namespace lockgate::http
