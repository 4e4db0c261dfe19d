// The PROXY header that an upstream is told of its client in.
#pragma once
#include "proxy/facts.h"
#include "wire/proxy_header.h"

namespace lockgate::proxy {

/// As `site` wants it, in `room`; empty if it wants none.
Bytes our_header(const config::Site& site, const Facts& facts, wire::ProxyHeaderBytes& room);

}  // namespace lockgate::proxy
