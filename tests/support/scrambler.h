#pragma once

#include <squall/iostream/stream/transport.h>

#include <string>

namespace squall::testing {

// A transport whose bytes are easily told from those it carries, which does everything that one may do and a
// plain descriptor does not: says hello before anything else, holds bytes that it received, takes a part of
// what it is given, has bytes of its own, and ends with a mark.
//
// A bit of every byte is flipped. `!` asks the peer for a `.`, which it sends at once; `$` is the end. None
// of them, flipped or not, may be among the bytes that it carries.
class Scrambler final : public Transport {
 public:
  static constexpr char kFlip = 0x20;
  static constexpr char kHello = 'H';
  static constexpr char kAsk = '!';
  static constexpr char kAnswer = '.';
  static constexpr char kEnd = '$';
  static std::string scramble(std::string_view bytes);

  struct Limits {
    std::size_t at_a_time = static_cast<std::size_t>(-1);  // bytes that one receive() or send() is good for
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
  std::string own_;           // to be sent before anything else
  std::string received_;      // not yet handed out
  std::size_t promised_ = 0;  // bytes whose scrambled form is in own_, or was: the next send() says so
  bool has_hello_ = false;
  bool ended_ = false;
  bool has_said_end_ = false;
  int answers_ = 0;
  std::error_code error_;
};

}  // namespace squall::testing
