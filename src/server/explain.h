// explain: which listener, site and upstream would take a connection, and why; for a URL
// of HTTP also which route would take the request, and what would become of it. Asks the
// configuration alone; nothing has to run.
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace lockgate::server {

struct ExplainQuestion {
  std::string name;                     // a host name or a URL
  std::optional<std::string> listener;  // all that could take it if not given
  std::string client = "192.0.2.1";
  std::string alpn;  // joined by commas
  std::string ja3, ja4;
  bool plain = false;  // the client speaks no TLS
  std::string method = "GET";
  std::vector<std::string> fields;  // of the request, as "Name: value"
};

/// Lines for people, or JSON; an error is a sentence.
std::expected<std::string, std::string> explain(const config::Config& config, const ExplainQuestion& question,
                                                bool json);

}  // namespace lockgate::server
