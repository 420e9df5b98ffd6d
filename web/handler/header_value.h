#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace squall::web {

// A parameter type for the value of a header field: text, or a whole number.
//
// Lifetime:  refers to the text that it was made from.
class HeaderValue {
 public:
  template <class T>
  requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>)
  HeaderValue(const T& text) : text_(text) {}  // NOLINT(google-explicit-constructor)

  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  HeaderValue(const T& number)  // NOLINT(google-explicit-constructor)
      : text_(digits_, length_of(std::to_chars(digits_, digits_ + sizeof digits_, number))) {}

  // Refuses every other type. A std::string_view of nullptr is undefined, and only the handler can choose the
  // digits of a floating point number.
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

  char digits_[20];  // of a number: enough for 64 bits and a sign
  std::string_view text_;
};

}  // namespace squall::web
