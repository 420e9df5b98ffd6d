#pragma once

#include <concepts>
#include <memory>

namespace squall::web {

class Application;

namespace detail {

// Starts autoreload on the current loop, unless it runs in this process already. If it runs on this loop, the
// application's servers drain before the program is executed again, until the result is dropped. A function
// of the room web/reload, which is above this one.
std::shared_ptr<void> start_autoreload(Application& application);

}  // namespace detail

// Whether the program is executed again when its files change; converts from bool. Only a program that makes
// one from a bool links the code for that.
class AutoReload {
 public:
  AutoReload() = default;
  template <std::same_as<bool> Bool>
  AutoReload(Bool is_on)  // NOLINT(google-explicit-constructor)
      : start_(is_on ? &detail::start_autoreload : nullptr) {}

  // Null if it is off.
  decltype(&detail::start_autoreload) function() const noexcept { return start_; }

 private:
  decltype(&detail::start_autoreload) start_ = nullptr;
};

}  // namespace squall::web
