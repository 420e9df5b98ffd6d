#include "support/scrambler.h"

#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <cerrno>

namespace squall::testing {

std::string Scrambler::scramble(std::string_view bytes) {
  std::string result(bytes);
  for (char& c : result) c ^= kFlip;
  return result;
}

// Sends the own bytes. True if all are sent.
bool Scrambler::send_own(int fd) noexcept {
  while (!own_.empty()) {
    const std::string_view piece = own_;
    const ssize_t sent = send_to(fd, {&piece, 1});
    if (sent < 0) {
      error_ = std::error_code(errno, std::generic_category());
      return false;
    }
    own_.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

Transport::Step Scrambler::handshake(int fd) noexcept {
  if (!send_own(fd) && errno != EAGAIN) return Step::failed;
  char hello;
  while (!has_hello_) {
    const ssize_t got = receive_from(fd, {&hello, 1});
    if (got < 0 && errno == EAGAIN) return Step::pending;
    if (got == 1 && hello == kHello) {
      has_hello_ = true;
    } else {
      error_ = got < 0
                   ? std::error_code(errno, std::generic_category())
                   : std::make_error_code(got == 0 ? std::errc::connection_reset : std::errc::protocol_error);
      return Step::failed;
    }
  }
  return own_.empty() ? Step::done : Step::pending;
}

// False with errno if no bytes have arrived.
bool Scrambler::fill(int fd) noexcept {
  char bytes[4096];
  const ssize_t got = receive_from(fd, bytes);
  if (got < 0) {
    error_ = std::error_code(errno, std::generic_category());
    return false;
  }
  if (got == 0) {
    error_ = std::make_error_code(std::errc::connection_reset);
    errno = ECONNRESET;
    return false;
  }
  for (const char c : std::string_view(bytes, static_cast<std::size_t>(got))) {
    if (c == kAsk) {
      own_ += kAnswer;
    } else if (c == kAnswer) {
      ++answers_;
    } else if (c == kEnd) {
      ended_ = true;
    } else {
      received_ += static_cast<char>(c ^ kFlip);
    }
  }
  return true;
}

ssize_t Scrambler::receive(int fd, std::span<char> space) noexcept {
  if (received_.empty() && !ended_ && !fill(fd)) return -1;
  const std::size_t count = received_.copy(space.data(), std::min(space.size(), limits_.at_a_time));
  received_.erase(0, count);
  if (count > 0 || ended_) return static_cast<ssize_t>(count);
  errno = EAGAIN;
  return -1;
}

ssize_t Scrambler::look(int fd) noexcept {
  if (received_.empty() && !ended_ && !fill(fd)) return -1;
  if (!received_.empty() || ended_) return received_.empty() ? 0 : 1;
  errno = EAGAIN;
  return -1;
}

ssize_t Scrambler::send(int fd, std::span<const std::string_view> pieces) noexcept {
  if (!send_own(fd)) return -1;
  if (promised_ == 0) {
    for (const std::string_view piece : pieces) {
      const std::string_view part = piece.substr(0, limits_.at_a_time - promised_);
      own_ += scramble(part);
      promised_ += part.size();
    }
    if (!send_own(fd)) return -1;
  }
  if (pieces.empty()) return 0;
  const auto sent = static_cast<ssize_t>(promised_);
  promised_ = 0;
  return sent;
}

void Scrambler::end_sending(int fd) noexcept {
  if (has_said_end_) return;
  has_said_end_ = true;
  own_ += kEnd;
  send_own(fd);
}

}  // namespace squall::testing
