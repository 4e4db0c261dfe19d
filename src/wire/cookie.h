// Cookies as requests carry them and answers set them (RFC 6265), and the parameters
// in paths that stand in for them.
//
// Values are read as browsers and servers write them rather than as the RFC would have
// them: whatever stands between "=" and ";", without white space and quotes around it.
// Nothing is allocated but what without_cookie() takes of an arena. Pure; any thread.
#pragma once
#include <optional>
#include <string_view>

#include "base/arena.h"

namespace lockgate::wire {

struct Cookie {
  std::string_view name, value;
};

/// Takes the next cookie off a value of Cookie; nothing if there is no more. What has no "=" has no name.
std::optional<Cookie> take_cookie(std::string_view& unread);
/// The cookie that a value of Set-Cookie sets, without its attributes.
Cookie cookie_set_by(std::string_view set_cookie);
/// A value of Cookie without those of that name: `cookies` itself if it has none.
std::string_view without_cookie(std::string_view cookies, std::string_view name, Arena& arena);

/// Takes the next parameter (";name=value") off a path; nothing if there is no more.
std::optional<Cookie> take_path_parameter(std::string_view& unread);

/// Whether a name is the wanted one; "saplb_*" wants all that begin with "saplb_".
bool is_wanted(std::string_view name, std::string_view wanted);

}  // namespace lockgate::wire
