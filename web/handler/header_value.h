#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace squall::web {

// A parameter type for the value of a header field: text, a whole number, or a time, which is sent as an HTTP
// date (WEB-42).
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
      : text_(made_, length_of(std::to_chars(made_, made_ + sizeof made_, number))) {}

  HeaderValue(std::chrono::system_clock::time_point time);  // NOLINT(google-explicit-constructor)

  // Refuses every other type. A std::string_view of nullptr is undefined, and only the handler can choose the
  // digits of a floating point number.
  template <class T>
  HeaderValue(const T&) {  // NOLINT(google-explicit-constructor)
    static_assert(kNever<T>,
                  "a header's value is text, a whole number or a time of the system clock: format other "
                  "values first");
  }

  HeaderValue(const HeaderValue&) = delete;
  HeaderValue& operator=(const HeaderValue&) = delete;

  std::string_view text() const noexcept { return text_; }

 private:
  template <class T>
  static constexpr bool kNever = false;

  std::size_t length_of(std::to_chars_result result) const noexcept {
    return static_cast<std::size_t>(result.ptr - made_);
  }

  char made_[32];  // the digits of a number, or a date
  std::string_view text_;
};

}  // namespace squall::web
