#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace squall::web {

// The value of a header field, as a handler may give it: text, or a whole number.
//
// Lifetime:  a parameter only; refers to the text it was made from.
class HeaderValue {
 public:
  template <class T>
  requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>)
  HeaderValue(const T& text) : text_(text) {}  // NOLINT(google-explicit-constructor)

  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  HeaderValue(const T& number)  // NOLINT(google-explicit-constructor)
      : text_(digits_, length_of(std::to_chars(digits_, digits_ + sizeof digits_, number))) {}

  // Everything else is refused: nullptr, which std::string_view would read, and a floating point number,
  // whose digits only the handler can choose.
  template <class T>
  HeaderValue(const T&) {  // NOLINT(google-explicit-constructor)
    static_assert(kNever<T>, "a header's value is text or a whole number: format other values first");
  }

  HeaderValue(const HeaderValue&) = delete;
  HeaderValue& operator=(const HeaderValue&) = delete;

  std::string_view text() const noexcept { return text_; }

 private:
  template <class T>
  static constexpr bool kNever = false;

  std::size_t length_of(std::to_chars_result result) const noexcept {
    return static_cast<std::size_t>(result.ptr - digits_);
  }

  char digits_[20];  // of a number; 20 hold every 64-bit one
  std::string_view text_;
};

}  // namespace squall::web
