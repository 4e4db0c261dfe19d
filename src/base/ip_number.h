// An IP address as a number, for whoever orders addresses or counts on from one.
#pragma once
#include "base/address.h"

namespace lockgate {

/// With room for an IPv6 address.
__extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using): an extension cannot be there

/// In 32 or 128 bits by its family; 0 for none. A scope is left out.
Wide number_of(const Ip& ip);
/// The address of that number in the family of `like`.
Ip ip_of(Wide number, const Ip& like);
/// How many bits the addresses of its family have.
int bits_of(const Ip& ip);

}  // namespace lockgate
