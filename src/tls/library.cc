#include "tls/library.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/check.h"

namespace lockgate::tls {

void free_library(ossl_lib_ctx_st* library) { OSSL_LIB_CTX_free(library); }

Library::Library() : handle_(OSSL_LIB_CTX_new()) { CHECK(handle_); }

std::string why() {
  unsigned long reason = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(reason);
  ERR_clear_error();
  return text ? text : "no reason given";
}

}  // namespace lockgate::tls
