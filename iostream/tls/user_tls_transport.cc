#include <squall/iostream/tls/user_tls_transport.h>

#include <cerrno>
#include <new>
#include <stdexcept>

namespace squall::detail {
namespace {

// One receive() makes at most this many recv calls, while bytes arrive and space is left.
constexpr int kReceives = 16;

}  // namespace

UserTLSTransport::UserTLSTransport(const TLSContext& context, std::string_view server_hostname,
                                   std::uint16_t port, Channel channel)
    : connection_(context, server_hostname, port),
      receiver_(connection_, channel),
      sender_(connection_, channel) {
  openssl::Bio bio = make_bio();
  if (!bio) throw std::runtime_error("No memory");
  ::SSL_set_bio(connection_.ssl(), bio.get(), bio.get());
  bio.release();
}

const BIO_METHOD* UserTLSTransport::bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "squall");
    if (!made) throw std::bad_alloc();
    ::BIO_meth_set_read(made, [](BIO* bio, char* space, int size) {
      return static_cast<UserTLSTransport*>(::BIO_get_data(bio))->receiver_.read(bio, space, size);
    });
    ::BIO_meth_set_write(made, [](BIO* bio, const char* bytes, int size) {
      return static_cast<UserTLSTransport*>(::BIO_get_data(bio))->sender_.write(bio, bytes, size);
    });
    ::BIO_meth_set_ctrl(made,
                        [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
    return made;
  }();
  return method;
}

openssl::Bio UserTLSTransport::make_bio() noexcept {
  try {
    openssl::Bio bio(::BIO_new(bio_method()));
    if (!bio) return nullptr;
    ::BIO_set_data(bio.get(), this);
    ::BIO_set_init(bio.get(), 1);
    return bio;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// ---- The handshake.

Transport::Step UserTLSTransport::handshake(int fd) noexcept {
  if (connection_.has_failed()) return Step::failed;
  TLSReceiver::Scope in(receiver_);
  TLSSender::Scope out(sender_);
  for (;;) {
    if (connection_.has_input()) {
      openssl::forget_errors();
      errno = 0;
      connection_.on_handshake_result(::SSL_do_handshake(connection_.ssl()), TLSConnection::Blocked::no);
    }
    // Sends the alert with the reason of a failure, too.
    sender_.push(out, fd);
    if (!connection_.can_send()) return refuse(fd);
    if (connection_.state() == TLSConnection::State::open) return Step::done;
    if (!receiver_.fill(in, fd) && connection_.has_input()) return Step::pending;
  }
}

Transport::Step UserTLSTransport::refuse(int fd) noexcept {
  connection_.on_refused(fd);
  return Step::failed;
}

// ---- Receiving.

[[gnu::hot]] ssize_t UserTLSTransport::receive(int fd, std::span<char> space) noexcept {
  return decrypt(fd, space, &::SSL_read_ex);
}

// SSL_peek_ex() leaves the decrypted record in OpenSSL.
ssize_t UserTLSTransport::look(int fd) noexcept {
  char first;
  return decrypt(fd, {&first, 1}, &::SSL_peek_ex);
}

[[gnu::hot]] ssize_t UserTLSTransport::decrypt(int fd, std::span<char> space, Read read) noexcept {
  std::size_t got = 0;
  connection_.keep_buffers();
  {
    TLSReceiver::Scope in(receiver_);
    TLSSender::Scope out(sender_);
    int receives = 0;
    while (got < space.size() && connection_.has_input()) {
      // OpenSSL without ciphertext would allocate and free a buffer, and report an error.
      if (!receiver_.has_ciphertext() && ::SSL_pending(connection_.ssl()) == 0) {
        // If a peer sends many records without data, the poller decides about the next receive, so that the
        // loop serves other descriptors.
        if (receives == kReceives || (receives > 0 && got == 0) || !receiver_.fill(in, fd)) break;
        ++receives;
      }
      read_record(space, got, read);
    }
    // Sends OpenSSL's answers.
    sender_.push(out, fd);
  }
  return report(got);
}

[[gnu::hot]] bool UserTLSTransport::read_record(std::span<char> space, std::size_t& got, Read read) noexcept {
  std::size_t count = 0;
  openssl::forget_errors();
  errno = 0;
  if (read(connection_.ssl(), space.data() + got, space.size() - got, &count) == 1) {
    got += count;
    return true;
  }
  const int error = ::SSL_get_error(connection_.ssl(), 0);
  if (error == SSL_ERROR_ZERO_RETURN) {
    connection_.end_input();
  } else if (error != SSL_ERROR_WANT_READ) {
    connection_.fail_with_openssl(error);
  }
  return false;
}

[[gnu::hot]] ssize_t UserTLSTransport::report(std::size_t got) noexcept {
  if (got > 0) return static_cast<ssize_t>(got);
  is_end_reported_ = !connection_.has_input();
  if (connection_.state() == TLSConnection::State::ended) return 0;
  errno = connection_.has_input() ? EAGAIN : EPROTO;
  return -1;
}

[[gnu::hot]] bool UserTLSTransport::has_received() const noexcept {
  return receiver_.has_ciphertext() || ::SSL_pending(connection_.ssl()) > 0 ||
         (!connection_.has_input() && !is_end_reported_);
}

// ---- Sending.

[[gnu::hot]] ssize_t UserTLSTransport::send(int fd, std::span<const std::string_view> pieces) noexcept {
  if (connection_.can_send()) [[likely]]
    return sender_.send(fd, pieces);
  errno = EPROTO;
  return -1;
}

void UserTLSTransport::end_sending(int fd) noexcept {
  if (!connection_.end_output()) return;
  TLSSender::Scope out(sender_);
  openssl::forget_errors();
  ::SSL_shutdown(connection_.ssl());
  openssl::forget_errors();
  sender_.push(out, fd);
}

}  // namespace squall::detail
