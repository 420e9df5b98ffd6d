#pragma once

#include <squall/http/codec/chunk_encoder.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace squall::http {

// Copies pieces of text one behind the other into memory that has room for them.
class ByteCopier {
 public:
  static constexpr std::size_t kDigits = 20;  // the longest number

  explicit ByteCopier(char* to) noexcept : begin_(to), to_(to) {}
  ByteCopier& operator<<(std::string_view piece) noexcept {
    to_ += piece.copy(to_, piece.size());
    return *this;
  }
  // The length of a literal is known at compile time, which saves the call of memcpy().
  template <std::size_t N>
  ByteCopier& operator<<(const char (&literal)[N]) noexcept {
    std::memcpy(to_, literal, N - 1);
    to_ += N - 1;
    return *this;
  }
  void number(std::uint64_t value) noexcept { to_ = std::to_chars(to_, to_ + kDigits, value).ptr; }
  void chunk_size_line(std::uint64_t size) noexcept { to_ = write_chunk_size_line(to_, size); }
  std::size_t count() const noexcept { return static_cast<std::size_t>(to_ - begin_); }

 private:
  char* begin_;
  char* to_;
};

}  // namespace squall::http
