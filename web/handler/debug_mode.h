#pragma once

#include <squall/web/handler/auto_reload.h>
#include <squall/web/handler/debug_pages.h>

#include <concepts>

namespace squall::web {

// The settings that are useful while a program is developed; converts from bool. Only a program that makes
// one from a bool links the code for them.
class DebugMode {
 public:
  DebugMode() = default;
  template <std::same_as<bool> Bool>
  DebugMode(Bool is_on)  // NOLINT(google-explicit-constructor)
      : pages_(is_on), reload_(is_on) {}

  DebugPages pages() const noexcept { return pages_; }
  AutoReload reload() const noexcept { return reload_; }

 private:
  DebugPages pages_;
  AutoReload reload_;
};

}  // namespace squall::web
