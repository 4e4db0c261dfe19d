#include "tls/wire.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace lockgate::tls {
namespace {

Wire& wire_behind(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int read_wire(BIO* bio, char* room, std::size_t size, std::size_t* got) {
  Bytes& in = wire_behind(bio).in;
  BIO_clear_retry_flags(bio);
  if (in.empty()) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *got = std::min(size, in.size());
  std::memcpy(room, in.data(), *got);
  in = in.subspan(*got);
  return 1;
}

int write_wire(BIO* bio, const char* bytes, std::size_t size, std::size_t* sent) {
  Bytes sealed = as_bytes({bytes, size});
  wire_behind(bio).out->insert(wire_behind(bio).out->end(), sealed.begin(), sealed.end());
  *sent = size;
  return 1;
}

long control_wire(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO* new_bio(Wire& wire) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "lockgate");
    CHECK(made);
    BIO_meth_set_read_ex(made, read_wire);
    BIO_meth_set_write_ex(made, write_wire);
    BIO_meth_set_ctrl(made, control_wire);
    return made;
  }();
  BIO* bio = BIO_new(method);
  CHECK(bio);
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

void note(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_LOOP) != 0) ++wire_of(*ssl).messages;
  bool fatal = (where & SSL_CB_ALERT) != 0 && value >> 8 == SSL3_AL_FATAL;
  if (fatal)
    wire_of(*ssl).alert = Alert{static_cast<std::uint8_t>(value & 0xff), (where & SSL_CB_WRITE) != 0};
}

}  // namespace

std::string alpn_list(std::span<const std::string> protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    if (protocol.empty()) continue;
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  return list;
}

void attach(ssl_st& ssl, Wire& wire) {
  BIO* bio = new_bio(wire);
  SSL_set_bio(&ssl, bio, bio);
  SSL_set_app_data(&ssl, &wire);
  SSL_set_info_callback(&ssl, note);
}

Wire& wire_of(const ssl_st& ssl) { return *static_cast<Wire*>(SSL_get_app_data(&ssl)); }

}  // namespace lockgate::tls
