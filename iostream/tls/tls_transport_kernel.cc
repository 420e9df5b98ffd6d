#include <squall/ioloop/base/sigpipe.h>
#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_transport.h>

#include <cerrno>

// What a TLSTransport leaves to the kernel, where that can encrypt (kTLS).
namespace squall {

// SSL_do_handshake() over the descriptor itself: the only way in which OpenSSL gives keys to the kernel.
int TLSTransport::step_in_kernel(int fd) noexcept {
  if (!is_offered_) {
    openssl::Bio socket(::BIO_new_socket(fd, BIO_NOCLOSE));
    if (!socket) {
      fail_with_errno(ENOMEM);
      return -1;
    }
    ::SSL_set_options(ssl_, SSL_OP_ENABLE_KTLS);
    ::SSL_set_bio(ssl_, socket.get(), socket.get());
    socket.release();
    is_offered_ = true;
  }
  const ssize_t result = without_sigpipe([this] { return ::SSL_do_handshake(ssl_); });
  is_blocked_ = result != 1 && SSL_want_write(ssl_);
  if (result == 1) leave_to_kernel();
  return static_cast<int>(result);
}

// The handshake is done: what the kernel has not taken is ours.
void TLSTransport::leave_to_kernel() noexcept {
  kernel_sends_ = BIO_get_ktls_send(::SSL_get_wbio(ssl_)) != 0;
  kernel_receives_ = BIO_get_ktls_recv(::SSL_get_rbio(ssl_)) != 0;
  if (kernel_sends_ && kernel_receives_) return;
  const openssl::Bio own(make_bio());
  if (!own) return fail_with_errno(ENOMEM);
  if (!kernel_receives_) {
    ::BIO_up_ref(own.get());
    ::SSL_set0_rbio(ssl_, own.get());
  }
  if (!kernel_sends_) {
    ::BIO_up_ref(own.get());
    ::SSL_set0_wbio(ssl_, own.get());
  }
}

}  // namespace squall
