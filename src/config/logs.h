// What the operator asked for of logs: where lines go, and what they look like. Plain
// structs, as those of config.h, which holds them.
#pragma once
#include <cstdint>
#include <string>

#include "config/http.h"
#include "config/tls.h"

namespace lockgate::config {

enum class LogLevel : std::uint8_t { error, warning, info, debug };
enum class LogFormat : std::uint8_t { text, json };

/// Where lines go: "off", "stdout", "stderr", "syslog" or the absolute path of a file.
struct LogTarget {
  enum class Kind : std::uint8_t { off, standard_output, standard_error, syslog, file };
  Kind kind = Kind::off;
  std::string path;
  bool secret = false;  // a file for nobody but the user of the service
  bool operator==(const LogTarget&) const = default;
};

/// Where secrets of connections go.
inline LogTarget target_of(const KeyLogging& key_log) {
  if (key_log.to.empty()) return {};
  return {.kind = LogTarget::Kind::file, .path = key_log.to, .secret = true};
}

struct ErrorLog {
  LogTarget to{LogTarget::Kind::standard_error, ""};
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

/// What a line of an access log looks like.
struct LineForm {
  enum class Kind : std::uint8_t { text, json, common, combined, own };
  Kind kind = Kind::text;
  Template line{};  // of all but text and json, which are written field by field
};

struct AccessLog {
  LogTarget to{LogTarget::Kind::standard_output, ""};
  LineForm format;
};

}  // namespace lockgate::config
