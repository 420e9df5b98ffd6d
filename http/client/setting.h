#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace squall::http {

// An option of a request that is a value, none, or left open. An option that is left open has the client's
// default.
//
//     request.request_timeout = 5s;            // a value
//     request.request_timeout = std::nullopt;  // no timeout
//     request.request_timeout = {};            // the client's default
//
// Thread:    a value, of any.
template <class T>
class Setting {
 public:
  Setting() noexcept = default;
  Setting(std::nullopt_t) noexcept : state_(State::none) {}  // NOLINT(google-explicit-constructor)
  template <class U>
  requires(std::constructible_from<T, U> && !std::same_as<std::remove_cvref_t<U>, Setting> &&
           !std::same_as<std::remove_cvref_t<U>, std::nullopt_t>)
  Setting(U&& value)  // NOLINT(google-explicit-constructor)
      : state_(State::value), value_(std::forward<U>(value)) {}

  bool is_open() const noexcept { return state_ == State::open; }
  // The value; std::nullopt for none, and for an option that is left open.
  const std::optional<T>& value() const noexcept { return value_; }

 private:
  enum class State : unsigned char { open, none, value };

  State state_ = State::open;
  std::optional<T> value_;
};

}  // namespace squall::http
