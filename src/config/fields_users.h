// The table of options of an entry of `users`.
#pragma once
#include "config/field.h"
#include "config/users.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<UserList> = section(
    "users", "Who can sign in, and with which password. The path of the file alone is a short form.",
    Field{"file",
          &UserList::file,
          "Lines `name:hash`, as `htpasswd` and `lockgate password` write them; read again when it changes.",
          {.as = As::absolute_path, .required = true}},
    Field{"groups", &UserList::groups,
          "Lines `group: user1 user2`, as Apache httpd reads them; read again when it changes.",
          as(As::absolute_path)});

}  // namespace lockgate::config
