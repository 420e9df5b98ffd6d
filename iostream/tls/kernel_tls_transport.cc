#include <squall/iostream/tls/kernel_tls_transport.h>

#include <squall/ioloop/base/sigpipe.h>
#include <squall/iostream/socket/socket.h>

#include <cerrno>

namespace squall::detail {

// ---- The handshake.

Transport::Step KernelTLSTransport::handshake(int fd) noexcept {
  if (connection().has_failed()) return Step::failed;
  openssl::forget_errors();
  errno = 0;
  if (state_ == State::fresh && !offer(fd)) return refuse(fd);
  SSL* const ssl = connection().ssl();
  const auto result = static_cast<int>(without_sigpipe([ssl] { return ::SSL_do_handshake(ssl); }));
  state_ = result != 1 && SSL_want_write(ssl) ? State::blocked : State::reading;
  const auto blocked = state_ == State::blocked ? TLSConnection::Blocked::yes : TLSConnection::Blocked::no;
  connection().on_handshake_result(result, blocked);
  if (result == 1) leave_to_kernel();
  if (connection().has_failed()) return refuse(fd);
  return result == 1 ? Step::done : Step::pending;
}

bool KernelTLSTransport::offer(int fd) noexcept {
  openssl::Bio socket(::BIO_new_socket(fd, BIO_NOCLOSE));
  if (!socket) {
    connection().fail_with_errno(ENOMEM);
    return false;
  }
  SSL* const ssl = connection().ssl();
  ::SSL_set_options(ssl, SSL_OP_ENABLE_KTLS);
  ::SSL_set_bio(ssl, socket.get(), socket.get());
  socket.release();
  return true;
}

// The handshake is done: this process encrypts and decrypts in the directions that the kernel has not taken.
void KernelTLSTransport::leave_to_kernel() noexcept {
  SSL* const ssl = connection().ssl();
  const bool sends = BIO_get_ktls_send(::SSL_get_wbio(ssl)) != 0;
  const bool receives = BIO_get_ktls_recv(::SSL_get_rbio(ssl)) != 0;
  if (sends) {
    state_ = receives ? State::both : State::sends;
  } else {
    state_ = receives ? State::receives : State::none;
  }
  if (state_ == State::both) return;
  const openssl::Bio own = make_bio();
  if (!own) return connection().fail_with_errno(ENOMEM);
  if (!receives) {
    ::BIO_up_ref(own.get());
    ::SSL_set0_rbio(ssl, own.get());
  }
  if (!sends) {
    ::BIO_up_ref(own.get());
    ::SSL_set0_wbio(ssl, own.get());
  }
}

// ---- Bytes.

ssize_t KernelTLSTransport::receive(int fd, std::span<char> space) noexcept {
  if (!receives_in_kernel()) return UserTLSTransport::receive(fd, space);
  return decrypt_in_kernel(fd, space, &::SSL_read_ex);
}

ssize_t KernelTLSTransport::look(int fd) noexcept {
  if (!receives_in_kernel()) return UserTLSTransport::look(fd);
  char first;
  return decrypt_in_kernel(fd, {&first, 1}, &::SSL_peek_ex);
}

ssize_t KernelTLSTransport::decrypt_in_kernel(int fd, std::span<char> space, Read read) noexcept {
  std::size_t got = 0;
  connection().keep_buffers();
  TLSSender::Scope out(sender());
  while (got < space.size() && connection().has_input())
    if (!read_record(space, got, read)) break;
  // OpenSSL's answers, if this process encrypts.
  sender().push(out, fd);
  return report(got);
}

ssize_t KernelTLSTransport::send(int fd, std::span<const std::string_view> pieces) noexcept {
  if (!is_in_kernel() || !connection().can_send()) return UserTLSTransport::send(fd, pieces);
  const ssize_t sent = pieces.empty() ? 0 : send_to(fd, pieces);
  if (sent < 0 && errno != EAGAIN) connection().fail_to_send(errno);
  return sent;
}

void KernelTLSTransport::end_sending(int fd) noexcept {
  if (!is_in_kernel()) return UserTLSTransport::end_sending(fd);
  if (!connection().end_output()) return;
  openssl::forget_errors();
  SSL* const ssl = connection().ssl();
  without_sigpipe([ssl] { return ::SSL_shutdown(ssl); });
  openssl::forget_errors();
}

}  // namespace squall::detail
