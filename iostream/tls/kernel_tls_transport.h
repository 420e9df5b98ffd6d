#pragma once

#include <squall/iostream/tls/user_tls_transport.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace squall::detail {

// TLS by the kernel (kTLS), as the context's options ask for it.
//
// OpenSSL does the handshake over the descriptor itself, because only then does it offer the keys to the
// kernel. The kernel may take each direction or not. This process handles a direction that the kernel does
// not take.
//
// | state    | waits for                             | ended by                         | next             |
// |----------|---------------------------------------|----------------------------------|------------------|
// | fresh    | the first handshake()                 | that                             | reading          |
// | reading  | the peer's handshake messages         | a full send buffer               | blocked          |
// |          |                                       | the end of the handshake         | one of the below |
// | blocked  | room for our handshake messages       | that                             | reading          |
// | none     | -: no direction is the kernel's       | -                                | -                |
// | sends    | -: the kernel encrypts                | -                                | -                |
// | receives | -: the kernel decrypts                | -                                | -                |
// | both     | -: the kernel encrypts and decrypts   | -                                | -                |
class KernelTLSTransport final : public UserTLSTransport {
 public:
  // See TLSTransport::make().
  KernelTLSTransport(const TLSContext& context, std::string_view server_hostname, std::uint16_t port)
      : UserTLSTransport(context, server_hostname, port, Channel::socket) {}

  Step handshake(int fd) noexcept override;
  ssize_t receive(int fd, std::span<char> space) noexcept override;
  ssize_t look(int fd) noexcept override;
  ssize_t send(int fd, std::span<const std::string_view> pieces) noexcept override;
  bool wants_write() const noexcept override {
    return state_ == State::blocked || UserTLSTransport::wants_write();
  }
  void end_sending(int fd) noexcept override;
  bool is_in_kernel() const noexcept override { return state_ == State::sends || state_ == State::both; }

 private:
  enum class State : std::uint8_t { fresh, reading, blocked, none, sends, receives, both };

  ssize_t decrypt_in_kernel(int fd, std::span<char> space, Read read) noexcept;
  bool receives_in_kernel() const noexcept { return state_ == State::receives || state_ == State::both; }
  bool offer(int fd) noexcept;
  void leave_to_kernel() noexcept;

  State state_ = State::fresh;
};

}  // namespace squall::detail
