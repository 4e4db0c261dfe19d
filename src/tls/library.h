// Library: OpenSSL as one thread has it: its algorithms and its randomness.
//
// Each worker has one of its own, so that workers never wait for each other's locks or
// share a count; what is made with it is used by that worker alone. It outlives all of
// that.
#pragma once
#include <memory>
#include <string>

#include "base/owned.h"

struct ossl_lib_ctx_st;

namespace lockgate::tls {

void free_library(ossl_lib_ctx_st* library);

class Library {
 public:
  Library();
  ossl_lib_ctx_st* handle() const { return handle_.get(); }

 private:
  Owned<ossl_lib_ctx_st, free_library> handle_;
};

/// OpenSSL's words for what has just failed on this thread; forgets it.
std::string why();

}  // namespace lockgate::tls
