#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <string_view>

namespace squall::redis {

// One word of a command: a view of a string, or a number in decimal. Lives no longer than the string.
class Word {
 public:
  explicit Word(std::string_view text) noexcept : text_(text) {}
  template <class Number>
  requires(std::integral<Number> || std::floating_point<Number>) && (!std::same_as<Number, bool>)
  explicit Word(Number number) : text_(buffer_, static_cast<std::size_t>(write(number) - buffer_)) {}
  Word(const Word&) = delete;
  Word& operator=(const Word&) = delete;

  std::string_view text() const noexcept { return text_; }

 private:
  template <class Number>
  char* write(Number number) {
    return fmt::format_to(buffer_, "{}", number);
  }

  char buffer_[48];
  std::string_view text_;
};

}  // namespace squall::redis
