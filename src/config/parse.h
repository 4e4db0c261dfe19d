// From YAML to Config, with every mistake told at once.
//
// Each mistake is a Diagnostic with file, line and column, a sentence that says what
// was expected, and where possible a suggestion. There is a Config only if there is no
// error. Foot-guns that are no mistakes are told by check(). Throws nothing.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/documents.h"

namespace lockgate::config {

struct Parsed {
  std::optional<Config> config;
  std::vector<Diagnostic> diagnostics;
  /// Where a process that runs with this file takes commands, as far as even a file with mistakes tells.
  std::string control_socket;
};

/// Reads a file of up to 16 MiB and what it includes.
Parsed parse_file(const std::string& path);
/// Reads `text` as if it stood in `file_name`; includes are relative to the folder of that.
Parsed parse_text(std::string_view text, const std::string& file_name, Includes includes = Includes::follow);

/// "lockgate.yaml:12:7: error: what is wrong (what to do)".
std::string words(const Diagnostic& diagnostic);

}  // namespace lockgate::config
