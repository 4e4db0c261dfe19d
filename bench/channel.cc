#include "channel.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "failure.h"

namespace lockgate::bench {
namespace {

/// After a call of libssl that did not succeed: whether it only has to wait. What the peer did wrong ends the
/// program, but for its going away.
bool only_waits(SSL* ssl, int outcome) {
  const int error = SSL_get_error(ssl, outcome);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
  const unsigned long reason = ERR_peek_error();
  if (error == SSL_ERROR_SSL && ERR_GET_REASON(reason) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    fail("TLS", ERR_reason_error_string(reason));
  }
  return false;
}

}  // namespace

Channel::Channel(int fd, OwnedSsl ssl) : fd_(fd), ssl_(std::move(ssl)) {
  if (ssl_ && SSL_set_fd(ssl_.get(), fd) != 1) fail("SSL_set_fd");
}

Channel::~Channel() {
  if (ssl_) {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
  }
  ::close(fd_);
}

Channel::Hands Channel::shake_hands() {
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl_.get());
  if (outcome == 1) return Hands::shaken;
  return only_waits(ssl_.get(), outcome) ? Hands::under_way : Hands::refused;
}

std::optional<std::size_t> Channel::read(std::span<std::uint8_t> room) {
  if (ssl_) {
    std::size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_.get(), room.data(), room.size(), &got) == 1) return got;
    return only_waits(ssl_.get(), 0) ? std::optional<std::size_t>(0) : std::nullopt;
  }
  const ssize_t got = ::recv(fd_, room.data(), room.size(), 0);
  if (got > 0) return static_cast<std::size_t>(got);
  return got < 0 && errno == EAGAIN ? std::optional<std::size_t>(0) : std::nullopt;
}

std::optional<std::size_t> Channel::write(std::span<const std::uint8_t> bytes) {
  if (ssl_) {
    std::size_t taken = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken) == 1) return taken;
    return only_waits(ssl_.get(), 0) ? std::optional<std::size_t>(0) : std::nullopt;
  }
  const ssize_t taken = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (taken >= 0) return static_cast<std::size_t>(taken);
  return errno == EAGAIN ? std::optional<std::size_t>(0) : std::nullopt;
}

}  // namespace lockgate::bench
