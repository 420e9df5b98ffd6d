#pragma once

#include <squall/iostream/stream/transport.h>

#include <string>

namespace squall::testing {

// A transport whose bytes differ from the bytes it carries, and which does everything that a transport may do
// and a plain descriptor does not: it has a handshake, buffers received bytes, takes only a part of the bytes
// to send, sends its own bytes, and has an end mark.
//
// One bit of every byte is flipped. `!` asks the peer for a `.`, which the peer sends at once; `$` is the
// end mark. The carried bytes must contain none of these characters, flipped or not.
class Scrambler final : public Transport {
 public:
  static constexpr char kFlip = 0x20;
  static constexpr char kHello = 'H';
  static constexpr char kAsk = '!';
  static constexpr char kAnswer = '.';
  static constexpr char kEnd = '$';
  static std::string scramble(std::string_view bytes);

  struct Limits {
    std::size_t at_a_time = static_cast<std::size_t>(-1);  // the most bytes of one receive() or send()
  };
  Scrambler() : Scrambler(Limits()) {}
  explicit Scrambler(Limits limits) : limits_(limits), own_(1, kHello) {}

  Step handshake(int fd) noexcept override;
  ssize_t receive(int fd, std::span<char> space) noexcept override;
  ssize_t look(int fd) noexcept override;
  bool has_received() const noexcept override { return !received_.empty() || ended_; }
  ssize_t send(int fd, std::span<const std::string_view> pieces) noexcept override;
  bool wants_write() const noexcept override { return !own_.empty(); }
  void end_sending(int fd) noexcept override;
  std::error_code error() const noexcept override { return error_; }

  int answers() const noexcept { return answers_; }

 private:
  bool send_own(int fd) noexcept;
  bool fill(int fd) noexcept;

  Limits limits_;
  std::string own_;           // sent before any other byte
  std::string received_;      // not yet returned by receive()
  std::size_t promised_ = 0;  // bytes that were scrambled into own_; the next send() reports them as sent
  bool has_hello_ = false;
  bool ended_ = false;
  bool has_said_end_ = false;
  int answers_ = 0;
  std::error_code error_;
};

}  // namespace squall::testing
