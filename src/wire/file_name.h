// The name of a file, out of the path of a request.
//
// The path is decoded once more than the one form that routes are matched with: what
// had to stay encoded in a URL need not in a name. Whether the file is there, and
// inside of its folder, only the system can tell. Pure; any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace lockgate::wire {

/// The name relative to a folder, in `room`; empty for the folder itself, and ending in a slash for one
/// beneath it that was named so. Refused, with the HTTP status in the detail: as 400 what can be no name, an
/// encoded slash or NUL or a broken encoding; as 404 what begins with a dot anywhere, `..` included, but for
/// `.well-known` (RFC 8615).
Result<std::string_view> read_file_name(std::string_view path, std::string& room);

}  // namespace lockgate::wire
