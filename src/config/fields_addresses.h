// The tables of options of addresses: lists of them, databases, and who is let in.
#pragma once
#include "config/addresses.h"
#include "config/field.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<AddressList> = section(
    "address_list",
    "A name for many networks: all that its parts hold. Networks alone are short for `{ networks: ... }`.",
    Field{"networks", &AddressList::networks, "Written in place."},
    Field{
        "file", &AddressList::files,
        "Files with a network, an address or a range (`a - b`) a line, and comments behind `#` or `;`. Read "
        "again when they change.",
        as(As::absolute_path)},
    Field{"url", &AddressList::urls,
          "Such lists, fetched by http or https. The last good copy is kept in the `state_folder`.",
          as(As::web_url)},
    Field{"every", &AddressList::every, "How often the URLs are asked for something new.", kSome},
    Field{"ca_file", &AddressList::ca_file,
          "Whose certificates are trusted with URLs of https; if not given, those that the system trusts.",
          as(As::absolute_path)});

template <>
inline constexpr auto kSection<Geo> = section(
    "geo", "Databases in the MMDB format (MaxMind, DB-IP, IPinfo), read again when they change.",
    Field{"country", &Geo::country, "The file that knows countries, for `country DE` and `$client_country`.",
          as(As::absolute_path)},
    Field{"system", &Geo::system,
          "The file that knows autonomous systems, for `AS3320` and `$client_system`.",
          as(As::absolute_path)});

template <>
inline constexpr auto kSection<Access> = section(
    "access",
    "Who is let in. Whoever `allow` holds comes in. With `deny`, so does everybody else whom it does not "
    "hold; "
    "with `allow` alone, nobody else. It takes the place of all that was inherited; `access: {}` lets "
    "everybody in. [More](access.md#addresses).",
    Field{"allow", &Access::allow, "Who comes in, whatever `deny` holds."},
    Field{"deny", &Access::deny, "Who is refused."});

template <>
inline constexpr bool kIsWhole<Access> = true;

}  // namespace lockgate::config
