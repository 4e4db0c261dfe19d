// A route as the operator writes it: keys that exclude each other side by side. The tables
// know this one; the rest of the program knows Route.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/http.h"

namespace lockgate::config {

/// An index into Config::upstreams, written as a name, a URL or endpoints in place.
struct UpstreamChoice {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t index = kNone;
  std::string path;  // of an http URL that has one, which is a rewrite
  bool given() const { return index != kNone; }
};

/// What an entry of `routes` holds. Empty is what is not given.
struct WrittenRoute : Guarded {
  std::string name;
  std::string path, path_exact, path_regex;
  std::vector<std::string> methods;
  std::vector<Condition> fields, query;
  UpstreamChoice to;
  std::string rewrite;
  Template redirect;
  std::uint32_t status = 0;
  Template body;
  std::string content_type = Route{}.content_type;
  std::string files;
  std::vector<std::string> index = Files{}.index;
  std::string fallback;
  UserListChoice sign_up;
  Forwarding forward;
  SecurityFields security_fields = SecurityFields::off;
  FieldEdits request_fields, response_fields;
  std::vector<ErrorPage> error_pages;
  Maintenance maintenance;
  std::vector<RateRule> rates;
  std::string trap;
};

/// What is written, and what it means; only the place is left.
Route meaning(WrittenRoute written);
WrittenRoute written_as(const Route& route);

}  // namespace lockgate::config
