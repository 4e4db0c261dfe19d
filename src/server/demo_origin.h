// DemoOrigin: the web server of the quick start, inside the binary.
//
// Its page tells what reached it, so that a first look through Lockgate shows what an
// origin gets to see; /bytes/N gives N bytes, for a first measurement.
#pragma once
#include "server/http_server.h"

namespace lockgate::server {

class DemoOrigin final : public Pages {
 public:
  loop::Task<Page> page(const Visit& visit) override;
};

}  // namespace lockgate::server
