#pragma once

#include <signal.h>

#include <initializer_list>

namespace squall {

// Sets of signals. On some systems the functions of sigsetops(3) are macros, which `::` must not precede, so
// the other sources use these.
//
// Thread:    any.
inline sigset_t signal_set(std::initializer_list<int> signals = {}) noexcept {
  sigset_t set;
  static_cast<void>(sigemptyset(&set));
  for (const int signal : signals) static_cast<void>(sigaddset(&set, signal));
  return set;
}

inline sigset_t all_signals_but(std::initializer_list<int> signals = {}) noexcept {
  sigset_t set;
  static_cast<void>(sigfillset(&set));
  for (const int signal : signals) static_cast<void>(sigdelset(&set, signal));
  return set;
}

inline bool contains(const sigset_t& set, int signal) noexcept { return sigismember(&set, signal) == 1; }

}  // namespace squall
