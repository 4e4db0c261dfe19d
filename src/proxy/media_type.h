// What a file is, by the end of its name, as Content-Type tells it. Any thread.
#pragma once
#include <string_view>

namespace lockgate::proxy {

/// "text/html; charset=utf-8" of "index.html"; of what is not known, "application/octet-stream".
std::string_view media_type(std::string_view name);

}  // namespace lockgate::proxy
